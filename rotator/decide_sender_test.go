package rotator

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// randomSent is a random state of one or two stores, in the course of rotations, with random
// senders and directives.
func randomSent(t *rapid.T) State {
	s := situation()
	if rapid.IntRange(0, 2).Draw(t, "stores") == 0 {
		s = s.followed()
	}
	ago := []time.Duration{0, time.Hour, 3 * time.Hour, 30 * time.Hour, 100 * 24 * time.Hour}
	for i := range s.Stores {
		if rapid.IntRange(0, 9).Draw(t, "current") > 0 {
			s = s.with(i, secretstore.Current, rapid.SampledFrom([]string{"k1", "k1", "k1", "k2"}).Draw(t, "id"), t0.Add(-rapid.SampledFrom(ago).Draw(t, "promoted")))
			if rapid.IntRange(0, 2).Draw(t, "previous") > 0 {
				s = s.with(i, secretstore.Previous, "k0", t0.Add(-200*24*time.Hour))
			}
		}
		if rapid.IntRange(0, 5).Draw(t, "pending") == 0 {
			s = s.with(i, secretstore.Pending, "k3", time.Time{})
		}
		for _, id := range []string{"k0", "k1", "k2", "k3"} {
			if rapid.IntRange(0, 5).Draw(t, "tested") > 0 {
				s.testedAs(i, id, Valid)
			}
		}
		s.Stores[i].Seen = moment(rapid.IntRange(1, 3).Draw(t, "seen"))
	}
	if rapid.IntRange(0, 9).Draw(t, "failed") == 0 {
		s.Stores[0].Notes.Failure = secretstore.Failure{Count: 3, At: t0.Add(-time.Minute), Step: string(SwitchBack)}
	}
	s.Sent, s.Confirmed, s.Switched = true, map[string]test{}, map[string]bool{}
	s.SendersSeen = moment(rapid.IntRange(1, 4).Draw(t, "senders seen"))
	s.Against = s.against()
	carries := []Carries{CarriesCurrent, CarriesCurrent, CarriesCurrent, CarriesCurrent, CarriesCurrent, CarriesPrevious, CarriesPrevious, CarriesOther, CarriesNothing}
	for _, id := range []string{"a", "b", "c"}[:rapid.IntRange(0, 3).Draw(t, "senders")] {
		s.Senders = append(s.Senders, SenderState{
			ID: id, Name: id, Carries: rapid.SampledFrom(carries).Draw(t, "carries"),
			Off: rapid.IntRange(0, 4).Draw(t, "off") == 0, ForSecret: rapid.IntRange(0, 2).Draw(t, "for its secret") == 0,
		})
		s.Switched[id] = rapid.IntRange(0, 3).Draw(t, "switched") == 0
		if rapid.IntRange(0, 2).Draw(t, "confirmed") > 0 {
			s.Confirmed[id] = test{
				TestCall: TestCall{Verdict: rapid.SampledFrom([]Verdict{Valid, Valid, Invalid, Indeterminate}).Draw(t, "accepted"), Err: errors.New("x")},
				At:       t0.Add(-rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "confirmed at")), Tries: enough,
			}
		}
	}
	if rapid.Bool().Draw(t, "settled") {
		s.Settled = "k1"
	}
	if rapid.IntRange(0, 7).Draw(t, "hold") == 0 {
		s.Stores[0].Notes.Hold = secretstore.Hold{Since: t0.Add(-time.Hour)}
	}
	if rapid.IntRange(0, 7).Draw(t, "incident") == 0 {
		s.Stores[0].Notes.Incident = secretstore.Incident{ID: "INC", At: t0.Add(-2 * time.Hour)}
	}
	return s
}

