package rotator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// sending1 is a state of one sender, which sends that; receivers have read the current value
// long ago.
func sending1(carries Carries, accepted Verdict) State {
	s := situation().with(0, secretstore.Current, "k1", t0.Add(-time.Hour)).testedAs(0, "k1", Valid)
	s.Sent, s.Switched, s.HadOther = true, map[string]bool{}, map[string]bool{}
	s.Senders, s.SendersSeen = []SenderState{{ID: "a", Name: "a", Carries: carries}}, 3
	s.Confirmed = map[string]test{"a": {TestCall: TestCall{Verdict: accepted, Err: errors.New("x")}, At: t0, Tries: enough}}
	s.Against = s.against()
	return s
}

// withPrevious adds the value of before.
func (s State) withPrevious() State {
	s = s.with(0, secretstore.Previous, "k0", t0.Add(-200*24*time.Hour))
	s.Against = s.against()
	return s
}

// switchedHere: this run has switched the sender.
func (s State) switchedHere() State {
	s.Switched["a"] = true
	return s
}

// inIncident: one was declared two hours ago; the current value is of after it.
func (s State) inIncident() State {
	s.Stores[0].Notes.Incident = secretstore.Incident{ID: "INC", At: t0.Add(-2 * time.Hour)}
	ver := s.Stores[0].Versions[secretstore.Current]
	ver.Intent.At = t0.Add(-time.Hour)
	s.Stores[0].Versions[secretstore.Current] = ver
	return s
}

// refusedBefore: a receiver has refused so long ago.
func (s State) refusedBefore(ago time.Duration) State {
	s.Stores[0].Notes.Failure = secretstore.Failure{Count: 3, At: t0.Add(-ago), Step: string(SwitchBack)}
	return s
}

// foreignIn: somebody has put a value into store i.
func (s State) foreignIn(i int) State {
	s = s.with(i, secretstore.Current, "f", t0.Add(-time.Hour)).testedAs(i, "f", Valid)
	ver := s.Stores[i].Versions[secretstore.Current]
	ver.Foreign = true
	s.Stores[i].Versions[secretstore.Current] = ver
	s.Against = s.against()
	return s
}

func TestDecideForWhatIsSentInTrouble(t *testing.T) {
	policy := testPolicy()
	policy.Settle = 10 * time.Minute
	stuck := sending1(CarriesCurrent, Valid).followed().foreignIn(1).with(1, secretstore.Previous, "k1", t0.Add(-time.Hour))
	for _, c := range []struct {
		situation string
		state     State
		request   Request
		want      Verb
		is        error
	}{
		{"a receiver refuses, and accepts the previous value still",
			sending1(CarriesCurrent, Invalid).withPrevious().switchedHere(), Request{}, SwitchBack, ErrReceiverRefuses},
		{"a receiver refuses, and another instance has destroyed the previous value meanwhile",
			sending1(CarriesCurrent, Invalid).switchedHere(), Request{}, Stop, ErrReceiverRefuses},
		{"a receiver refuses the first value there is",
			func() State {
				s := sending1(CarriesCurrent, Invalid).switchedHere()
				s.HadOther["a"] = true
				return s
			}(), Request{}, SwitchBack, ErrReceiverRefuses},
		{"a value was taken over that not every store has yet, and the sender sends another one",
			func() State {
				s := sending1(CarriesOther, Valid).followed()
				s.Values = 1
				return s
			}(), Request{TakeOver: true, NoRotation: true}, Stage, nil},
		{"an incident, and receivers have refused for the settle time: a moment ago",
			sending1(CarriesPrevious, Valid).withPrevious().inIncident().refusedBefore(time.Minute), Request{}, Settled, nil},
		{"an incident, and receivers have refused for the settle time: somebody asks again",
			sending1(CarriesPrevious, Valid).withPrevious().inIncident().refusedBefore(time.Minute), Request{IgnoreBackoff: true}, Switch, nil},
		{"an incident, and receivers have refused for the settle time: some time ago",
			sending1(CarriesPrevious, Valid).withPrevious().inIncident().refusedBefore(time.Hour), Request{}, Switch, nil},
		{"an incident, and receivers have refused before it: nobody waits for that",
			func() State {
				s := sending1(CarriesPrevious, Valid).withPrevious().inIncident().refusedBefore(time.Minute)
				s.Stores[0].Notes.Incident.At = t0.Add(-time.Second)
				ver := s.Stores[0].Versions[secretstore.Current]
				ver.Intent.At = t0
				s.Stores[0].Versions[secretstore.Current] = ver
				return s
			}(), Request{}, Switch, nil},
		{"somebody has put a value into a store that follows, which has the current one as the previous", stuck, Request{}, Stop, ErrByHand},
		{"somebody has put a value into a store that no header can have: the sender sends the previous one",
			func() State {
				s := sending1(CarriesPrevious, Valid).withPrevious().foreignIn(0).testedAs(0, "f", Invalid)
				got := s.Tests[place{0, "f"}]
				got.Err = ErrNoKey
				s.Tests[place{0, "f"}] = got
				return s
			}(), Request{}, Stop, ErrByHand},
	} {
		t.Run(c.situation, func(t *testing.T) {
			step := decideSender(t0, c.state, policy, c.request)
			if step.Verb != c.want || !errors.Is(step.Err, c.is) {
				t.Errorf("%s (%s): %v, want %s, %v", step.Verb, step.Reason, step.Err, c.want, c.is)
			}
		})
	}
}

