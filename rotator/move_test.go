package rotator_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// patient is a gate that is passed an hour after the promotion, and says so.
type patient struct{ moves []rotator.Move }

func (*patient) Name() string { return "audit log" }

func (p *patient) Pass(_ context.Context, m rotator.Move) error {
	p.moves = append(p.moves, m)
	if open := m.Since.Add(time.Hour); len(m.Old) > 0 && time.Now().Before(open) {
		return &rotator.AskAgainError{At: open, Err: rotator.ErrGateOpen}
	}
	return nil
}

func TestGateLearnsWhichKeysWereDisplacedAndWhen(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		p := &patient{}
		first := mustSettle(t, w.Start().runWith(p)).KeyID
		time.Sleep(due)
		res := mustSettle(t, w.Start().runWith(p))
		if m := p.moves[0]; m.KeyID != first || len(m.Old) != 0 {
			t.Errorf("the first key displaced nothing, but: %+v", m)
		}
		m := p.moves[len(p.moves)-1]
		if m.KeyID != res.KeyID || !slices.Equal(m.Old, []string{first}) || time.Since(m.Since) > time.Minute {
			t.Errorf("told of %+v, want that %s took the place of %s just now", m, res.KeyID, first)
		}
		if wait := time.Until(res.Next); wait < 58*time.Minute || wait > 61*time.Minute { // promotions are written down late
			t.Errorf("asked again in %s, want in an hour as the gate said", wait)
		}
		asked := len(p.moves)
		time.Sleep(time.Until(res.Next))
		mustSettle(t, w.Start().runWith(p))
		if len(p.moves) != asked+1 {
			t.Errorf("asked %d times", len(p.moves)-asked)
		}
	})
}

// Somebody puts one key and then another into the second store while the pods restart. It gets
// the new one again: what the gate said before is no answer any more.
func TestGateIsToldWhenAStoreHadAnotherKeyMeanwhile(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		p := &patient{}
		mustSettle(t, w.Start().runWith(p))
		time.Sleep(due)
		second := mustSettle(t, w.Start().runWith(p)).KeyID
		told := p.moves[len(p.moves)-1].Since
		time.Sleep(10 * time.Minute)
		w.stores[1].PutByHand(w.Instantly.Add("somebody's").Key.Value)
		mustSettle(t, w.Start().runWith(p))
		if m := p.moves[len(p.moves)-1]; !m.Since.IsZero() || slices.Contains(m.Old, second) {
			t.Errorf("told of %+v, want the new key not to be an old one, and that it is not known since when it is everywhere", m)
		}
		w.stores[1].PutByHand(w.Instantly.Add("somebody else's").Key.Value)
		mustSettle(t, w.Start().runWith(p))
		if m := p.moves[len(p.moves)-1]; m.KeyID != second || !m.Since.After(told.Add(9*time.Minute)) {
			t.Errorf("told of %+v, want that %s is everywhere since just now, not since %s", m, second, told)
		}
	})
}
