package rotator

// These tests are inside the package because decide and its State are: the
// decision is private, its rules are not.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

var t0 = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

type interval time.Duration

func (d interval) Next(t time.Time) time.Time { return t.Add(time.Duration(d)) }

func testPolicy() Policy {
	return Policy{
		Owner: "instantly-rotator", Spec: "campaigns:read", Schedule: interval(90 * 24 * time.Hour),
		Grace: 24 * time.Hour, Activation: time.Minute, Revocation: time.Minute,
	}
}

// A situation builder, in the words of the rules.

func situation() State {
	return State{
		Target: "sending", Account: "org", Checked: true, Listed: 1, Keys: map[string]Key{}, Named: map[string][]string{},
		Stores: []StoreState{{Name: "primary", Seen: 2, Snapshot: secretstore.Snapshot{
			Identity: "id-0", Versions: map[secretstore.Stage]secretstore.Version{},
		}}},
		Tests: map[place]test{}, Revoked: map[string]time.Time{},
	}
}

func (s State) with(i int, stage secretstore.Stage, id string, promoted time.Time) State {
	s.Stores[i].Versions[stage] = secretstore.Version{
		ID: id, Account: "org", Promoted: promoted,
		Intent: secretstore.Intent{Nonce: "n-" + id, At: t0.Add(-1000 * time.Hour), Spec: "campaigns:read", Grace: 24 * time.Hour},
	}
	return s
}

func (s State) reserved(nonce string, at time.Time) State {
	s.Stores[0].Notes.Intent = secretstore.Intent{Nonce: nonce, At: at}
	return s
}

func (s State) reservedHere(nonce string) State {
	s.Reserved = nonce
	return s.reserved(nonce, t0)
}

func (s State) lost(nonce string) State {
	s.LostRace, s.FailedReservation = errors.New("race"), nonce
	return s
}

func (s State) followed() State {
	s.Stores = append(s.Stores, StoreState{Name: "s1", Seen: 2, Snapshot: secretstore.Snapshot{
		Identity: "id-1", Versions: map[secretstore.Stage]secretstore.Version{},
	}})
	return s
}

func (s State) held() State {
	s.Stores[0].Notes.Hold = secretstore.Hold{Since: t0}
	return s
}

func (s State) listed(id, name string) State {
	s.Keys[id] = Key{ID: id, Name: name, Account: "org"}
	if n, ok := parseKeyName(name); ok {
		s.Named[n.Store] = append(s.Named[n.Store], id)
	}
	return s
}

// issuedElsewhere: Instantly lists a key that was issued for the target's store of before.
func (s State) issuedElsewhere() State {
	s.Issued = map[string][]string{"instantly-rotator/sending": {fingerprint("id-of-before")}}
	return s
}

func (s State) troubled() State {
	s.Stores[0].Trouble = errors.New("the disk is full")
	return s
}

func (s State) made(id, name string, at time.Time) State {
	s = s.listed(id, name)
	k := s.Keys[id]
	k.Created = at
	s.Keys[id] = k
	return s
}

func (s State) byHand(i int, stage secretstore.Stage, created time.Time) State {
	s.Stores[i].Versions[stage] = secretstore.Version{ID: "hand", Foreign: true, Created: created}
	return s
}

func (s State) testedAs(i int, id string, v Verdict) State {
	s.Tests[place{i, id}] = test{TestCall: TestCall{Verdict: v, Err: errors.New("x")}, First: t0, At: t0, Seq: 1, Tries: enough, Refused: enough}
	return s
}

func ours(nonce string) string {
	return keyName{"instantly-rotator", "sending", fingerprint("id-0"), nonce}.String()
}

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