// Whatever the state: no sender is switched to what a receiver may not know, and no value goes
// that a sender may send.
func TestDecideForWhatIsSentNeverBreaksTheRules(t *testing.T) {
	policy := testPolicy()
	policy.Settle = 2 * time.Hour
	seen := map[Verb]int{}
	check := func(t *rapid.T) {
		s := randomSent(t)
		r := Request{EndGrace: rapid.Bool().Draw(t, "end grace")}
		if rapid.Bool().Draw(t, "asked") {
			r.RotateSince = t0
		}
		step := decideSender(t0, s, policy, r)
		seen[step.Verb]++
		v := &view{now: t0, State: s, policy: policy, request: r}
		for _, rule := range sentRules() {
			if why := rule(v, step); why != "" {
				t.Fatalf("%s: %s (%s)", step.Verb, why, step.Reason)
			}
		}
	}
	wanted := []Verb{Switch, SwitchBack, Confirm, Resume, Destroy, Promote, Reserve}
	unseen := func(verb Verb) bool { return seen[verb] == 0 }
	for round := 0; round < 10 || round < 1000 && slices.ContainsFunc(wanted, unseen); round++ {
		rapid.Check(t, check) // states are drawn at random: some steps are seldom
	}
	for _, verb := range slices.DeleteFunc(wanted, func(v Verb) bool { return !unseen(v) }) {
		t.Errorf("no state led to %s", verb)
	}
}

// sentRules tell what is wrong with a step; "" if nothing is.
func sentRules() []func(*view, Step) string {
	return []func(*view, Step) string{
		func(v *view, s Step) string {
			if _, on := v.hold(); on && slices.Contains([]Verb{Reserve, Issue, Switch, Destroy}, s.Verb) && s.Reason != "left over" && s.Reason != "make room for the current secret" {
				return "there is a hold"
			}
			return ""
		},
		func(v *view, s Step) string {
			at, known := v.settledAt()
			cur, _ := v.current(0)
			switch {
			case s.Verb != Switch || v.emergency():
				return ""
			case !known:
				return "not every store has the value"
			case t0.Before(at) && v.Settled != cur.ID:
				return "receivers may not have read the value"
			case v.Senders[s.Sender].Carries == CarriesOther:
				return "somebody has set what it sends"
			}
			return ""
		},
		func(v *view, s Step) string {
			if s.Verb == Switch && slices.ContainsFunc(v.Senders, func(o SenderState) bool {
				return v.Switched[o.ID] && o.Carries == CarriesCurrent && !o.Off && v.Confirmed[o.ID].Verdict != Valid
			}) {
				return "one that was switched is not confirmed"
			}
			return ""
		},
		func(v *view, s Step) string {
			_, stage, held := v.Stores[s.Store].Find(s.ID)
			switch {
			case s.Verb != Destroy || !held || stage != secretstore.Previous || s.Reason == "make room for the current secret":
				return ""
			case len(v.Senders) == 0:
				return "no sender is known"
			case v.inGrace():
				return "it is in its grace period"
			case v.SendersSeen <= v.Stores[s.Store].Seen:
				return "the senders were read before the store"
			}
			for _, o := range v.Senders {
				if o.Carries != CarriesCurrent || !o.Off && v.Confirmed[o.ID].Verdict != Valid {
					return o.ID + " may need it"
				}
			}
			return ""
		},
		func(v *view, s Step) string {
			_, _, stands := v.previousAnywhere()
			_, has := v.current(0)
			promotes := s.Verb == Promote && s.Store == 0 && (has || v.accepted(s.ID) > 2)
			if begins := s.Verb == Reserve || s.Verb == Issue || promotes; begins && stands {
				return "receivers would have to accept three values"
			}
			return ""
		},
	}
}

// A previous value stays while nobody knows whether a receiver accepts the current one.
func TestThePreviousValueOfWhatIsSentStaysUntilTheLastIsConfirmed(t *testing.T) {
	s := situation().with(0, secretstore.Current, "k1", t0.Add(-100*24*time.Hour)).with(0, secretstore.Previous, "k0", t0.Add(-200*24*time.Hour))
	s.testedAs(0, "k1", Valid)
	s.Sent, s.Confirmed, s.Switched, s.Settled = true, map[string]test{}, map[string]bool{"a": true}, "k1"
	s.Senders = []SenderState{{ID: "a", Name: "a", Carries: CarriesCurrent}}
	v := &view{now: t0, State: s, policy: testPolicy()}
	if a := v.forget(); !a.passes() {
		t.Errorf("%+v", a)
	}
	s.Confirmed["a"] = test{TestCall: TestCall{Verdict: Valid}, At: t0, Tries: enough}
	if a := v.forget(); a.passes() {
		t.Error("it stays although all is confirmed")
	}
}
