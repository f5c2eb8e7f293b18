// Package composio has a connected account at Composio use a key, by replacing the
// credential in it. The account keeps its id, so that nothing that uses it changes.
//
// # What is where
//
// The account's alias carries the mark: what the user wrote there stays in front, and
// " key-id ID" stands at its end. The value goes first, in a request of its own, and is
// looked for before the mark follows: a deployment that cannot replace credentials may
// say yes to the request and change nothing.
//
// What Composio shows of a credential, its first four bytes or all of it, is compared here
// and told to nobody. Bodies are never told at all.
package composio

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/rest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
)

// Options say which account, and how it is reached.
type Options struct {
	Client *rest.Client
	// Address of the service: what the name does not say.
	Address string
	// Key reads the project's API key.
	Key func(context.Context) (secret.Value, error)
	// Account is the id of the connected account: "ca_…".
	Account string
	// Field of the credential that has the key; empty for what the scheme has.
	Field string
	// Tool that Check runs, with Arguments, in the name of User where that is not empty.
	Tool, User string
	Arguments  map[string]any
}

// Sink is a connected account.
type Sink struct{ o Options }

// Checking is a Sink that runs a tool to find out whether the key works there.
type Checking struct{ *Sink }

var (
	_ sink.Holder  = (*Sink)(nil)
	_ sink.Placed  = (*Sink)(nil)
	_ sink.Checker = Checking{}
)

// Open makes the sink of an account; it calls nothing.
func Open(o Options) *Sink { return &Sink{o} }

// Name implements [sink.Sink].
func (s *Sink) Name() string { return sinkkind.Name("composio", s.o.Account) }

// Where implements [sink.Placed]: a key that was put into another field is not in this one.
func (s *Sink) Where() string { return fmt.Sprintf("%q", []string{s.o.Address, s.o.Field}) }

// Put implements [sink.Sink].
func (s *Sink) Put(ctx context.Context, version string, value secret.Value) error {
	before, err := s.unmarked(ctx)
	if err != nil {
		return err
	}
	field, err := s.field(before)
	if err != nil {
		return err
	}
	if err := s.replace(ctx, before, field, value); err != nil {
		return err
	}
	after, err := s.read(ctx)
	if err != nil {
		return err
	}
	if err := s.taken(before, after, field, value); err != nil {
		return err
	}
	return s.patch(ctx, "the alias", map[string]string{"alias": ownAlias(after.Alias, s.o.Account) + marker + version})
}

// unmarked reads the account, and takes a mark out of its alias: until the new value is
// seen to be there, nothing is vouched for. It is read again then, since its time tells
// whether the next request had an effect.
func (s *Sink) unmarked(ctx context.Context) (account, error) {
	found, err := s.read(ctx)
	if err != nil || mark(found.Alias) == "" {
		return found, err
	}
	if err := s.patch(ctx, "the alias", map[string]string{"alias": ownAlias(found.Alias, s.o.Account)}); err != nil {
		return account{}, err
	}
	return s.read(ctx)
}

// replace puts the value into the credential.
func (s *Sink) replace(ctx context.Context, before account, field string, value secret.Value) error {
	body, err := credentialPatch(before.State.AuthScheme, field, value)
	if err != nil {
		return fmt.Errorf("composio: write down the request: %w", secretstore.ErrUnfit)
	}
	a, err := s.call(ctx, http.MethodPatch, s.path(), body)
	switch {
	case err != nil:
		return err
	case a.Status == http.StatusBadRequest, a.Status == http.StatusMethodNotAllowed, a.Status == http.StatusUnprocessableEntity:
		return fmt.Errorf("composio: replace the credential of %s: %w: %w", s.o.Account, errNoPatch, a.Refused())
	case !a.OK():
		return fmt.Errorf("composio: replace the credential of %s: %w", s.o.Account, a.Refused())
	}
	var done struct {
		Success *bool `json:"success"`
	}
	if json.Unmarshal(a.Body, &done) != nil || done.Success == nil {
		return fmt.Errorf("composio: replace the credential of %s: %w", s.o.Account, a.Unreadable("no word of success"))
	}
	if !*done.Success {
		return fmt.Errorf("composio: replace the credential of %s: it says that this had no success: %w", s.o.Account, sink.ErrUnavailable)
	}
	return nil
}

// taken finds out whether the value is there, as far as that can be seen. Values of one
// time begin alike, so what is shown can only tell that another one is there; that
// something was written, the account's time says.
func (s *Sink) taken(before, after account, field string, value secret.Value) error {
	shown := after.shown(field)
	switch {
	case !isShown(shown, value):
		return fmt.Errorf("composio: %s shows another value than the one that was put: %w: %w", s.o.Account, errNoPatch, secretstore.ErrUnfit)
	case after.Updated == before.Updated:
		return fmt.Errorf("composio: %s was not written to by the request that was to: %w: %w", s.o.Account, errNoPatch, secretstore.ErrUnfit)
	case after.Disabled:
		return fmt.Errorf("composio: %s is disabled; enable it there: %w", s.o.Account, secretstore.ErrUnfit)
	default:
		return nil
	}
}

// Holds implements [sink.Holder].
func (s *Sink) Holds(ctx context.Context) (string, error) {
	a, err := s.read(ctx)
	return mark(a.Alias), err
}

// Check implements [sink.Checker]: it runs the tool, which costs what tools cost there.
func (c Checking) Check(ctx context.Context, _ string) error {
	request := map[string]any{"connected_account_id": c.o.Account, "arguments": c.o.Arguments}
	if c.o.User != "" {
		request["user_id"] = c.o.User
	}
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("composio: write down the arguments of %s: %w", c.o.Tool, secretstore.ErrUnfit)
	}
	a, err := c.call(ctx, http.MethodPost, "/api/v3/tools/execute/"+url.PathEscape(c.o.Tool), body)
	switch {
	case err != nil:
		return err
	case a.Status == http.StatusNotFound:
		return fmt.Errorf("composio: run %s: there is no such tool, name another one with check_tool: %w", c.o.Tool, a.Refused())
	case !a.OK():
		return fmt.Errorf("composio: run %s: %w", c.o.Tool, a.Refused())
	}
	var ran struct {
		Successful *bool `json:"successful"`
	}
	if json.Unmarshal(a.Body, &ran) != nil || ran.Successful == nil {
		return fmt.Errorf("composio: run %s: %w", c.o.Tool, a.Unreadable("no word of success"))
	}
	if !*ran.Successful {
		return fmt.Errorf("composio: %s failed with the new key in %s; its log there says why: %w", c.o.Tool, c.o.Account, sink.ErrNotYet)
	}
	return nil
}
