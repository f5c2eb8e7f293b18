package azuretest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/wire"
)

// Token is the access token that the server takes.
const Token = "token-of-the-stand-in"

// Vault is the URL that the server answers under by [Server.Transport].
const Vault = "https://acme-prod.vault.azure.net"

// Server is a vault. It is safe for concurrent use.
type Server struct {
	// Resource is what the challenge names; the service's own if empty.
	Resource string
	// Now tells the time; time.Now if nil.
	Now func() time.Time

	mu      sync.Mutex
	secrets map[string]*entry // by the name in lower case
	calls   []Call
	denied  map[string]string // action → code of the reason
}

// Call is a request that was authorized, or refused for want of a permission.
type Call struct {
	// Action that it needs, as "getSecret".
	Action string
	Secret string
}

// entry is a secret. Its last version is the newest.
type entry struct {
	name     string
	versions []*Version
	deleted  time.Time // zero: it was not
}

// Version is a version of a secret.
type Version struct {
	ID               string
	Value            string
	ContentType      string
	Tags             map[string]string
	Enabled          bool
	Created, Updated time.Time
}

// New makes an empty vault.
func New() *Server {
	return &Server{secrets: map[string]*entry{}, denied: map[string]string{}}
}

// Credential gives the token that the server takes.
func Credential() azcore.TokenCredential { return static{} }

type static struct{}

// GetToken implements an interface of the SDK.
func (static) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: Token, ExpiresOn: time.Now().Add(24 * time.Hour)}, nil
}

// A Hook is called before an authorized request has its effect, and after it; what it
// gives fails the request as if there were no connection.
type Hook func(r *http.Request, after bool) error

// Transport reaches the server without a network.
func (s *Server) Transport(hook Hook) policy.Transporter {
	tell := func(after bool) wire.Hook {
		return func(r *http.Request) error {
			if hook == nil || r.Header.Get("Authorization") == "" { // it has no effect
				return nil
			}
			return hook(r, after)
		}
	}
	tap := &wire.Tap{}
	tap.On(tell(false), tell(true))
	return &http.Client{Transport: tap.Wrap(wire.Direct(s))}
}

// Deny refuses calls that need the action, with that code of the reason.
func (s *Server) Deny(action, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[action] = reason
}

// Allow ends all of Deny.
func (s *Server) Allow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.denied)
}

// Calls lists the calls so far.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Versions gives copies of a secret's versions, the newest last.
func (s *Server) Versions(name string) []Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.secrets[strings.ToLower(name)]
	if e == nil {
		return nil
	}
	var all []Version
	for _, v := range e.versions {
		c := *v
		c.Tags = maps.Clone(v.Tags)
		all = append(all, c)
	}
	return all
}

// Served is what readers of the newest version get; empty if they get none.
func (s *Server) Served(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.secrets[strings.ToLower(name)]
	if e == nil || !e.deleted.IsZero() || !e.newest().Enabled {
		return ""
	}
	return e.newest().Value
}

// Put sets a value as a person does, who gives no tags.
func (s *Server) Put(name, value string) { s.PutTagged(name, value, nil) }

// PutTagged is Put with tags.
func (s *Server) PutTagged(name, value string, tags map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(name, Version{Value: value, Tags: tags, Enabled: true})
}

// Enable switches a secret's newest version on or off.
func (s *Server) Enable(name string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[strings.ToLower(name)].newest().Enabled = on
}

// Delete deletes a secret so that it can be recovered; Purge for good.
func (s *Server) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[strings.ToLower(name)].deleted = s.now()
}

// Recover takes a Delete back.
func (s *Server) Recover(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[strings.ToLower(name)].deleted = time.Time{}
}

// Purge takes a secret away for good.
func (s *Server) Purge(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.secrets, strings.ToLower(name))
}

// Rewrite changes the newest version's value in place, which the service cannot do.
func (s *Server) Rewrite(name string, change func(string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.secrets[strings.ToLower(name)].newest()
	v.Value = change(v.Value)
}

func (e *entry) newest() *Version { return e.versions[len(e.versions)-1] }

func (e *entry) version(id string) *Version {
	for _, v := range e.versions {
		if v.ID == id {
			return v
		}
	}
	return nil
}

// add makes a version; the caller holds the lock.
func (s *Server) add(name string, v Version) *Version {
	key := strings.ToLower(name)
	e := s.secrets[key]
	if e == nil {
		e = &entry{name: name}
		s.secrets[key] = e
	}
	var id [16]byte
	_, _ = rand.Read(id[:])
	v.ID = hex.EncodeToString(id[:])
	v.Created = s.now()
	v.Updated = v.Created
	e.versions = append(e.versions, &v)
	return &v
}

// now is in whole seconds, as the service stamps.
func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now().Truncate(time.Second)
	}
	return time.Now().Truncate(time.Second)
}

// nameForm is what the reference says of names.
var nameForm = regexp.MustCompile(`^[0-9a-zA-Z-]{1,127}$`)
