package demo

import (
	"context"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

// What the tests use of the package.
type (
	Facts     = facts
	Account   = account
	Use       = use
	Promotion = promotion
)

const (
	Answered    = answered
	Refused     = refused
	Unavailable = unavailable
	Failed      = failed
)

func Reckon(f Facts) Account    { return reckon(f) }
func Breaches(f Facts) []string { return breaches(f) }
func Promises() (promises []string) {
	for _, r := range rules() {
		promises = append(promises, r.promise)
	}
	return promises
}

// Played is a demonstration that is over.
type Played struct {
	Facts   Facts
	Sandbox *sandbox.Server
	Owner   string // that the names of the rotator's keys begin with
}

// Play is Run, and gives its records.
func Play(ctx context.Context, o Options) (Played, error) {
	return played(run(ctx, o, shortened()))
}

// PlayCaching is Play with an app that goes on for keep with a key it has read.
func PlayCaching(ctx context.Context, o Options, keep time.Duration) (Played, error) {
	p := shortened()
	p.keep = keep
	return played(run(ctx, o, p))
}

func played(s *story, err error) (Played, error) {
	if s == nil {
		return Played{}, err
	}
	return Played{Facts: s.known, Sandbox: s.world.sandbox, Owner: owner}, err
}
