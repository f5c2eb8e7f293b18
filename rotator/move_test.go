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
