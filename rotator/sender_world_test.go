package rotator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/rotator/webhooksecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const settleTime = 10 * time.Minute

// post is a world in which a secret is sent: senders, what they deliver, and the receivers.
// It judges after every outside call: every sender delivers then, and each delivery must be
// accepted, by who has just read the store and by who reads it as late as is allowed.
type post struct {
	t       testing.TB
	stores  []*memstore.Store
	senders []*sender
	policy  rotator.Policy
	gates   []rotator.Gate

	history    []given
	violations []string
}

// given are the values that a store gave receivers since then.
type given struct {
	since  time.Time
	values []string
}

// sender is one with its receiver.
type sender struct {
	id, value string
	off       bool
	offSince  time.Time
	// lag is how long ago the receiver may have read the store; blind: it does not read it any
	// more, and accepts what it knew then, for good or until then; down: it does not answer.
	lag        time.Duration
	blind      []string
	blindUntil time.Time
	down       bool
	// refused counts deliveries that a blind receiver refused.
	refused int
}

const byHandValue = "set-by-hand"

func newPost(t testing.TB, stores int, senders ...*sender) *post {
	p := &post{t: t, senders: senders, policy: rotator.Policy{
		Owner: rotatortest.Owner, Spec: webhooksecret.Spec, Schedule: every(rotatortest.Interval),
		Grace: rotatortest.Grace, Activation: time.Minute, Settle: settleTime,
	}}
	for range stores {
		p.stores = append(p.stores, memstore.New(""))
	}
	p.judge("the beginning")
	return p
}

// every is a schedule that ticks an interval after the promotion.
type every time.Duration

// Next implements [rotator.Schedule].
func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }

// values that a store gives: the current one and the previous one.
func (p *post) values(i int) (values []string) {
	for _, stage := range []secretstore.Stage{secretstore.Current, secretstore.Previous} {
		for _, h := range p.stores[i].Contents() {
			if h.Stage == stage {
				values = append(values, h.Value.Reveal())
			}
		}
	}
	return values
}

// common are those that every store gives: a receiver may read any of them.
func (p *post) common() []string {
	values := p.values(0)
	for i := range p.stores {
		values = slices.DeleteFunc(values, func(v string) bool { return !slices.Contains(p.values(i), v) })
	}
	return values
}

// judge has every sender deliver now.
func (p *post) judge(after string) {
	now := time.Now()
	values := p.common()
	if len(values) == 0 {
		values = []string{byHandValue} // what receivers were given before there was a rotator
	}
	if len(p.history) == 0 || !slices.Equal(p.history[len(p.history)-1].values, values) {
		p.history = append(p.history, given{now, values})
	}
	for _, s := range p.senders {
		switch {
		case s.off || s.value == "":
		case s.isBlind(now) && !slices.Contains(s.blind, s.value):
			s.refused++
		case !s.isBlind(now) && !s.accepts(p, now):
			p.violations = append(p.violations, fmt.Sprintf("after %s a delivery of %s is refused for its secret", after, s.id))
		}
	}
}

func (s *sender) isBlind(now time.Time) bool {
	return s.blind != nil && (s.blindUntil.IsZero() || now.Before(s.blindUntil))
}

// accepts tells whether a delivery is accepted by who has just read the store, and by who
// reads late.
func (s *sender) accepts(p *post, now time.Time) bool {
	if s.isBlind(now) {
		return slices.Contains(s.blind, s.value)
	}
	return slices.Contains(p.known(now), s.value) && slices.Contains(p.known(now.Add(-s.lag)), s.value)
}

// known are the values that a receiver has which read the store then.
func (p *post) known(then time.Time) []string {
	known := p.history[0].values
	for _, g := range p.history {
		if !g.since.After(then) {
			known = g.values
		}
	}
	return known
}

// process is one instance of the rotator in the world.
type process struct {
	*post
	hook    rotatortest.Hook
	rotator *rotator.Rotator
	verbs   []string
}

func (p *post) start(hook rotatortest.Hook) *process {
	if hook == nil {
		hook = func(string, rotatortest.When) error { return nil }
	}
	in := &process{post: p, hook: hook}
	in.rotator = rotator.New(rotator.Options{InTurn: true, Observe: func(e rotator.Event) {
		if !slices.Contains([]rotator.Verb{rotator.List, rotator.Observe, rotator.Check, rotator.Compare, rotator.Settled}, e.Verb) {
			in.verbs = append(in.verbs, string(e.Verb))
		}
	}})
	return in
}