// randomState draws a situation that no story would think of.
func randomState(t *rapid.T) State {
	s := situation()
	s.Listed = moment(rapid.IntRange(0, 3).Draw(t, "listed"))
	s.Checked = rapid.Bool().Draw(t, "checked")
	if rapid.IntRange(0, 9).Draw(t, "race") == 0 {
		s.LostRace = errors.New("race")
	}
	ids := []string{"k0", "k1", "k2", "k3"}
	n := rapid.IntRange(1, 3).Draw(t, "stores")
	s.Stores = nil
	for i := range n {
		st := StoreState{Name: fmt.Sprint(i), Seen: moment(rapid.IntRange(1, 5).Draw(t, "seen"))}
		st.Identity = fmt.Sprintf("id-%d", i)
		st.Versions = map[secretstore.Stage]secretstore.Version{}
		left := slices.Clone(ids)
		for _, stage := range secretstore.Stages() {
			if rapid.Bool().Draw(t, "held") {
				at := rapid.IntRange(0, len(left)-1).Draw(t, "which")
				st.Versions[stage] = randomVersion(t, left[at])
				left = slices.Delete(left, at, at+1)
			}
		}
		if i > 0 && rapid.IntRange(0, 5).Draw(t, "down") == 0 {
			st.Err = errors.New("down")
		}
		s.Stores = append(s.Stores, st)
	}
	s.Foreign = rapid.IntRange(0, 5).Draw(t, "foreign seen") == 0
	s.Stores[0].Notes.Intent.Nonce = rapid.SampledFrom([]string{"", "n-k3", "other"}).Draw(t, "intent")
	if rapid.Bool().Draw(t, "failed") {
		s.Stores[0].Notes.Failure = secretstore.Failure{Count: 3, At: t0.Add(-time.Minute)}
	}
	for _, id := range ids {
		if rapid.Bool().Draw(t, "listed key") {
			s.made(id, rapid.SampledFrom([]string{ours("n-" + id), "Zapier", keyName{"them", "sending", fingerprint("id-0"), "x"}.String()}).Draw(t, "name"),
				t0.Add(-rapid.SampledFrom([]time.Duration{0, time.Hour, 25 * time.Hour, 200 * 24 * time.Hour}).Draw(t, "made")))
		}
		for i := inMemory; i < n; i++ {
			if rapid.Bool().Draw(t, "tested") {
				age := rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour}).Draw(t, "test age")
				s.Tests[place{i, id}] = test{
					TestCall: TestCall{Verdict: Verdict(rapid.IntRange(0, 2).Draw(t, "verdict")), Err: errors.New("x")},
					First:    t0.Add(-age), At: t0.Add(-age), Seq: moment(rapid.IntRange(1, 5).Draw(t, "seq")), Tries: enough,
					Refused: rapid.IntRange(1, enough).Draw(t, "refused"),
				}
			}
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "orderly") == 0 {
		s.tidy()
	}
	if rapid.IntRange(0, 3).Draw(t, "in hand") == 0 {
		s.InHand = &InHand{ID: "k3", Nonce: "n-k3", Issued: t0.Add(-time.Second)}
	}
	return s
}

// tidy makes every store hold the same tested current key, and the one before:
// the situation in which a key may be revoked, if chance did not spoil it.
func (s State) tidy() {
	for i, st := range s.Stores {
		cur, prev := st.Versions[secretstore.Current], st.Versions[secretstore.Previous]
		delete(st.Versions, secretstore.Pending)
		cur.ID, prev.ID, prev.Foreign = "k1", "k0", false
		st.Versions[secretstore.Current], st.Versions[secretstore.Previous] = cur, prev
		s.testedAs(i, "k1", Valid)
	}
	s.listed("k0", ours("n-k0")).listed("k1", ours("n-k1"))
}

func randomVersion(t *rapid.T, id string) secretstore.Version {
	if rapid.IntRange(0, 5).Draw(t, "foreign") == 0 {
		return secretstore.Version{ID: id, Foreign: true}
	}
	ago := rapid.SampledFrom([]time.Duration{0, time.Hour, 24 * time.Hour, 100 * 24 * time.Hour}).Draw(t, "promoted")
	v := secretstore.Version{ID: id, Account: "org", Promoted: t0.Add(-ago)}
	if rapid.IntRange(0, 5).Draw(t, "promotion lost") == 0 {
		v.Promoted = time.Time{}
	}
	v.Intent = secretstore.Intent{Nonce: "n-" + id, At: t0.Add(-ago), Spec: "campaigns:read", Grace: 24 * time.Hour}
	return v
}

