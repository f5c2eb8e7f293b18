// Package memsink is a place in memory that takes a key, as a sink: for tests, and for
// people's hands in them.
package memsink

import (
	"context"
	"sync"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// A Place keeps the value that it was given last.
type Place struct {
	name string
	kind Kind

	mu           sync.Mutex
	value        secret.Value
	mark         string
	puts, checks int
	works        func(value secret.Value) error
}

// Kind says what a place can tell, and what its name does not say of it.
type Kind struct {
	Where string
	// Marked: which version it has. Checked: whether what uses it works.
	Marked, Checked bool
}

// New makes a place that has nothing. Until [Place.Use] says otherwise, what uses it works.
func New(name string, k Kind) *Place {
	return &Place{name: name, kind: k, works: func(secret.Value) error { return nil }}
}

// Name is that of its sink.
func (p *Place) Name() string { return p.name }

// Use lets works say whether what uses the place works with a value.
func (p *Place) Use(works func(value secret.Value) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.works = works
}

// Set changes the value, and the mark beside it, by hand.
func (p *Place) Set(value secret.Value, mark string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.value, p.mark = value, mark
}

// Value is what users of the place get.
func (p *Place) Value() secret.Value {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.value
}

// Mark is the version that was put last, whether or not its sink can tell.
func (p *Place) Mark() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mark
}

// Puts counts how often it was given a value.
func (p *Place) Puts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.puts
}

// Checks counts how often it was asked whether what uses it works.
func (p *Place) Checks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.checks
}

// An Around makes a call, or fails it, before its effect or after.
type Around func(ctx context.Context, call string, effect func() error) error

// Open gives the place's sink, whose calls go through around: "supply", "holds" and "works".
func (p *Place) Open(around Around) sink.Sink {
	blind := opened{p, around}
	switch {
	case p.kind.Marked && p.kind.Checked:
		return struct {
			opened
			marked
			checked
		}{blind, marked{p, around}, checked{p, around}}
	case p.kind.Marked:
		return struct {
			opened
			marked
		}{blind, marked{p, around}}
	case p.kind.Checked:
		return struct {
			opened
			checked
		}{blind, checked{p, around}}
	default:
		return blind
	}
}

// Direct makes calls as they are.
func Direct(ctx context.Context, _ string, effect func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return effect()
}

type opened struct {
	place  *Place
	around Around
}

// Where implements [sink.Placed].
func (o opened) Where() string { return o.place.kind.Where }

// Name implements [sink.Sink].
func (o opened) Name() string { return o.place.name }

// Put implements [sink.Sink].
func (o opened) Put(ctx context.Context, version string, value secret.Value) error {
	return o.around(ctx, "supply", func() error {
		o.place.mu.Lock()
		defer o.place.mu.Unlock()
		o.place.value, o.place.mark = value, version
		o.place.puts++
		return nil
	})
}

type marked struct {
	at   *Place
	call Around
}

// Holds implements [sink.Holder].
func (m marked) Holds(ctx context.Context) (version string, err error) {
	err = m.call(ctx, "holds", func() error {
		version = m.at.Mark()
		return nil
	})
	return version, err
}

type checked struct {
	of   *Place
	call Around
}

// Check implements [sink.Checker].
func (c checked) Check(ctx context.Context, _ string) error {
	return c.call(ctx, "works", func() error {
		c.of.mu.Lock()
		c.of.checks++
		works, value := c.of.works, c.of.value
		c.of.mu.Unlock()
		return works(value)
	})
}
