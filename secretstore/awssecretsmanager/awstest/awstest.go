// Package awstest is AWS Secrets Manager for tests: a stateful server that
// speaks the service's wire protocol (AWS JSON 1.1), so that the real SDK is in
// the loop, and that is as strict as the service is documented to be.
//
// What it does is pinned to the real service by recordings, in
// TestFakeDoesWhatAWSDid: codes of errors, the lists of labels after each call,
// the first version's AWSCURRENT, AWSPREVIOUS following AWSCURRENT, labels that
// PutSecretValue moves, deprecated versions, deletion and restoring, tags.
//
// From the documents only (API reference of PutSecretValue,
// UpdateSecretVersionStage, TagResource; user guide, "quotas"):
//
//   - UpdateSecretVersionStage fails if RemoveFromVersionId does not have the
//     label, also if no version has it;
//   - the same ClientRequestToken with the same value changes nothing, labels
//     included; with another value it is ResourceExistsException;
//   - 20 labels over all versions, 50 tags, the characters of a tag, 64 KiB;
//   - AWSCURRENT cannot be taken away, only moved;
//   - AccessDeniedException's text, and ThrottlingException;
//   - RotateSecret makes a version without a value that has AWSPENDING, and is refused
//     while AWSPENDING is on another version than AWSCURRENT. It calls no function: a test
//     does, as the service would. That a put into such a version leaves it the labels that
//     it has is a guess, which nobody is to rely on.
//
// Not here: resource policies, replicas, ListSecrets.
package awstest

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Where the secrets of a [Server] are.
const (
	Region    = "eu-west-1"
	accountID = "111122223333"
)

// Server is the service of one account in one region. It is safe for
// concurrent use. See [New].
type Server struct {
	now func() time.Time

	mu      sync.Mutex
	secrets []*secretEntry
	denied  map[string]string // action → permission
	calls   []string
}

var _ http.Handler = (*Server)(nil)

// New makes a server without secrets. A nil now is time.Now.
func New(now func() time.Time) *Server {
	if now == nil {
		now = time.Now
	}
	return &Server{now: now, denied: map[string]string{}}
}

// Deny takes the permission for an action, such as "PutSecretValue", away.
func (s *Server) Deny(action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[action] = "secretsmanager:" + action
}

// DenyKMS lets an action be refused for want of a KMS permission.
func (s *Server) DenyKMS(action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[action] = "kms"
}

// Allow gives all permissions back.
func (s *Server) Allow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.denied)
}

// Calls lists the actions called so far, in order.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// ForgetCalls begins the list of calls anew.
func (s *Server) ForgetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

// Purge removes all versions without labels, as AWS does in its own time.
func (s *Server) Purge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.secrets {
		e.versions = slices.DeleteFunc(e.versions, func(v *version) bool { return len(v.labels) == 0 })
	}
}

// Inspect shows a secret without a call of the service: its labels by version and
// its tags. ok is false if there is no such secret.
func (s *Server) Inspect(id string) (labels map[string][]string, tags map[string]string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(id)
	if e == nil {
		return nil, nil, false
	}
	labels, tags = e.stages(), map[string]string{}
	for _, t := range e.tags {
		tags[t.Key] = t.Value
	}
	return labels, tags, true
}

// Value is what a reader of that label gets; ok is false if nobody has it.
func (s *Server) Value(id, label string) (value string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(id)
	if e == nil {
		return "", false
	}
	v := e.bearer(label)
	if v == nil {
		return "", false
	}
	if v.text != nil {
		return *v.text, true
	}
	return string(v.binary), true
}

// DropLabels takes labels away as a person would, or a program that knows
// nothing of them.
func (s *Server) DropLabels(id string, which func(label string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.find(id).versions {
		v.labels = slices.DeleteFunc(v.labels, which)
	}
}

// DropTags takes tags away, as Terraform does with those it does not know.
func (s *Server) DropTags(id string, which func(key string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(id)
	e.tags = slices.DeleteFunc(e.tags, func(t wireTag) bool { return which(t.Key) })
}
