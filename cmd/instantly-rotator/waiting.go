package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/idle"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// silence is how long a command may take without saying what it waits for, and
// reminder after how long it says so again.
const (
	silence  = time.Second
	reminder = 10 * time.Second
)

// afterSilence says on standard error what is waited for, until the returned function
// is called.
func (a *app) afterSilence(what func() string) (stop func()) {
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		next, said := time.NewTimer(silence), ""
		defer next.Stop()
		for {
			select {
			case <-done:
				return
			case <-next.C:
			}
			if text := what(); text != "" && text != said {
				fmt.Fprintln(a.stderr, text)
				said = text
			}
			next.Reset(reminder)
		}
	})
	return func() {
		close(done)
		ended.Wait()
	}
}

// defaultTimeout is how long a command waits for Instantly and the stores by itself.
const defaultTimeout = 4 * time.Second

// waitingFleet makes what the named targets need, for a command that has much to find
// out: it says what it waits for, and ctx ends when nothing was answered for timeout.
// end is called when it is done.
func (a *app) waitingFleet(parent context.Context, names []string, timeout time.Duration) (f *fleet.Fleet, ctx context.Context, end func(), err error) {
	if timeout <= 0 {
		return nil, nil, nil, usageError{fmt.Errorf("--timeout %s: want a time above 0", timeout)}
	}
	const opening = "admin keys"
	doing := errands{of: map[string]string{opening: "read from where they are"}}
	stop := a.afterSilence(doing.String)
	waited, cancel := idle.New(parent, timeout)
	f, err = a.quickFleet(waited, names, timeout, func(o *fleet.Options) {
		o.Doing = func(target string, s rotator.Step) {
			waited.Moved()
			doing.begun(target, s)
		}
		o.Called = func(_ string, c instantly.Call) {
			if fleet.Trouble(c, time.Time{}) == "" {
				waited.Moved()
			}
		}
	})
	if err != nil {
		cancel()
		stop()
		return nil, nil, nil, err
	}
	waited.Moved()
	doing.begun(opening, rotator.Step{})
	return f, waited, func() {
		stop()
		f.Close()
		cancel()
	}, nil
}

// quickFleet makes what the named targets need, for a command that only reads. Stores
// that give admin keys get half of the time, so that the others are still asked.
func (a *app) quickFleet(ctx context.Context, names []string, timeout time.Duration, with func(*fleet.Options)) (*fleet.Fleet, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout/2)
	defer cancel()
	return a.openFleet(ctx, names, true, with)
}

// interrupted ends a command that changes nothing: what it has found out by then is not
// worth showing.
func (a *app) interrupted() error {
	fmt.Fprintln(a.stderr, "interrupted")
	return errInterrupted
}

// errands are what is being found out, by target.
type errands struct {
	mu sync.Mutex
	of map[string]string
}

// begun takes note of a step; one without a verb says that the target is done.
func (e *errands) begun(target string, s rotator.Step) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.Verb == "" {
		delete(e.of, target)
		return
	}
	e.of[target] = s.Reason
}

// String says what is waited for, what concerns most targets first.
func (e *errands) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	targets := map[string][]string{}
	for target, reason := range e.of {
		targets[reason] = append(targets[reason], target)
	}
	return waitingFor(targets)
}

// waitingFor says of each reason what waits for it.
func waitingFor(targets map[string][]string) string {
	reasons := slices.SortedFunc(maps.Keys(targets), func(x, y string) int {
		return 2*(len(targets[y])-len(targets[x])) + strings.Compare(x, y)
	})
	var said []string
	for _, reason := range reasons {
		slices.Sort(targets[reason])
		said = append(said, fmt.Sprintf("waiting: %s: %s", someOf(targets[reason]), reason))
	}
	return strings.Join(said, "\n")
}

// someOf names as many as one reads, and counts the others.
func someOf(names []string) string {
	const most = 3
	if len(names) <= most+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
