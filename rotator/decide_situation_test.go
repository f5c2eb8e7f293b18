package rotator

// Situations in which the rules decide, in their own words.

import (
	"errors"
	"time"

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

// passed: a gate said so in this run of a key that every store had since then.
func (s State) passed(id string, since time.Time) State {
	s.Gates = append(s.Gates, gateResult{of: Move{KeyID: id, Since: since, Old: []string{"k0"}}})
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
