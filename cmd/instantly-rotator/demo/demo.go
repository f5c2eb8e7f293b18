// Package demo is the body of the command demo: the main job, shown at work in
// some nine seconds with nothing to configure.
//
// Everything in it is real but the vendor: HTTP over TCP on the loopback
// interface to the Instantly sandbox, the encrypted store in a temporary
// folder, the engine as the daemon runs it, and two apps that use the key all
// the while, as consumers do. Times are shortened by policy only. What happens
// is told step by step. The account at the end is made up from the records of
// the sandbox, of the apps and of the store; the engine is only asked when it
// promoted a key.
//
// In this package: story.go (what happens, in four chapters), world.go (sandbox,
// store), engine.go (an instance of the rotator), apps.go (the consumers),
// narrator.go and words.go (the telling), facts.go, rules.go and account.go
// (the reckoning). record/ draws what is told: recording.svg, which the README shows.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Options of a demonstration.
type Options struct {
	// Out is told the story, line by line.
	Out io.Writer
	// Color adds ANSI colours and a sign for each kind of line.
	Color bool
	// TempDir is the folder in which the demonstration makes its own, which it
	// removes at the end; [os.TempDir] if empty.
	TempDir string
}

// ErrRuleBroken: the rotator did something that it promises never to do, or did
// not do what it promises. The error's text says what.
var ErrRuleBroken = errors.New("a rule was broken")

// Run gives the demonstration, in about 9 seconds. It returns nil if everything
// that the rotator promises was kept, and an error that matches [ErrRuleBroken]
// if not. If ctx ends, everything is stopped and removed within a second, and
// the error wraps ctx's. Any other error is why the story could not be told to
// its end.
func Run(ctx context.Context, o Options) error {
	_, err := run(ctx, o, shortened())
	return err
}

// pace is how fast things go in the demonstration. Real ones take hours where
// this takes seconds; nothing else differs.
type pace struct {
	// grace of an old key, as the policy has it.
	grace time.Duration
	// lead is how long before a rotation by schedule its chapter begins.
	lead time.Duration
	// lag is how late a new key starts, and a revoked one stops, to work.
	lag time.Duration
	// budget is how long the engine waits for either, as the policy has it.
	budget time.Duration
	// retry is how soon the engine is run again after a run that failed.
	retry time.Duration
	// request is how often each app uses its key.
	request time.Duration
	// keep is how long the app that caches goes on with the key it has read.
	// It must be less than the grace period.
	keep time.Duration
}

func shortened() pace {
	return pace{
		grace:   1500 * time.Millisecond,
		lead:    1200 * time.Millisecond,
		lag:     200 * time.Millisecond,
		budget:  5 * time.Second,
		retry:   600 * time.Millisecond,
		request: 40 * time.Millisecond,
		keep:    700 * time.Millisecond,
	}
}

// run plays the story and reckons up. The story is given back for its records,
// nil if its world could not be made.
func run(ctx context.Context, o Options, p pace) (s *story, err error) {
	n := newNarrator(o.Out, o.Color)
	w, err := openWorld(ctx, o.TempDir, p)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, w.close()) }()

	s = newStory(w, n)
	played := s.play(ctx)
	s.apps.stop()
	if ctx.Err() == nil {
		s.known, err = s.gather(ctx)
	}
	if ctx.Err() != nil {
		n.plain("\nStopped: nothing is left running, and the temporary folder is removed.")
		return s, fmt.Errorf("demo stopped: %w", ctx.Err())
	}
	if err = errors.Join(played, err); err != nil {
		n.say(bad, "story", n.labelled(err.Error()))
		err = fmt.Errorf("demo: %w", err)
	}
	return s, errors.Join(err, conclude(n, s.known))
}

// conclude shows the account and gives the verdict.
func conclude(n *narrator, f facts) error {
	broken := breaches(f)
	n.account(reckon(f), broken)
	if len(broken) == 0 {
		return nil
	}
	return fmt.Errorf("demo: %w: %s", ErrRuleBroken, strings.Join(broken, "; "))
}
