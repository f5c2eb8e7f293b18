package rotator

// Whatever is known, no decision breaks a rule.

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

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
