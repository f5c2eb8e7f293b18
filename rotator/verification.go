package rotator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Verification is what verify says of one store's current version.
type Verification struct {
	Target string
	Store  string
	KeyID  string
	// Foreign: the version is not ours, so KeyID names no key.
	Foreign bool
	TestCall
}

// Verify reads the current version of every store back and makes the test call with it.
// Targets and stores are asked side by side, so that one that does not answer holds up
// no other. It changes nothing.
func (r *Rotator) Verify(ctx context.Context, ts []Target) []Verification {
	return slices.Concat(each(r, ts, func(t Target, mark int) []Verification {
		return r.newRun(t, Request{}, mark).checks(ctx)
	})...)
}

// Test makes the test call that a value must pass before it is given to consumers of a
// target.
func (r *Rotator) Test(ctx context.Context, t Target, value secret.Value) TestCall {
	return t.Workspace.issuer.Test(ctx, value, t.Policy.Spec)
}

// checked is a store whose current version is verified.
type checked struct {
	Verification
	value secret.Value // zero if there is nothing to test
}

func (r *run) checks(ctx context.Context) []Verification {
	defer r.opts.Doing(r.target.Name, Step{})
	r.ReadOnly = true
	r.readAtOnce(ctx)
	all := make([]checked, len(r.Stores))
	sideBySide(len(all), func(i int) { all[i] = r.readCurrent(ctx, i) })
	alike := sameValues(all)
	sideBySide(len(alike), func(n int) { r.testCurrent(ctx, all, alike[n]) })
	out := make([]Verification, len(all))
	for i, c := range all {
		out[i] = c.Verification
	}
	return append(out, r.checkSenders(ctx)...)
}

// checkSenders compares what the senders send with what the primary store has. No delivery is
// sent for it: whether receivers accept that is not known.
func (r *run) checkSenders(ctx context.Context) (out []Verification) {
	if !r.Sent || r.primary().Err != nil { // then there is nothing to compare with, which is told of the store
		return nil
	}
	of := func(err error) []Verification {
		return []Verification{{Target: r.target.Name, Store: "webhooks", TestCall: TestCall{Err: err}}}
	}
	defer recovered(func(err error) { out = of(err) })
	if err := r.compareSenders(ctx, Step{}); err != nil {
		return of(err)
	}
	for _, s := range r.Senders {
		v := Verification{Target: r.target.Name, Store: s.Name}
		switch s.Carries {
		case CarriesCurrent, CarriesPrevious:
			v.KeyID, v.Verdict = r.primary().Versions[secretstore.Stage(s.Carries)].ID, Valid
		default:
			v.Err = fmt.Errorf("%w: it sends %s", ErrByHand, s.Carries)
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		return of(ErrNoSender)
	}
	return out
}

// sideBySide calls f with the numbers below n.
func sideBySide(n int, f func(int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// readCurrent reads what consumers of store i get.
func (r *run) readCurrent(ctx context.Context, i int) (c checked) {
	st := r.Stores[i]
	c.Target, c.Store = r.target.Name, st.Name
	defer recovered(func(err error) { c.Err = err })
	cur, ok := r.current(i)
	switch {
	case st.Err != nil:
		c.Err = st.Err
		return c
	case !ok:
		c.Verdict, c.Err = Invalid, secretstore.ErrNotFound
		return c
	}
	c.KeyID, c.Foreign = cur.ID, cur.Foreign
	read, err := within(ctx, func() (checked, error) {
		value, probe, err := r.readValue(ctx, Step{Verb: Verify, Store: i, ID: cur.ID})
		return checked{Verification{TestCall: probe}, value}, err
	})
	c.TestCall, c.value = read.TestCall, read.value
	if err != nil {
		c.Err = err
	}
	return c
}

// sameValues gives the stores whose values are to be tested, by value: consumers of
// several stores mostly get the same one.
func sameValues(all []checked) [][]int {
	var alike [][]int
	for i, c := range all {
		if c.value.IsZero() {
			continue
		}
		at := slices.IndexFunc(alike, func(of []int) bool { return all[of[0]].value.Equal(c.value) })
		if at < 0 {
			alike, at = append(alike, nil), len(alike)
		}
		alike[at] = append(alike[at], i)
	}
	return alike
}

// testCurrent makes the test call with the value that some stores share.
func (r *run) testCurrent(ctx context.Context, all []checked, stores []int) {
	names := make([]string, len(stores))
	for n, i := range stores {
		names[n] = all[i].Store
	}
	first := all[stores[0]]
	step := Step{Verb: Verify, Store: stores[0], ID: first.KeyID, Reason: "does the key work as store " + strings.Join(names, ", ") + " has it?"}
	r.opts.Doing(r.target.Name, step)
	var probe TestCall
	func() {
		defer recovered(func(err error) { probe = TestCall{Err: err} })
		probe = r.target.Workspace.issuer.Test(ctx, first.value, r.spec(step))
	}()
	for _, i := range stores {
		all[i].TestCall = probe
	}
}
