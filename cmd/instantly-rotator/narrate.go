package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// A narrator says what a rotation is at, while it happens: at a terminal each step in a
// line, or with many targets a bar for all of them; elsewhere the log has the steps. What
// takes longer is said in either, with the reason.
type narrator struct {
	now func() time.Time
	end func() // ends it; more than once is fine

	mu      sync.Mutex
	step    func(e rotator.Event, said string) // a step was taken; nil if the log says so
	wait    func(target, said string)          // something takes long
	at      map[string]errand                  // what each target is at
	trouble map[string]trouble                 // of workspaces whose API does not answer
}

// An errand is a step that was begun, and is not done.
type errand struct {
	rotator.Step
	since time.Time // when the target began to be at it
	told  time.Time // when that was last said
}

type trouble struct {
	said  string
	first time.Time
}

const (
	// firstWord is after how long it is said what a target is at, and nextWord after
	// how long again.
	firstWord = 1500 * time.Millisecond
	nextWord  = 5 * time.Second
)

// newNarrator begins to narrate; whoever calls it ends it.
func newNarrator(now func() time.Time) *narrator {
	n := &narrator{now: now, wait: func(string, string) {}, at: map[string]errand{}, trouble: map[string]trouble{}}
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		every := time.NewTicker(firstWord / 3)
		defer every.Stop()
		for {
			select {
			case <-done:
				return
			case <-every.C:
				n.remind()
			}
		}
	})
	n.end = sync.OnceFunc(func() {
		close(done)
		ended.Wait()
	})
	return n
}

// speak sets who is told from now on.
func (n *narrator) speak(step func(e rotator.Event, said string), wait func(target, said string)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.step, n.wait = step, wait
}

// observe is told of each step that was taken.
func (n *narrator) observe(e rotator.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if said := fleet.Said(e); said != "" && n.step != nil && !repeated(e) {
		n.step(e, said)
	}
}

// repeated tells whether a step is one of many that say the same: then it is told what
// is waited for, every few seconds.
func repeated(e rotator.Event) bool {
	return e.Verb == rotator.Prove && e.Verdict == rotator.Valid.String() && !e.Since.IsZero()
}

// doing is told of each step that is begun.
func (n *narrator) doing(target string, s rotator.Step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	was, now := n.at[target], n.now()
	switch {
	case s.Verb == "":
		delete(n.at, target)
	case s.Verb == was.Verb && s.ID == was.ID && s.Reason == was.Reason:
		was.Step = s
		n.at[target] = was
	default:
		n.at[target] = errand{Step: s, since: now}
	}
}

// called is told of each call at Instantly.
func (n *narrator) called(workspace string, c instantly.Call) {
	n.mu.Lock()
	defer n.mu.Unlock()
	first := n.now()
	if t, ok := n.trouble[workspace]; ok {
		first = t.first
	}
	if said := fleet.Trouble(c, first); said != "" {
		n.trouble[workspace] = trouble{said, first}
		return
	}
	delete(n.trouble, workspace)
}

// remind says what targets are at for long: those that are at the same, together.
func (n *narrator) remind() {
	n.mu.Lock()
	defer n.mu.Unlock()
	now, late := n.now(), map[string][]string{}
	for _, target := range slices.Sorted(maps.Keys(n.at)) {
		e := n.at[target]
		if now.Sub(e.since) < firstWord || now.Sub(e.told) < nextWord {
			continue
		}
		e.told = now
		n.at[target] = e
		said := fleet.Awaited(e.Step, e.since, now)
		late[said] = append(late[said], target)
	}
	for _, said := range slices.Sorted(maps.Keys(late)) {
		n.wait(someOf(late[said]), strings.Join(append([]string{said}, n.troubles()...), "; "))
	}
}

func (n *narrator) troubles() []string {
	var all []string
	for _, ws := range slices.Sorted(maps.Keys(n.trouble)) {
		all = append(all, "workspace "+ws+": "+n.trouble[ws].said)
	}
	return all
}

// narratedFleet makes what the named targets need, and lets n know what becomes of them.
// At a terminal it is the narrator who tells, unless the log was asked for.
func (a *app) narratedFleet(ctx context.Context, names []string, n *narrator) (*fleet.Fleet, error) {
	log, err := a.logger()
	if err != nil {
		return nil, err
	}
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	log = a.narrateTo(n, log)
	const opening = "admin keys"
	n.doing(opening, rotator.Step{Verb: rotator.Observe, Reason: "read from where they are"})
	defer n.doing(opening, rotator.Step{})
	o := a.fleetOptions(cfg, log, false)
	o.Observe, o.Doing, o.Called = n.observe, n.doing, n.called
	return fleet.Named(ctx, o, names)
}

// narrateTo says where the steps and what they wait for are told: in lines at a terminal, in
// place of the log, and in the log elsewhere. Of a log that tells less, what is waited for
// is said beside it, as other commands do, and that an incident is noted.
func (a *app) narrateTo(n *narrator, log *zap.Logger) *zap.Logger {
	if terminal(a.stderr) && a.logLevel == "" {
		a.narrateInLines(n)
		return zap.NewNop()
	}
	if !log.Core().Enabled(zap.InfoLevel) {
		n.speak(func(e rotator.Event, said string) {
			if e.Verb == rotator.Declare {
				fmt.Fprintf(a.stderr, "%s: %s\n", e.Target, said)
			}
		}, func(target, said string) { fmt.Fprintf(a.stderr, "waiting: %s: %s\n", target, said) })
		return log
	}
	n.speak(nil, func(target, said string) {
		log.Info("waiting", zap.String("target", target), zap.String("summary", said))
	})
	return log
}

// narrateInLines gives each step a line.
func (a *app) narrateInLines(n *narrator) {
	n.speak(func(e rotator.Event, said string) { fmt.Fprintln(a.stderr, n.line("•", e.Target, said)) },
		func(target, said string) { fmt.Fprintln(a.stderr, n.line("…", target, said)) })
}

// line is what is said with the time and a sign: • for what was done, … for what lasts.
func (n *narrator) line(sign, target, said string) string {
	return fmt.Sprintf("%s %s %s: %s", n.now().UTC().Format("15:04:05Z"), sign, target, said)
}

// narrateBesideBar says above the bar why it stands still, and of the steps only what
// somebody must act on at once. In the bar itself it would be cut off.
func (a *app) narrateBesideBar(n *narrator, bar progressBar, incident bool) {
	n.speak(func(e rotator.Event, said string) {
		if incident && e.Verb == rotator.Promote {
			bar.writer.Log("%s", n.line("•", e.Target, said))
		}
	}, func(target, said string) { bar.writer.Log("%s", n.line("…", target, said)) })
}
