package storetest

import (
	"context"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A Fixture is one kind of store on a stand-in for its service, for the suites that
// go over all kinds: the engine's simulation, and the crash matrix with the real
// binary. A backend exports its own in a package fixture, and package alltest lists
// them.
type Fixture struct {
	// Kind is its name in the configuration.
	Kind string

	// Fresh makes a secret that holds nothing yet, at a service of its own in this
	// process; name tells it from others.
	Fresh func(t testing.TB, name string) Remote
	// Weight is how many of a hundred simulated stores are of this kind; 0: none.
	Weight int
	// Blind: there is nothing to compare and swap a reservation on.
	Blind bool

	// Serve brings a service up that other processes reach as they reach the real
	// one.
	Serve func(t *testing.T, s Site) Service
	// SystemCalls: it is the local file system, below [Site.Folder], and the calls
	// are system calls. They do not go through the interceptor.
	SystemCalls bool
	// Refusals are the errors that its calls may get. The first one is never worth
	// another try.
	Refusals []Refusal
}

// Remote is one secret as rotators, consumers and people reach it. What is nil
// nobody can do, or see.
type Remote struct {
	// Open gives a store that is bound to the secret, as a process of its own has
	// it. Each outside call goes through hook twice, and fails with what it gives, as
	// calls fail when there is no connection. A store that makes no outside calls
	// leaves the hook alone, and says so in Local.
	Open  func(t testing.TB, hook Hook) secretstore.Store
	Local bool
	// Current is the value that consumers read, found without a store; empty before
	// a rotator has made one current. Latest is what those read who do not ask for
	// the current version by name.
	Current, Latest func() string
	// Previous is the value before it, as receivers of webhooks read it beside the current
	// one; empty if it was destroyed.
	Previous func() string
	// Put is what somebody does who knows nothing of the rotator: the value is
	// current at once.
	Put func(value string)
	// Wipe takes all marks away that a tool may not know.
	Wipe func()
}

// A Hook is called before an outside call has its effect, and after it.
type Hook func(call string, after bool) error

// Site is where the stores of a configuration are to be.
type Site struct {
	// Folder is the configuration's.
	Folder string
	// Stores lists the stores' names and the one secret that each keeps.
	Stores []Place
	// Interceptor is what every outside call passes.
	Interceptor Interceptor
}

// Place is one secret in one store.
type Place struct{ Store, Secret string }

// Of names the store whose secret a call's text names; the first if it names none.
func (s Site) Of(text string) string {
	for _, p := range s.Stores[1:] {
		if strings.Contains(text, p.Secret) {
			return p.Store
		}
	}
	return s.Stores[0].Store
}

// Service is a stand-in that other processes reach.
type Service interface {
	// Settings is a store's section of the configuration, as YAML in one line.
	Settings(store string) string
	// Env is what the environment needs to have.
	Env() []string
	// Serves gives the value that each kind of reader gets; "" if there is none.
	Serves(p Place) map[string]string
	// Remains lists what is held beside the current value.
	Remains(p Place) []string
}

// Hands are a [Service] where somebody who knows nothing of the rotator can make a
// secret: the value is current at once.
type Hands interface {
	Service
	Put(ctx context.Context, p Place, value string) error
}

// Receivers are a [Service] whose readers get the value before the current one, too, as
// receivers of webhooks do.
type Receivers interface {
	Service
	// Accepted gives the current value and, while there is one, the previous one.
	Accepted(p Place) []string
}

// Interceptor is what every outside call passes, on its way in and on its way out.
type Interceptor interface {
	// Enter takes a call in before its effect; label says which call it is.
	Enter(label string) (Passage, Outcome)
}

// Passage is a call between its way in and its way out.
type Passage interface {
	// Leave takes it out after its effect.
	Leave() Outcome
}

// Outcome is what becomes of a call. The zero one: it goes on.
type Outcome struct {
	Lost    bool     // no effect if it has had none, and no answer
	Refused *Refusal // no effect, and this answer; before the effect only
}

// A Refusal is an error that a service answers with; how it is told is the kind's
// affair.
type Refusal struct {
	Name string
	Code int
	Text string
}

// Reset is the code of a connection that breaks before the request arrives.
const Reset = -1