func randomRequest(t *rapid.T) Request {
	r := Request{IgnoreBackoff: rapid.Bool().Draw(t, "ignore backoff"), EndGrace: rapid.IntRange(0, 5).Draw(t, "end grace") == 0}
	if rapid.Bool().Draw(t, "asked") {
		r.RotateSince = t0
	}
	r.NoRotation = r.EndGrace && r.RotateSince.IsZero()
	return r
}

// TestDecideKeepsTheRules checks, on random situations, that no step that the
// rules forbid is ever named.
func TestDecideKeepsTheRules(t *testing.T) {
	named := map[Verb]int{}
	rapid.Check(t, func(t *rapid.T) {
		for range 100 {
			named[checkOne(t)]++
		}
	})
	for _, verb := range []Verb{Reserve, Issue, Try, Stage, Verify, Promote, Revoke, Prove, Destroy, Sweep, Discard, Cancel, Repair, Clear, Observe, List, Check, Settled, Stop} {
		if named[verb] == 0 && verb != Issue && !testing.Short() { // needs an intent of the same run; and many situations
			t.Errorf("no situation led to %q: the rules about it were not tried", verb)
		}
	}
	t.Logf("steps named: %v", named)
}

func checkOne(t *rapid.T) Verb {
	s, p, r := randomState(t), testPolicy(), randomRequest(t)
	step := decide(t0, s, p, r)
	checkStep(t, s, r, step)
	if again := decide(t0, s, p, r); again.Verb != step.Verb || again.ID != step.ID || again.Store != step.Store {
		t.Fatalf("decides %v, then %v on the same facts", step, again)
	}
	return step.Verb
}

func checkStep(t *rapid.T, s State, r Request, step Step) {
	justValid := func(i int, id string) bool {
		x, ok := s.Tests[place{i, id}]
		return ok && x.Verdict == Valid && t0.Sub(x.At) <= fresh
	}
	if r.NoRotation && (step.Verb == Reserve || step.Verb == Promote && step.Store == 0) {
		t.Fatalf("names %s, although no rotation is to begin or to be made current", step.Verb)
	}
	switch step.Verb {
	case Stage:
		if step.Store == 0 && !justValid(inMemory, step.ID) || step.Store > 0 && !justValid(0, step.ID) {
			t.Fatalf("stages %s untested", step.ID)
		}
	case Promote:
		if !justValid(step.Store, step.ID) {
			t.Fatalf("promotes %s, which was not just verified in store %d", step.ID, step.Store)
		}
		if n, _ := parseKeyName(s.Keys[step.ID].Name); step.Store == 0 && n.Nonce != s.Stores[0].Versions[secretstore.Pending].Intent.Nonce {
			t.Fatalf("promotes %s, which the list has as %q", step.ID, s.Keys[step.ID].Name)
		}
		checkDisplaced(t, s, step)
	case Revoke:
		checkKnownOrigin(t, s, step)
		checkRevoke(t, s, r, step, justValid)
	case Sweep:
		checkSweep(t, s, step)
	case Destroy:
		if v, stage, _ := s.Stores[step.Store].Find(step.ID); stage == secretstore.Current {
			t.Fatalf("destroys the current version %+v", v)
		}
	case Discard:
		if x := s.Tests[place{step.Store, step.ID}]; x.Verdict != Invalid && !errors.Is(step.Err, ErrLostRace) {
			t.Fatalf("discards %s on the verdict %s", step.ID, x.Verdict)
		}
		if _, stage, ok := s.Stores[0].Find(step.ID); ok && stage == secretstore.Current {
			t.Fatal("discards the current key")
		}
	case Reserve:
		if _, ok := s.unreadable(); ok && !justInvalid(s) {
			t.Fatal("begins a rotation while a store cannot be read")
		}
	default: // the rules say nothing about the other steps
	}
}

