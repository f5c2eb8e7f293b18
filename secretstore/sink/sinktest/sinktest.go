// Package sinktest checks that a sink keeps the contract of package sink. Every kind
// passes it, on a stand-in of its service.
package sinktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// Place is a stand-in for one place, with nothing put there yet.
type Place struct {
	// Open opens its sink, as a process that has just begun.
	Open func(t *testing.T) sink.Sink
	// Has gives the value that what uses the place gets now; empty if there is none.
	Has func() secret.Value
	// Spoil has call n from now fail, counted from 1. What it gives tells whether that call
	// came, and ends the spoiling. Nil: the kind has no calls that could fail like that.
	Spoil func(n int, f Fault) (hit func() bool)
	// ByHand puts a value there as a person does, beside the sink; nil if that cannot be
	// seen by the sink.
	ByHand func(secret.Value)
}

// Fault is what happens to one call.
type Fault string

// Unreached never gets there; Lost has its effect, and the answer does not come; Hangs is
// not answered until the caller gives up. The others are answers, whose bodies repeat
// what was sent.
const (
	Unreached Fault = "unreached"
	Lost      Fault = "answer lost"
	Hangs     Fault = "hangs"
	Denied    Fault = "403"
	Refused   Fault = "401"
	Missing   Fault = "404"
	TooMany   Fault = "429"
	Broken    Fault = "500"
	Down      Fault = "503"
)

// wants gives the sentinel that a fault's error must wrap.
func wants() map[Fault]error {
	return map[Fault]error{
		Unreached: secretstore.ErrUnavailable, Lost: secretstore.ErrUnavailable, Hangs: secretstore.ErrUnavailable,
		Denied: secretstore.ErrDenied, Refused: secretstore.ErrDenied, Missing: secretstore.ErrNotFound,
		TooMany: secretstore.ErrUnavailable, Broken: secretstore.ErrUnavailable, Down: secretstore.ErrUnavailable,
	}
}

// Canary stands in every body that a fault answers with.
const Canary = "canary-5c1b"

// Two keys and their values, whose first four bytes are the canary of masked values.
const (
	idA, idB = "0193a5b2-aaaa-7000-8000-00000000000a", "0193a5b2-bbbb-7000-8000-00000000000b"
)

func valueA() secret.Value { return secret.New(`Qz7Ka"<1>\` + "A-4f0c9e21d8b7") }
func valueB() secret.Value { return secret.New(`Xw3Jb'&2>/` + "B-77e1c05a93d2") }

// claim is one thing that the contract says.
type claim struct {
	name  string
	check func(*trial)
}

func claims() []claim {
	return []claim{
		{"A name is short, says nothing secret and is the same for good", checkName},
		{"What was put is what is used", checkPut},
		{"Putting the same twice is harmless", checkTwice},
		{"Putting another version replaces the value", checkReplace},
		{"A place to which nothing was put holds nothing", checkHoldsNothing},
		{"What was put is held, by another process too", checkHolds},
		{"To ask what is held changes nothing", checkHoldsChangesNothing},
		{"What works is told at once", checkCheck},
		{"A put that was cut short at any call is not vouched for, and is repeated", checkCutShort},
		{"A put back to the version of before, cut short at any call, is not vouched for", checkCutShortBack},
		{"Each failure has its sentinel", checkSentinels},
		{"A call that hangs ends with its context", checkHangs},
		{"Nothing is put when it was called off before", checkCancelled},
		{"A value that somebody changed is not vouched for", checkByHand},
	}
}

// Run checks a kind of sink, each claim on a place of its own.
func Run(t *testing.T, open func(t *testing.T) *Place) {
	t.Helper()
	for _, c := range claims() {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			p := open(t)
			c.check(&trial{T: t, place: p, open: open, sink: p.Open(t)})
		})
	}
}

// trial is one claim's.
type trial struct {
	*testing.T
	place *Place
	open  func(t *testing.T) *Place
	sink  sink.Sink
}

func (tr *trial) put(id string, v secret.Value) {
	tr.Helper()
	if err := tr.sink.Put(tr.Context(), id, v); err != nil {
		tr.wantNoSecret(err)
		tr.Fatalf("put %s: %v", id, err)
	}
}

func (tr *trial) wantHas(v secret.Value) {
	tr.Helper()
	if !tr.place.Has().Equal(v) {
		tr.Errorf("the place does not have the value that was put")
	}
}