// Every try in an incident has deliveries refused: it comes at once, and later less often.
func TestReceiversInAnIncidentAreTriedLessAndLessOften(t *testing.T) {
	policy := testPolicy()
	policy.Settle = 3 * time.Hour
	for ago, want := range map[time.Duration]time.Duration{0: time.Second, 20 * time.Second: 5 * time.Second, time.Hour: time.Minute} {
		s := sending1(CarriesPrevious, Valid).withPrevious().inIncident()
		s.FirstBack = t0.Add(-ago)
		if step := decideSender(t0, s, policy, Request{}); step.Verb != Switch || step.At.Sub(t0) != want {
			t.Errorf("%v after the first refusal: %s after %v, want %v", ago, step.Verb, step.At.Sub(t0), want)
		}
	}
}

// offSenders tell that whatever is off was refused.
type offSenders struct{ others }

type others = Senders

func (offSenders) Refused(context.Context, Sender, time.Time) (bool, error) { return true, nil }

// A webhook that was given up is resumed if it was for the secret, whatever rotations were
// between; nothing is asked of one that is on, or off since nobody knows when.
func TestWhatASenderIsOffFor(t *testing.T) {
	r := &run{State: sending1(CarriesCurrent, Valid).inIncident(), target: Target{Senders: offSenders{}}}
	for _, c := range []struct {
		what   string
		sender Sender
		want   bool
	}{
		{"on", Sender{ID: "a", OffSince: t0.Add(-time.Hour)}, false},
		{"off since nobody knows when", Sender{ID: "a", Off: true}, false},
		{"off since the rotation", Sender{ID: "a", Off: true, OffSince: t0.Add(-time.Minute)}, true},
		{"off since long before it", Sender{ID: "a", Off: true, OffSince: t0.Add(-1000 * time.Hour)}, true},
	} {
		got, err := r.turnedOffForSecret(t.Context(), c.sender)
		if err != nil || got != c.want {
			t.Errorf("%s: for its secret %v, %v", c.what, got, err)
		}
	}
}

// A hand put a value that had been given up on top of the current one: the store has that as
// pending, and the previous one cannot go before it is current again.
func TestAPendingValueIsPromotedWhereNoneIsCurrentThoughAPreviousOneStands(t *testing.T) {
	s := sending1(CarriesPrevious, Valid).withPrevious()
	for has, want := range map[secretstore.Stage]Verb{secretstore.Current: Switch, secretstore.Pending: Promote} {
		ver := s.Stores[0].Versions[secretstore.Current]
		s.Stores[0].Versions = map[secretstore.Stage]secretstore.Version{has: ver, secretstore.Previous: s.Stores[0].Versions[secretstore.Previous]}
		s.Against = s.against()
		if step := decideSender(t0, s, testPolicy(), Request{}); step.Verb != want {
			t.Errorf("%s: %s (%s), want %s", has, step.Verb, step.Reason, want)
		}
		s = sending1(CarriesPrevious, Valid).withPrevious()
	}
}

// A process died when it had switched one of two receivers that do not read: the next run has
// both send again what they accept, and ends with what the last one said.
func TestEverySenderThatIsRefusedIsSwitchedBackInOneRun(t *testing.T) {
	s := sending1(CarriesCurrent, Invalid).withPrevious().switchedHere()
	s.Switched["b"] = true
	s.Senders = append(s.Senders, SenderState{ID: "b", Name: "b", Carries: CarriesCurrent})
	s.Against = s.against()
	expect := func(verb Verb, sender int, said bool) {
		t.Helper()
		if step := decideSender(t0, s, testPolicy(), Request{}); step.Verb != verb || step.Sender != sender || errors.Is(step.Err, ErrReceiverRefuses) != said {
			t.Errorf("%s of sender %d (%v), want %s of %d", step.Verb, step.Sender, step.Err, verb, sender)
		}
	}
	expect(Confirm, 1, false)
	s.Confirmed["b"] = s.Confirmed["a"]
	expect(SwitchBack, 0, false)
	s.Senders[0].Carries = CarriesPrevious
	expect(SwitchBack, 1, true)
}