func justInvalid(s State) bool {
	cur, ok := s.current(0)
	return ok && s.Tests[place{0, cur.ID}].Verdict == Invalid
}

// checkDisplaced: promoting forgets the current version where a previous one
// stands, so that must be a key that is dead or not ours.
func checkDisplaced(t *rapid.T, s State, step Step) {
	_, previous := s.Stores[step.Store].Versions[secretstore.Previous]
	cur, current := s.current(step.Store)
	if !previous || !current || cur.Foreign {
		return
	}
	if step.Store > 0 || s.Tests[place{0, cur.ID}].Verdict != Invalid {
		t.Fatalf("promoting %s would forget the living key %s", step.ID, cur.ID)
	}
}

func checkRevoke(t *rapid.T, s State, r Request, step Step, justValid func(int, string) bool) {
	for i, st := range s.Stores {
		cur, ok := s.current(i)
		switch {
		case st.Err != nil:
			t.Fatalf("revokes %s while store %d cannot be read", step.ID, i)
		case !ok && i > 0:
			continue // nobody reads a key there
		case !ok || cur.ID == step.ID || st.Versions[secretstore.Pending].ID == step.ID:
			t.Fatalf("revokes %s, in use in store %d", step.ID, i)
		case !justValid(i, cur.ID):
			t.Fatalf("revokes %s, but current %s of store %d was not just verified", step.ID, cur.ID, i)
		case !r.EndGrace && (cur.Promoted.IsZero() || t0.Before(cur.Promoted.Add(24*time.Hour))):
			t.Fatalf("revokes %s in its grace", step.ID)
		case st.Seen <= s.Tests[place{i, cur.ID}].Seq:
			t.Fatalf("revokes %s without a last reading of store %d", step.ID, i)
		}
	}
}

func checkSweep(t *rapid.T, s State, step Step) {
	checkKnownOrigin(t, s, step)
	k := s.Keys[step.ID]
	for _, st := range s.Stores {
		for _, ver := range st.Versions {
			if other, listed := s.Keys[ver.ID]; listed && !ver.Foreign && !k.Created.After(other.Created) {
				t.Fatalf("sweeps %s, which may have been current before %s", step.ID, ver.ID)
			}
		}
	}
	n, ok := parseKeyName(k.Name)
	if !ok || n.Owner != "instantly-rotator" || !ownStore(s, n.Store) {
		t.Fatalf("sweeps %s, named %q", step.ID, k.Name)
	}
	if s.primary().refersTo(n.Nonce) || n.Nonce == s.primary().Notes.Intent.Nonce || s.referenced(step.ID) || (s.InHand != nil && s.InHand.ID == step.ID) {
		t.Fatalf("sweeps %s, which is referred to", step.ID)
	}
	for i, st := range s.Stores {
		if st.Err != nil || st.Seen <= s.Listed {
			t.Fatalf("sweeps %s on a list that is newer than the reading of store %d", step.ID, i)
		}
	}
}

// checkKnownOrigin: nothing is revoked or swept while consumers may have a value of
// unknown origin, which may be that of any key.
func checkKnownOrigin(t *rapid.T, s State, step Step) {
	for i, st := range s.Stores {
		for stage, ver := range st.Versions {
			if ver.Foreign && (stage != secretstore.Pending || step.Verb == Sweep) {
				t.Fatalf("%s %s, which may be what the version %s of store %d holds", step.Verb, step.ID, ver.ID, i)
			}
		}
	}
	if s.Foreign {
		t.Fatalf("%s %s, although a value of unknown origin was current in this run", step.Verb, step.ID)
	}
}

func ownStore(s State, mark string) bool {
	return slices.ContainsFunc(s.Stores, func(st StoreState) bool { return fingerprint(st.Identity) == mark })
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
