package rotator_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// posted tells a story of senders that send the current value already, adopted.
func posted(t *testing.T, stores int, senders []*sender, tell func(t *testing.T, p *post)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		for _, s := range senders {
			s.value = byHandValue
		}
		p := newPost(t, stores, senders...)
		if res := p.start(nil).run(takeOver()); res.Err != nil || res.Adopted == "" || res.Rotated {
			t.Fatalf("adopted %q: %v", res.Adopted, res.Err)
		}
		time.Sleep(2 * settleTime)
		tell(t, p)
		for _, v := range p.violations {
			t.Error(v)
		}
	})
}

func takeOver() rotator.Request { return rotator.Request{TakeOver: true, NoRotation: true} }

func now() rotator.Request { return rotator.Request{RotateSince: time.Now()} }

// expect runs a process and compares what it did.
func (p *post) expect(req rotator.Request, want string, is error) rotator.Result {
	p.t.Helper()
	in := p.start(nil)
	res := in.run(req)
	did := in.verbs
	if len(did) > 0 && did[0] == "verify" {
		did = did[1:] // can the current value be read?
	}
	if got := strings.Join(did, " "); got != want || !errors.Is(res.Err, is) {
		p.t.Errorf("it does\n %s, %v; want\n %s, %v", got, res.Err, want, is)
	}
	return res
}

const renewed = "reserve issue try stage verify promote"

func TestReceiversKnowASecretBeforeItIsSent(t *testing.T) {
	posted(t, 1, []*sender{{id: "a", lag: settleTime}, {id: "b"}}, func(t *testing.T, p *post) {
		res := p.expect(now(), renewed, nil)
		if d := time.Until(res.Next); d < settleTime || !strings.Contains(res.Why, "receivers") {
			t.Errorf("it goes on in %v: %s", d, res.Why)
		}
		if old := p.senders[0].value; old != byHandValue || !slices.Equal(p.values(0)[1:], []string{old}) {
			t.Errorf("the old value is not the previous one: it sends %q", old)
		}
		time.Sleep(time.Until(res.Next))
		res = p.expect(rotator.Request{}, "switch confirm switch confirm", nil)
		if d := time.Until(res.Next); d < rotatortest.Grace {
			t.Errorf("the grace period is %v", d)
		}
		if p.senders[0].value == byHandValue || p.senders[1].value != p.senders[0].value {
			t.Error("they were not switched")
		}
		time.Sleep(time.Until(res.Next) - time.Second)
		p.expect(now(), "stop", rotator.ErrInGrace)
		time.Sleep(time.Second)
		p.expect(rotator.Request{}, "confirm confirm destroy", nil)
		p.expect(rotator.Request{}, "", nil)
	})
}

// A receiver that does not read the store any more accepts the previous value only.
func TestASenderWhoseReceiverRefusesIsSwitchedBack(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}, {id: "b"}}, func(t *testing.T, p *post) {
		p.senders[0].blind = []string{byHandValue}
		p.expect(now(), renewed, nil)
		time.Sleep(settleTime + rotatortest.Late)
		res := p.expect(rotator.Request{}, "switch confirm switch-back", rotator.ErrReceiverRefuses)
		if p.senders[0].value != byHandValue || p.senders[1].value != byHandValue {
			t.Error("it does not send the previous value again, or the next one was switched all the same")
		}
		if !strings.Contains(res.Err.Error(), "webhook a") {
			t.Errorf("it is not said which: %v", res.Err)
		}
		refused := p.senders[0].refused
		if refused == 0 || refused > 4 {
			t.Errorf("%d deliveries were refused meanwhile", refused)
		}
		for range 5 { // it is not tried all the time
			time.Sleep(time.Minute)
			if res := p.expect(rotator.Request{}, "", nil); !res.Failing {
				t.Error("nobody is told")
			}
		}
		if f := p.failure(); f.Count != 1 || f.Step != "switch-back" {
			t.Errorf("on record is %+v", f)
		}
		time.Sleep(30 * 24 * time.Hour)
		if p.start(nil).run(rotator.Request{}); len(p.values(0)) != 2 {
			t.Error("the previous value is gone, which it sends")
		}
		p.senders[0].blind = nil // it is put right
		p.live(rotatortest.Interval/2, nil, func() {})
		if verdict := p.check(); verdict != "" {
			t.Error(verdict)
		}
	})
}