// Since when deliveries that were refused count against what a sender sends.
func TestRefusalsThatCount(t *testing.T) {
	policy := testPolicy()
	policy.Settle = 10 * time.Minute
	switched := t0.Add(-time.Hour - promotionBound(24*time.Hour))
	for _, c := range []struct {
		situation string
		state     State
		want      time.Time
	}{
		{"this run has switched it", sending1(CarriesCurrent, Valid).withPrevious().switchedHere(), switched},
		{"another process has, whose clock may be ahead", sending1(CarriesCurrent, Valid).withPrevious(), switched.Add(-clockMargin)},
		{"there is no way back, and late readers have read", sending1(CarriesCurrent, Valid), t0.Add(-50 * time.Minute)},
		{"nor is there one though another store has the previous value", sending1(CarriesCurrent, Valid).followed().
			with(1, secretstore.Current, "k1", t0.Add(-time.Hour)).with(1, secretstore.Previous, "k0", t0.Add(-200*time.Hour)), t0.Add(-50 * time.Minute)},
		{"nor is there one, and what was refused is older than the grace period", sending1(CarriesCurrent, Valid).followed().
			with(0, secretstore.Current, "k1", t0.Add(-100*time.Hour)).
			with(1, secretstore.Current, "k1", t0.Add(-100*time.Hour)).with(1, secretstore.Previous, "k0", t0.Add(-200*time.Hour)), t0.Add(-24 * time.Hour)},
	} {
		r := &run{Rotator: New(Options{Now: func() time.Time { return t0 }}), State: c.state, target: Target{Policy: policy}}
		if got := r.switchedSince(Sender{ID: "a"}); !got.Equal(c.want) {
			t.Errorf("%s: since %v, want %v", c.situation, got, c.want)
		}
	}
}

// Each run of an instance that lost a race begins anew, and knows nothing of the tries before.
// All of them together go on for twice the settle time: then the refusal is on record.
func TestInstancesThatHinderEachOtherDoNotTryAReceiverForEver(t *testing.T) {
	policy := testPolicy()
	policy.Settle = time.Hour
	for ago, tries := range map[time.Duration]bool{time.Minute: true, 119 * time.Minute: true, 2 * time.Hour: false} {
		s := sending1(CarriesCurrent, Invalid).withPrevious().inIncident().switchedHere()
		s.Stores[0].Notes.Incident.At = t0.Add(-ago)
		ver := s.Stores[0].Versions[secretstore.Current]
		ver.Intent.At = t0.Add(-ago)
		s.Stores[0].Versions[secretstore.Current] = ver
		step := decideSender(t0, s, policy, Request{})
		if step.Verb != SwitchBack || errors.Is(step.Err, ErrReceiverRefuses) == tries {
			t.Errorf("%v after the incident: %s, %v; tried on: want %v", ago, step.Verb, step.Err, tries)
		}
	}
}

// unguarded is a store that destroys whatever it is asked to, as one without compare-and-swap
// may.
type unguarded struct {
	secretstore.Store
	revision  string
	destroyed bool
}

func (s *unguarded) Describe(context.Context) (secretstore.Snapshot, error) {
	return secretstore.Snapshot{Revision: s.revision}, nil
}

func (s *unguarded) Destroy(context.Context, secretstore.Snapshot, string) (secretstore.Snapshot, error) {
	s.destroyed = true
	return secretstore.Snapshot{}, nil
}

// Another instance has written the promotion down once more, to switch a sender.
func TestThePreviousValueOfSendersGoesOnlyAsTheStoreWasSeen(t *testing.T) {
	for revision, goes := range map[string]bool{"seen": true, "another": false} {
		store := &unguarded{revision: revision}
		s := sending1(CarriesCurrent, Valid).withPrevious()
		s.Stores[0].Revision = "seen"
		r := &run{Rotator: New(Options{}), State: s, target: Target{Stores: []NamedStore{{Name: "local", Store: store}}}}
		err := r.destroyVersion(t.Context(), Step{ID: "k0"})
		if store.destroyed != goes || errors.Is(err, secretstore.ErrConflict) == goes {
			t.Errorf("%s: destroyed %v, %v", revision, store.destroyed, err)
		}
	}
}
