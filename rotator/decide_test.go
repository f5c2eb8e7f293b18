package rotator

// These tests are inside the package because decide and its State are: the
// decision is private, its rules are not.

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func TestDecide(t *testing.T) {
	const cur, prev, pend = secretstore.Current, secretstore.Previous, secretstore.Pending
	day := 24 * time.Hour
	for _, c := range []struct {
		situation string
		state     State
		request   Request
		want      string
	}{
		{"the store is empty", situation(), Request{}, "reserve"},
		{"the store is empty, and a hand was at the follower", situation().followed().with(1, cur, "k1", t0.Add(-time.Hour)).with(1, prev, "k0", t0).listed("k0", ours("0")).listed("k1", ours("1")), Request{}, "stop"},
		{"the same, and the primary is said to be new", situation().followed().with(1, cur, "k1", t0.Add(-time.Hour)).with(1, prev, "k0", t0).listed("k0", ours("0")).listed("k1", ours("1")), Request{BeginAnew: true}, "reserve"},
		{"the store is empty, and a key was issued for the one of before", situation().issuedElsewhere(), Request{RotateSince: t0}, "stop"},
		{"the same, and an incident is declared", situation().issuedElsewhere(), Request{Incident: "INC-8"}, "stop"},
		{"the same, and a rotation was begun in the empty store", situation().issuedElsewhere().reserved("n-9", t0), Request{}, "reserve"},
		{"an incident is declared for a store that is new", situation(), Request{Incident: "INC-8"}, "declare"},
		{"the store has a key, and one was issued for the one of before", situation().issuedElsewhere().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")), Request{}, "settled"},
		{"nothing is due, and the store takes no write", situation().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")).troubled(), Request{}, "stop"},
		{"a rotation is due, and the store takes no write", situation().with(0, cur, "k1", t0.Add(-90*day)).listed("k1", ours("1")).troubled(), Request{}, "reserve"},
		{"the key was rotated after an intent was written", situation().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")).reserved("n-9", t0.Add(-25*time.Hour)), Request{}, "cancel"},
		{"an intent was written after the key was rotated", situation().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")).reserved("n-9", t0.Add(-time.Hour)), Request{}, "reserve"},
		{"this run's intent is written", situation().reservedHere("n-9"), Request{}, "issue"},
		{"this run's intent is written, and a hold was set", situation().reservedHere("n-9").held(), Request{}, "settled"},
		{"a race was lost", situation().lost("n-9").reserved("n-8", t0), Request{}, "stop"},
		{"a race was lost, and the intent stands all the same", situation().lost("n-9").reserved("n-9", t0), Request{}, "cancel"},
		{"the store is empty and the admin key was not checked", func() State { s := situation(); s.Checked = false; return s }(), Request{}, "check"},
		{"the key is young", situation().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")), Request{}, "settled"},
		{"grace is over, and the gate has passed", situation().with(0, cur, "k1", t0.Add(-25*time.Hour)).with(0, prev, "k0", t0.Add(-50*day)).listed("k0", ours("0")).listed("k1", ours("1")).passed("k1", t0.Add(-25*time.Hour)), Request{}, "verify k1"},
		{"the gate passed before the store got the key anew", situation().with(0, cur, "k1", t0.Add(-25*time.Hour)).with(0, prev, "k0", t0.Add(-50*day)).listed("k0", ours("0")).listed("k1", ours("1")).passed("k1", t0.Add(-30*time.Hour)), Request{}, "converge k1"},
		{"the gate passed before another old key came to light", situation().with(0, cur, "k1", t0.Add(-25*time.Hour)).with(0, prev, "k0", t0.Add(-50*day)).listed("k0", ours("0")).listed("k1", ours("1")).made("k-1", ours("-1"), t0.Add(-100*day)).passed("k1", t0.Add(-25*time.Hour)), Request{}, "converge k1"},
		{"the gate passed while nobody knew since when the store has the key", situation().with(0, cur, "k1", t0.Add(-25*time.Hour)).with(0, prev, "k0", t0.Add(-50*day)).listed("k0", ours("0")).listed("k1", ours("1")).passed("k1", time.Time{}), Request{}, "converge k1"},
		{"the key is due", situation().with(0, cur, "k1", t0.Add(-90*day)).listed("k1", ours("1")), Request{}, "reserve"},
		{"a rotation is asked for", situation().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")), Request{RotateSince: t0}, "reserve"},
		{"what was asked for has been done", situation().with(0, cur, "k1", t0.Add(30*time.Second)).listed("k1", ours("1")), Request{RotateSince: t0}, "settled"},
		{"the current key is not listed", situation().with(0, cur, "k1", t0.Add(-day)), Request{}, "verify k1"},
		{"the current key is dead", situation().with(0, cur, "k1", t0.Add(-day)).testedAs(0, "k1", Invalid), Request{}, "reserve"},
		{"nobody knows whether the current key is dead", situation().with(0, cur, "k1", t0.Add(-day)).testedAs(0, "k1", Indeterminate), Request{}, "stop"},
		{"a key is pending, and was not searched for in the list", situation().with(0, pend, "k2", time.Time{}), Request{}, "list"},
		{"the list does not have the pending key", func() State { s := situation().with(0, pend, "k2", time.Time{}); s.Listed = 3; return s }(), Request{}, "destroy k2"},
		{"the list has another key under the pending one's id", func() State {
			s := situation().with(0, pend, "k2", time.Time{}).listed("k2", "Zapier")
			s.Listed = 3
			return s
		}(), Request{}, "destroy k2"},
		{"the list has the current key under another id", situation().with(0, cur, "k1", t0.Add(-day)).made("x", ours("n-k1"), t0).testedAs(0, "k1", Valid), Request{}, "settled"},
		{"a key is pending", situation().with(0, pend, "k2", time.Time{}).listed("k2", ours("n-k2")), Request{}, "verify k2"},
		{"the pending key works", situation().with(0, pend, "k2", time.Time{}).listed("k2", ours("n-k2")).testedAs(0, "k2", Valid), Request{}, "promote k2"},
		{"the pending key never worked", situation().with(0, pend, "k2", time.Time{}).listed("k2", ours("n-k2")).testedAs(0, "k2", Invalid), Request{}, "discard k2"},
		{"the pending key works but the old one is in grace", situation().with(0, pend, "k2", time.Time{}).with(0, cur, "k1", t0.Add(-time.Hour)).with(0, prev, "k0", t0).testedAs(0, "k2", Valid).listed("k0", ours("0")).listed("k1", ours("1")), Request{}, "settled"},
		{"the old key's grace is over", situation().with(0, cur, "k1", t0.Add(-day)).with(0, prev, "k0", t0).listed("k0", ours("0")).listed("k1", ours("1")), Request{}, "verify k1"},
		{"the old key's grace is over and the current key works", situation().with(0, cur, "k1", t0.Add(-day)).with(0, prev, "k0", t0).listed("k0", ours("0")).listed("k1", ours("1")).testedAs(0, "k1", Valid), Request{}, "revoke k0"},
		{"the old key's grace ends in a second", situation().with(0, cur, "k1", t0.Add(time.Second-day)).with(0, prev, "k0", t0).listed("k0", ours("0")).listed("k1", ours("1")), Request{}, "settled"},
		{"nobody knows when the current key was promoted", situation().with(0, cur, "k1", time.Time{}).with(0, prev, "k0", t0).listed("k0", ours("0")).listed("k1", ours("1")), Request{}, "repair k1"},
		{"the old key is gone from the list", situation().with(0, cur, "k1", t0.Add(-day)).with(0, prev, "k0", t0).listed("k1", ours("1")), Request{}, "prove k0"},
		{"the old key is gone in its grace period", situation().with(0, cur, "k1", t0.Add(-time.Hour)).with(0, prev, "k0", t0).listed("k1", ours("1")), Request{}, "prove k0"},
		{"the old key is proven dead", situation().with(0, cur, "k1", t0.Add(-day)).with(0, prev, "k0", t0).listed("k1", ours("1")).testedAs(0, "k0", Invalid), Request{}, "destroy k0"},
		{"a follower's current version waits below a key put there by hand", situation().followed().with(0, cur, "k2", t0.Add(-day)).with(0, prev, "k1", t0).with(1, pend, "k2", time.Time{}).with(1, prev, "k0", t0).listed("k0", ours("0")).listed("k1", ours("1")).listed("k2", ours("2")).testedAs(1, "k2", Valid), Request{}, "promote k2"},
		{"the old key is in grace and a rotation is asked for", situation().with(0, cur, "k1", t0.Add(-time.Hour)).with(0, prev, "k0", t0).listed("k0", ours("0")).listed("k1", ours("1")), Request{RotateSince: t0}, "stop"},
		{"a key of ours that nothing refers to", situation().with(0, cur, "k1", t0.Add(-day)).made("k1", ours("1"), t0.Add(-day)).made("k9", ours("9"), t0), Request{}, "sweep k9"},
		{"a key of ours that nothing refers to, and the store has not finished forgetting a version", func() State {
			s := situation().with(0, cur, "k1", t0.Add(-day)).made("k1", ours("1"), t0.Add(-day)).made("k9", ours("9"), t0)
			s.Stores[0].Unfinished = true
			return s
		}(), Request{}, "settled"},
		{"one that may have been current, in the grace of the current key", situation().with(0, cur, "k1", t0.Add(-time.Hour)).made("k1", ours("1"), t0.Add(-time.Hour)).made("k0", ours("0"), t0.Add(-day)), Request{}, "settled"},
		{"one that may have been current, and its grace is over", situation().with(0, cur, "k1", t0.Add(-day)).made("k1", ours("1"), t0.Add(-day)).made("k0", ours("0"), t0.Add(-2*day)).testedAs(0, "k1", Valid), Request{}, "revoke k0"},
		{"a hand's value is current, and a key of ours is referred to by nothing", situation().byHand(0, cur, t0.Add(-day)).made("k9", ours("9"), t0).testedAs(0, "hand", Valid), Request{}, "settled"},
		{"a hand's value is current, and the old key's grace is over", situation().byHand(0, cur, t0.Add(-2*day)).with(0, prev, "k0", t0).listed("k0", ours("0")).testedAs(0, "hand", Valid), Request{}, "settled"},
		{"a hand's value is current, over our key, and a rotation is due", situation().byHand(0, cur, t0.Add(-91*day)).with(0, prev, "k0", t0).listed("k0", ours("0")).testedAs(0, "hand", Valid), Request{}, "reserve"},
		{"a hand's value is current in a follower, the old key's grace is over, and a rotation is due", situation().followed().with(0, cur, "k1", t0.Add(-90*day)).with(0, prev, "k0", t0).byHand(1, cur, t0).with(1, prev, "k1", t0).listed("k0", ours("0")).listed("k1", ours("1")), Request{}, "repair hand"},
		{"a hand's value was current a moment ago", func() State {
			s := situation().with(0, cur, "k1", t0.Add(-day)).made("k1", ours("1"), t0.Add(-day)).made("k9", ours("9"), t0)
			s.Foreign = true
			return s
		}(), Request{}, "settled"},
		{"a hand's value was replaced, and its grace is over", situation().with(0, cur, "k1", t0.Add(-day)).byHand(0, prev, t0.Add(-2*day)).made("k1", ours("1"), t0.Add(-day)).made("k9", ours("9"), t0), Request{}, "sweep k9"},
		{"a hand's value lies below, put there after the current key", situation().with(0, cur, "k1", t0.Add(-2*day)).byHand(0, prev, t0.Add(-day)).made("k1", ours("1"), t0.Add(-2*day)).made("k9", ours("9"), t0), Request{}, "settled"},
		{"somebody else's key", situation().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")).listed("k9", "Zapier"), Request{}, "settled"},
		{"a key of a deployment with another store", situation().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")).listed("k9", keyName{"instantly-rotator", "sending", fingerprint("id-1"), "9"}.String()), Request{}, "settled"},
		{"a key of another owner", situation().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")).listed("k9", keyName{"them", "sending", fingerprint("id-0"), "9"}.String()), Request{}, "settled"},
	} {
		t.Run(c.situation, func(t *testing.T) {
			got := decide(t0, c.state, testPolicy(), c.request)
			said := string(got.Verb)
			if got.ID != "" && got.Verb != Stop {
				said += " " + got.ID
			}
			if said != c.want {
				t.Errorf("decide says %q (%s), want %q", said, got.Reason, c.want)
			}
		})
	}
}

func TestKeyNameRoundTrips(t *testing.T) {
	n := keyName{"owner", "target", fingerprint("x"), "0123"}
	got, ok := parseKeyName(n.String())
	if !ok || got != n {
		t.Errorf("got %+v, %v", got, ok)
	}
	for _, bad := range []string{"", "Zapier", "a/b/c", "a/b/c/d/e", "a//c/d", "a/b/c/"} {
		if _, ok := parseKeyName(bad); ok {
			t.Errorf("%q passes for one of ours", bad)
		}
	}
}

func TestBackoffDoublesFromAMinuteToSixHours(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute, 4: 8 * time.Minute, 9: 256 * time.Minute, 10: 6 * time.Hour, 1000: 6 * time.Hour} {
		if got := backoff(failures); got != want {
			t.Errorf("after %d failures: %s, want %s", failures, got, want)
		}
	}
}

func TestShortenCutsAtACharacter(t *testing.T) {
	for n := range 300 {
		s := fmt.Sprint(n, string(slices.Repeat([]rune("ä"), n)))
		if got := shorten(s); len(got) > secretstore.MaxReason || (len(s) <= secretstore.MaxReason && got != s) {
			t.Errorf("shorten(%d bytes) gives %d: %q", len(s), len(got), got)
		}
	}
}

// Under a hold without an end, a key that is due waits for a person; who asks must be told.
func TestADueKeyUnderAnOpenEndedHoldSaysWhatItWaitsFor(t *testing.T) {
	s := situation().with(0, secretstore.Current, "k1", t0.Add(-90*24*time.Hour)).listed("k1", ours("1")).held()
	s.Stores[0].Notes.Hold.Reason = "a fair"
	step := decide(t0, s, testPolicy(), Request{})
	if step.Verb != Settled || !step.Waiting || !step.At.IsZero() || !strings.Contains(step.Delay, "a fair") || !strings.Contains(step.Delay, "release") || step.Reason != step.Delay {
		t.Errorf("decides %+v, want it to wait, and to say what ends that", step)
	}
}

// Whatever ends a run while a rotation is due says why it waits.
func TestWhoWaitsSaysWhy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := randomState(t)
		if rapid.Bool().Draw(t, "held") {
			s.held()
		}
		if step := decide(t0, s, testPolicy(), randomRequest(t)); step.Verb == Settled && (step.Waiting || !step.At.IsZero()) && (step.Reason == "" || step.Waiting && step.Delay == "") {
			t.Fatalf("%+v waits without a reason", step)
		}
	})
}