func (p *post) failure() secretstore.Failure {
	snap, err := p.stores[0].Describe(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	return snap.Notes.Failure
}

func TestThePreviousValueLivesUntilTheLastSenderIsConfirmed(t *testing.T) {
	posted(t, 2, []*sender{{id: "a"}, {id: "b"}}, func(t *testing.T, p *post) {
		p.expect(now(), renewed+" stage verify promote", nil)
		time.Sleep(settleTime + rotatortest.Late)
		p.senders[0].down = true
		res := p.expect(rotator.Request{}, "switch confirm confirm confirm stop", rotator.ErrIndeterminate)
		if p.senders[1].value != byHandValue {
			t.Error("another one was switched before the first was confirmed")
		}
		time.Sleep(rotatortest.Grace)
		p.expect(rotator.Request{RotateSince: time.Now(), EndGrace: true}, "confirm confirm confirm stop", rotator.ErrInGrace)
		if n := len(p.values(0)); n != 2 || res.Err == nil {
			t.Errorf("%d values are left", n)
		}
		p.senders[0].down = false
		p.live(4*rotatortest.Grace, nil, func() {})
		if verdict := p.check(); verdict != "" {
			t.Error(verdict)
		}
	})
}

func TestASenderThatWasChangedByHandIsLeftAlone(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}, {id: "b"}}, func(t *testing.T, p *post) {
		p.expect(now(), renewed, nil)
		p.senders[1].value = "by-other-hands"
		p.senders[1].blind = []string{"by-other-hands"}
		p.live(3*rotatortest.Grace, nil, func() {})
		if p.senders[1].value != "by-other-hands" || len(p.values(0)) != 2 {
			t.Error("it was touched, or the previous value is gone")
		}
		p.expect(rotator.Request{}, "confirm stop", rotator.ErrByHand)
		p.expect(takeOver(), "stop", rotator.ErrInGrace)
		p.senders[1].value, p.senders[1].blind = p.values(0)[0], nil
		p.live(3*rotatortest.Grace, nil, func() {})
		if verdict := p.check(); verdict != "" {
			t.Error(verdict)
		}
		p.senders[0].value, p.senders[1].value = "new", "new"
		p.senders[0].blind, p.senders[1].blind = []string{"new"}, []string{"new"}
		p.expect(now(), "stop", rotator.ErrByHand)
		p.expect(takeOver(), "reserve take try stage verify promote confirm confirm", nil)
		p.senders[0].blind, p.senders[1].blind = nil, nil
		p.expect(takeOver(), "confirm confirm", nil)
		p.senders[0].value, p.senders[0].blind = "newer", []string{"newer"}
		p.expect(takeOver(), "stop", rotator.ErrInGrace)
		p.senders[0].value, p.senders[0].blind = "new", nil
		if p.values(0)[0] != "new" || len(p.values(0)) != 2 {
			t.Errorf("the store has %d values", len(p.values(0)))
		}
	})
}

func TestNoFirstValueIsMadeForSendersThatSendAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t, 1, &sender{id: "a", value: "one"}, &sender{id: "b", value: "two"})
		p.violations = nil // their receivers know these values, which are in no store
		p.expect(rotator.Request{}, "stop", rotator.ErrByHand)
		p.expect(takeOver(), "stop", rotator.ErrNotAdopted)
		if len(p.stores[0].Contents()) > 0 {
			t.Error("the store has a value that nobody sends")
		}
	})
}

func TestASenderIsResumedOnlyIfItWasTheSecret(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}, {id: "b"}}, func(t *testing.T, p *post) {
		p.senders[1].off, p.senders[1].offSince, p.senders[1].refused = true, time.Now().Add(-time.Hour), 0 // for something else
		p.expect(now(), renewed, nil)
		time.Sleep(settleTime + rotatortest.Late)
		p.senders[0].off, p.senders[0].offSince, p.senders[0].refused = true, time.Now(), 3
		p.expect(rotator.Request{}, "resume switch confirm switch", nil)
		if p.senders[0].off || !p.senders[1].off {
			t.Error("the wrong one was resumed")
		}
		p.senders[0].refused = 0
		p.live(2*rotatortest.Grace, nil, func() {})
		if p.senders[1].value != p.senders[0].value || len(p.values(0)) != 1 {
			t.Error("one that delivers nothing keeps the previous value alive")
		}
		p.senders[1].off = false
	})
}

func TestAnIncidentWaitsForNoReceiver(t *testing.T) {
	posted(t, 2, []*sender{{id: "a"}, {id: "b", value: ""}}, func(t *testing.T, p *post) {
		res := p.expect(rotator.Request{Incident: "INC-1"}, "declare verify "+renewed+" stage verify promote switch confirm switch confirm destroy destroy resolve", nil)
		if !res.Rotated || len(p.values(0)) != 1 || p.senders[0].value == byHandValue {
			t.Error("the old value is accepted still")
		}
		if res := p.expect(rotator.Request{Incident: "INC-1"}, "", nil); !res.Answered {
			t.Error("the same order is not answered")
		}
	})
}

// Receivers that read late are tried again and again; meanwhile they get what they accept.
func TestAnIncidentGoesOnAsSoonAsAReceiverAccepts(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		p.senders[0].blind, p.senders[0].blindUntil = []string{byHandValue}, time.Now().Add(12*time.Second)
		in := p.start(nil)
		begun := time.Now()
		res := in.run(rotator.Request{Incident: "INC-1"})
		if took := time.Since(begun); res.Err != nil || len(p.values(0)) != 1 || took > time.Minute {
			t.Errorf("after %v: %v; it did %v", took, res.Err, in.verbs)
		}
	})
}