// held asks what is there; told is whether the sink can tell.
func (tr *trial) held() (id string, told bool) {
	tr.Helper()
	h, ok := tr.sink.(sink.Holder)
	if !ok {
		return "", false
	}
	id, err := h.Holds(tr.Context())
	if err != nil {
		tr.wantNoSecret(err)
		tr.Fatalf("holds: %v", err)
	}
	return id, true
}

func (tr *trial) wantHeld(want string) {
	tr.Helper()
	if id, told := tr.held(); told && id != want {
		tr.Errorf("holds %q, want %q", id, want)
	}
}

// wantNoSecret wants an error without a value, the start of one or a body.
func (tr *trial) wantNoSecret(err error) {
	tr.Helper()
	WantNoSecret(tr.T, err, valueA(), valueB())
}

// WantNoSecret wants an error, and all that it wraps, without a value, its first or last four bytes, or a body.
func WantNoSecret(t *testing.T, err error, values ...secret.Value) {
	t.Helper()
	for _, text := range texts(err) {
		if strings.Contains(text, Canary) {
			t.Errorf("a body in an error: %s", text)
		}
		for _, v := range values {
			plain := v.Reveal()
			if v.IsIn(text) || strings.Contains(text, plain[:4]) || strings.Contains(text, plain[len(plain)-4:]) {
				t.Errorf("a value, or a part of one, in an error: %s", text)
			}
		}
	}
}

