package gcptest

import (
	"fmt"
	"maps"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Name gives the full name, with the project's number, of a secret that is not
// regional.
func Name(id string) string { return "projects/" + ProjectNumber + "/secrets/" + id }

// Make makes a secret as somebody without the rotator does.
func (s *Server) Make(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	automatic := &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_Automatic_{
		Automatic: &secretmanagerpb.Replication_Automatic{},
	}}
	s.secrets[Name(id)] = &secret{meta: &secretmanagerpb.Secret{
		Name: Name(id), Replication: automatic, CreateTime: s.timestamp(), Etag: s.etag(),
	}}
}

// Remove takes a secret away.
func (s *Server) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.secrets, Name(id))
}

// Put adds a version by hand and gives its number.
func (s *Server) Put(id, value string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec := s.secrets[Name(id)]
	s.add(sec, []byte(value), false)
	return int64(len(sec.versions))
}

// Edit changes a secret by hand, as the console or Terraform does. Its etag
// changes.
func (s *Server) Edit(id string, change func(*secretmanagerpb.Secret)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	meta := copyOf(s.secrets[Name(id)].meta)
	change(meta)
	meta.Etag = s.etag()
	s.secrets[Name(id)].meta = meta
}

// Wipe takes annotations and version aliases away, as a Terraform apply does that
// does not know them.
func (s *Server) Wipe(id string) {
	s.Edit(id, func(meta *secretmanagerpb.Secret) { meta.Annotations, meta.VersionAliases = nil, nil })
}

// Secret shows a secret.
func (s *Server) Secret(id string) *secretmanagerpb.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copyOf(s.secrets[Name(id)].meta)
}

// Set brings a version into a state by hand, whatever names it.
func (s *Server) Set(id string, number int64, state secretmanagerpb.SecretVersion_State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.secrets[Name(id)].versions[number-1]
	v.meta.State, v.meta.Etag = state, s.etag()
	if state == secretmanagerpb.SecretVersion_DESTROYED {
		v.data, v.meta.DestroyTime = nil, timestamppb.New(s.now())
	}
}

// A Stored is a version with its value.
type Stored struct {
	Number int64
	State  secretmanagerpb.SecretVersion_State
	Value  string
}

// Versions shows all versions of a secret, the oldest first.
func (s *Server) Versions(id string) []Stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, ok := s.secrets[Name(id)]
	if !ok {
		return nil
	}
	var all []Stored
	for i, v := range sec.versions {
		all = append(all, Stored{Number: int64(i + 1), State: v.meta.GetState(), Value: string(v.data)})
	}
	return all
}

// Served gives what readers of "latest", of an alias or of a number get; empty
// if they get an error.
func (s *Server) Served(id, which string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, v, err := s.findVersion(fmt.Sprintf("%s/versions/%s", Name(id), which), true)
	if err != nil || v.meta.GetState() != secretmanagerpb.SecretVersion_ENABLED {
		return ""
	}
	return string(v.data)
}

// Aliases shows a secret's aliases.
func (s *Server) Aliases(id string) map[string]int64 {
	return maps.Clone(s.Secret(id).GetVersionAliases())
}

// Annotate puts somebody else's annotation on a secret.
func (s *Server) Annotate(id, name, value string) {
	s.Edit(id, func(meta *secretmanagerpb.Secret) {
		all := maps.Clone(meta.GetAnnotations())
		if all == nil {
			all = map[string]string{}
		}
		all[name] = value
		meta.Annotations = all
	})
}