func TestAHoldKeepsSendersAsTheyAre(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		p.expect(now(), renewed, nil)
		in := p.start(nil)
		if err := in.rotator.Hold(t.Context(), in.target(), secretstore.Hold{Since: time.Now()}); err != nil {
			t.Fatal(err)
		}
		p.live(3*rotatortest.Grace, nil, func() {})
		if p.senders[0].value != byHandValue || len(p.values(0)) != 2 {
			t.Error("it was switched")
		}
		if _, err := in.rotator.Release(t.Context(), in.target()); err != nil {
			t.Fatal(err)
		}
		p.live(3*rotatortest.Grace, nil, func() {})
		if verdict := p.check(); verdict != "" {
			t.Error(verdict)
		}
	})
}

// gateOf waits for receivers.
type gateOf struct{ err error }

func (g *gateOf) Name() string                             { return "rollout" }
func (g *gateOf) Pass(context.Context, rotator.Move) error { return g.err }

func TestSendersAreSwitchedWhenTheGatesHavePassed(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		gate := &gateOf{rotator.ErrGateOpen}
		p.gates = []rotator.Gate{gate}
		p.expect(now(), renewed+" converge", nil)
		time.Sleep(settleTime + rotatortest.Late)
		p.expect(rotator.Request{}, "converge stop", rotator.ErrGateOpen)
		gate.err = nil
		p.expect(rotator.Request{}, "converge switch confirm", nil)
	})
}

// teller gives a receiver the values of the store when it is asked, as a program does that
// after_promote names: the receiver reads no store itself.
type teller struct{ told []time.Time }

func (*teller) Name() string { return "program" }

func (g *teller) Pass(context.Context, rotator.Move) error {
	g.told = append(g.told, time.Now())
	return nil
}

// A receiver that learns of a value by after_promote only has the settle time, too.
func TestReceiversAreToldASettleTimeBeforeTheSwitch(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		gate := &teller{}
		p.gates = []rotator.Gate{gate}
		p.start(nil).run(now())
		p.live(3*rotatortest.Grace, func(call string, when rotatortest.When) error {
			if call == "switch" && when == rotatortest.Before && (len(gate.told) == 0 || time.Since(gate.told[0]) < settleTime) {
				t.Errorf("switched at %s, told at %v", time.Now(), gate.told)
			}
			return nil
		}, func() {})
		if verdict := p.check(); verdict != "" {
			t.Error(verdict)
		}
	})
}

// In an incident receivers are told, and not waited for.
func TestReceiversAreToldInAnIncident(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		gate := &teller{}
		p.gates = []rotator.Gate{gate, &gateOf{rotator.ErrGateOpen}}
		res := p.start(nil).run(rotator.Request{Incident: "INC-1"})
		if res.Err != nil || len(gate.told) == 0 || len(p.values(0)) != 1 {
			t.Errorf("told %d times, %d values: %v", len(gate.told), len(p.values(0)), res.Err)
		}
	})
}

func TestNoSenderAtAllDestroysNothing(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		p.expect(now(), renewed, nil)
		p.senders = nil
		time.Sleep(3 * rotatortest.Grace)
		p.expect(rotator.Request{}, "stop", rotator.ErrNoSender)
		if len(p.values(0)) != 2 {
			t.Error("the previous value is gone")
		}
	})
}

// What is read changes nothing: no test delivery is sent for it.
func TestAGlanceAtASecretThatIsSent(t *testing.T) {
	posted(t, 1, []*sender{{id: "a"}}, func(t *testing.T, p *post) {
		p.expect(now(), renewed, nil)
		time.Sleep(settleTime + rotatortest.Late)
		in := p.start(func(call string, _ rotatortest.When) error {
			if call == "switch" || call == "confirm" || call == "promote" {
				t.Error("it does " + call)
			}
			return nil
		})
		s := in.rotator.Glance(t.Context(), []rotator.Target{in.target()}, rotator.Request{})[0]
		if !s.Due || s.Next.Verb != rotator.Switch || len(s.Senders) != 1 || s.Senders[0].Carries != rotator.CarriesPrevious || len(s.Old) != 1 {
			t.Errorf("it shows %+v", s)
		}
	})
}

// Each instance may do any step between two steps of the other.
func TestTwoInstancesSwitchSenders(t *testing.T) {
	for _, blind := range []bool{false, true} {
		for at := 1; at < 80; at += 1 + 2*shorter() {
			posted(t, 1, []*sender{{id: "a"}, {id: "b"}}, func(t *testing.T, p *post) {
				calls := 0
				meet := func(_ string, when rotatortest.When) error {
					if when == rotatortest.Before {
						if calls++; calls == at {
							p.start(nil).run(rotator.Request{IgnoreBackoff: true})
						}
					}
					return nil
				}
				p.start(meet).run(now())
				time.Sleep(settleTime + rotatortest.Late)
				if blind {
					p.senders[1].blind = []string{byHandValue}
				}
				p.start(meet).run(rotator.Request{})
				p.senders[1].blind = nil
				p.start(meet).run(rotator.Request{EndGrace: true})
				p.live(4*rotatortest.Grace, nil, func() {})
				if verdict := p.check(); verdict != "" {
					t.Errorf("met at call %d, blind %v: %s", at, blind, verdict)
				}
			})
		}
	}
}

func shorter() int {
	if testing.Short() {
		return 1
	}
	return 0
}