// texts are the forms in which an error and its causes are printed.
func texts(err error) []string {
	if err == nil {
		return nil
	}
	out := []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)}
	switch wrapped := err.(type) { //nolint:errorlint // it is the causes that are walked through
	case interface{ Unwrap() error }:
		out = append(out, texts(wrapped.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, cause := range wrapped.Unwrap() {
			out = append(out, texts(cause)...)
		}
	}
	return out
}

func checkName(tr *trial) {
	name := tr.sink.Name()
	if name == "" || len(name) > 64 || strings.ContainsAny(name, " \t\n") {
		tr.Errorf("name %q", name)
	}
	tr.put(idA, valueA())
	if again := tr.place.Open(tr.T).Name(); again != name {
		tr.Errorf("name %q, opened again %q", name, again)
	}
}

func checkPut(tr *trial) {
	tr.put(idA, valueA())
	tr.wantHas(valueA())
}

func checkTwice(tr *trial) {
	tr.put(idA, valueA())
	tr.put(idA, valueA())
	tr.sink = tr.place.Open(tr.T)
	tr.put(idA, valueA())
	tr.wantHas(valueA())
	tr.wantHeld(idA)
}

func checkReplace(tr *trial) {
	tr.put(idA, valueA())
	tr.put(idB, valueB())
	tr.wantHas(valueB())
	tr.wantHeld(idB)
}

func checkHoldsNothing(tr *trial) { tr.wantHeld("") }

func checkHolds(tr *trial) {
	for _, v := range []struct {
		id    string
		value secret.Value
	}{{idA, valueA()}, {idB, valueB()}, {idA, valueA()}} {
		tr.put(v.id, v.value)
		tr.wantHeld(v.id)
		tr.sink = tr.place.Open(tr.T)
		tr.wantHeld(v.id)
	}
}

func checkHoldsChangesNothing(tr *trial) {
	tr.put(idA, valueA())
	for range 3 {
		tr.wantHeld(idA)
	}
	tr.wantHas(valueA())
}

func checkCheck(tr *trial) {
	c, ok := tr.sink.(sink.Checker)
	if !ok {
		tr.Skip("the kind cannot tell whether the value works")
	}
	tr.put(idA, valueA())
	if err := c.Check(tr.Context(), idA); err != nil {
		tr.Errorf("check: %v", err)
	}
}

// most is more calls than any sink makes for a put.
const most = 20

// cutShort has a put of B, after A, fail at each of its calls in turn, and wants each
// to be repeated well.
func (tr *trial) cutShort(before func(), id string, v secret.Value) {
	tr.Helper()
	if tr.place.Spoil == nil {
		tr.Skip("the kind has no calls that could fail")
	}
	for _, f := range []Fault{Unreached, Lost, Broken} {
		for n := 1; ; n++ {
			if n == most {
				tr.Fatalf("%d calls for a put", n)
			}
			tr.place = tr.open(tr.T)
			tr.sink = tr.place.Open(tr.T)
			before()
			if !tr.failedAt(n, f, id, v) {
				if n == 1 {
					tr.Fatalf("%s: no call was made", f)
				}
				break
			}
		}
	}
}

// failedAt has one put fail at its call n; false if it made fewer.
func (tr *trial) failedAt(n int, f Fault, id string, v secret.Value) bool {
	tr.Helper()
	hit := tr.place.Spoil(n, f)
	if hit == nil {
		tr.Skipf("the kind has no call that could be %s", f)
	}
	err := tr.sink.Put(tr.Context(), id, v)
	if !hit() {
		if err != nil {
			tr.Fatalf("put without a fault: %v", err)
		}
		return false
	}
	tr.wantNoSecret(err)
	if err == nil { // it may have found out otherwise that it is there
		tr.wantHas(v)
		tr.wantHeld(id)
	} else if !errors.Is(err, wants()[f]) {
		tr.Errorf("%s at call %d: %v, want %v", f, n, err, wants()[f])
	}
	if held, told := tr.held(); told && held == id && !tr.place.Has().Equal(v) {
		tr.Errorf("%s at call %d: vouched for a value that is not there", f, n)
	}
	tr.sink = tr.place.Open(tr.T)
	tr.put(id, v)
	tr.wantHas(v)
	tr.wantHeld(id)
	return true
}

func checkCutShort(tr *trial) {
	tr.cutShort(func() { tr.put(idA, valueA()) }, idB, valueB())
}

// checkCutShortBack: what was held once is put again. No mark of then may count.
func checkCutShortBack(tr *trial) {
	tr.cutShort(func() { tr.put(idA, valueA()); tr.put(idB, valueB()) }, idA, valueA())
}

func checkSentinels(tr *trial) {
	if tr.place.Spoil == nil {
		tr.Skip("the kind has no calls that could fail")
	}
	tr.put(idA, valueA())
	told := 0
	for _, f := range []Fault{Denied, Refused, Missing, TooMany, Broken, Down} {
		// The first call of each method.
		for what, call := range map[string]func() error{
			"put":   func() error { return tr.sink.Put(tr.Context(), idB, valueB()) },
			"holds": func() error { return holds(tr.Context(), tr.sink) },
		} {
			tr.sink = tr.place.Open(tr.T)
			hit := tr.place.Spoil(1, f)
			if hit == nil {
				continue
			}
			err := call()
			if !hit() {
				continue
			}
			told++
			tr.wantNoSecret(err)
			if f == Missing && err == nil {
				if what == "put" { // what was missing was made
					tr.wantHas(valueB())
				}
				continue // or nothing is held
			}
			if !errors.Is(err, wants()[f]) {
				tr.Errorf("%s, answered %s: %v, want %v", what, f, err, wants()[f])
			}
		}
	}
	if told == 0 {
		tr.Skip("the kind's calls cannot be refused")
	}
}

func holds(ctx context.Context, s sink.Sink) error {
	if h, ok := s.(sink.Holder); ok {
		_, err := h.Holds(ctx)
		return err
	}
	return nil
}

func checkHangs(tr *trial) {
	if tr.place.Spoil == nil {
		tr.Skip("the kind has no calls that could fail")
	}
	hit := tr.place.Spoil(1, Hangs)
	if hit == nil {
		tr.Skip("the kind has no call that could hang")
	}
	ctx, cancel := context.WithTimeout(tr.Context(), 50*time.Millisecond)
	defer cancel()
	err := tr.sink.Put(ctx, idA, valueA())
	if !hit() {
		tr.Fatal("no call was made")
	}
	tr.wantNoSecret(err)
	if !errors.Is(err, secretstore.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		tr.Errorf("got %v", err)
	}
}

func checkCancelled(tr *trial) {
	tr.put(idA, valueA())
	ctx, cancel := context.WithCancel(tr.Context())
	cancel()
	err := tr.sink.Put(ctx, idB, valueB())
	tr.wantNoSecret(err)
	if !errors.Is(err, secretstore.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		tr.Errorf("got %v", err)
	}
	tr.wantHas(valueA())
	tr.wantHeld(idA)
}

func checkByHand(tr *trial) {
	if tr.place.ByHand == nil {
		tr.Skip("the kind cannot see that a value was changed by hand")
	}
	tr.put(idA, valueA())
	tr.place.ByHand(secret.New("somebody's own value"))
	if held, told := tr.held(); told && held != "" {
		tr.Errorf("holds %q after somebody changed the value", held)
	}
	tr.put(idA, valueA())
	tr.wantHas(valueA())
	tr.wantHeld(idA)
}

// Claims lists what is checked.
func Claims() []string {
	var names []string
	for _, c := range claims() {
		names = append(names, c.name)
	}
	return slices.Clip(names)
}