func (in *process) intercept(call string, when rotatortest.When) error {
	if when == rotatortest.After {
		in.judge(call)
	}
	return in.hook(call, when)
}

func (in *process) target() rotator.Target {
	t := rotator.Target{
		Name: "replies", Workspace: rotator.NewWorkspace("acme", webhooksecret.Issuer{Now: time.Now}, ""),
		Policy: in.policy, Senders: in, Gates: in.gates,
	}
	for i, s := range in.stores {
		t.Stores = append(t.Stores, rotator.NamedStore{Name: fmt.Sprintf("s%d", i), Store: rotatortest.Tap(s, in.intercept)})
	}
	return t
}

func (in *process) run(req rotator.Request) rotator.Result {
	return in.rotator.Reconcile(context.Background(), in.target(), req)
}

// call makes an outside call.
func (in *process) call(ctx context.Context, name string, effect func() error) error {
	if err := in.intercept(name, rotatortest.Before); err != nil {
		return err
	}
	if err := errors.Join(ctx.Err(), effect()); err != nil {
		return err
	}
	return in.intercept(name, rotatortest.After)
}

func (in *process) Senders(ctx context.Context) (seen []rotator.Sender, err error) {
	err = in.call(ctx, "senders", func() error {
		for _, s := range in.senders {
			shown := rotator.Sender{ID: s.id, Name: "webhook " + s.id, Off: s.off, OffSince: s.offSince}
			if s.value != "" {
				shown.Value = secret.New(s.value)
			}
			seen = append(seen, shown)
		}
		return nil
	})
	return seen, err
}

func (in *process) of(id string) *sender {
	return in.senders[slices.IndexFunc(in.senders, func(s *sender) bool { return s.id == id })]
}

func (in *process) Switch(ctx context.Context, seen rotator.Sender, value secret.Value) error {
	return in.call(ctx, "switch", func() error {
		s := in.of(seen.ID)
		if seen.Value.IsZero() != (s.value == "") || !seen.Value.IsZero() && seen.Value.Reveal() != s.value {
			return rotator.ErrByHand
		}
		if s.value = ""; !value.IsZero() {
			s.value = value.Reveal()
		}
		return nil
	})
}

var errAnswer = errors.New("it answered 401")

func (in *process) Confirm(ctx context.Context, seen rotator.Sender, _ time.Time) (got rotator.TestCall) {
	err := in.call(ctx, "confirm", func() error {
		switch s := in.of(seen.ID); {
		case s.down:
			got = rotator.TestCall{Err: errors.New("no answer")}
		case s.value == "" || s.accepts(in.post, time.Now()):
			got = rotator.TestCall{Verdict: rotator.Valid}
		default:
			got = rotator.TestCall{Verdict: rotator.Invalid, Err: errAnswer}
		}
		return nil
	})
	if err != nil {
		return rotator.TestCall{Err: err}
	}
	return got
}

func (in *process) Refused(ctx context.Context, seen rotator.Sender, _ time.Time) (refused bool, err error) {
	err = in.call(ctx, "refused", func() error {
		refused = in.of(seen.ID).refused > 0
		return nil
	})
	return refused, err
}

func (in *process) Resume(ctx context.Context, seen rotator.Sender) error {
	return in.call(ctx, "resume", func() error {
		in.of(seen.ID).off = false
		return nil
	})
}

// live runs one process after the other for that long, each when the one before said, or
// three minutes after one that failed.
func (p *post) live(d time.Duration, hook rotatortest.Hook, born func()) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		born()
		res := p.start(hook).run(rotator.Request{})
		next := res.Next
		if res.Err != nil || next.IsZero() {
			next = time.Now().Add(3 * time.Minute)
		}
		if next.After(end) {
			next = end
		}
		time.Sleep(max(time.Until(next), time.Second))
	}
}

// check judges a world with nothing left to do.
func (p *post) check() (verdict string) {
	for _, s := range p.senders {
		if cur := p.values(0)[0]; s.value != cur {
			p.violations = append(p.violations, s.id+" does not send the current value in the end")
		}
		if s.off {
			p.violations = append(p.violations, s.id+" is off in the end")
		}
	}
	for i := range p.stores {
		if n := len(p.stores[i].Contents()); n != 1 {
			p.violations = append(p.violations, fmt.Sprintf("store %d has %d versions in the end", i, n))
		}
	}
	return strings.Join(p.violations, "\n  ")
}
