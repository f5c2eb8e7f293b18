package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A rotation tests what it stores, and a key that is listed is taken to work from then
// on. Whether consumers can still read it, and what they read is still it, nobody would
// know before the next rotation: so it is read back and tested every while.

const (
	// firstVerify is how long after the start it comes at the latest: a daemon that is
	// restarted every day verifies all the same.
	firstVerify = time.Hour
	// verifyAgain is how much later what failed is tested once more, before anybody is
	// told: one refusal proves nothing, and a rotation may have come between.
	verifyAgain = time.Minute
)

// verifyAll tests what consumers read, again and again, until ctx ends.
func (s *Service) verifyAll(ctx context.Context) {
	interval := func(cfg *config.Config) time.Duration { return min(cfg.VerifyEvery, firstVerify) }
	for since := time.Now(); s.passed(ctx, since, interval); since = time.Now() {
		s.verifyOnce(ctx)
		interval = func(cfg *config.Config) time.Duration { return cfg.VerifyEvery }
	}
}

// verifyOnce goes over all targets, and tells of each store that gives no key that works.
func (s *Service) verifyOnce(ctx context.Context) {
	f := s.running()
	if f.Fleet == nil {
		return
	}
	found := f.Verify(ctx, f.Targets)
	suspects := slices.DeleteFunc(slices.Clone(f.Targets), func(t rotator.Target) bool {
		return !slices.ContainsFunc(found, func(v rotator.Verification) bool { return v.Target == t.Name && isWrong(v) })
	})
	if len(suspects) > 0 && sleep(ctx, min(verifyAgain, s.inForce().VerifyEvery/10)) {
		found = append(found, f.Verify(ctx, suspects)...) // the later answer counts
	}
	if ctx.Err() != nil || s.running().Fleet != f.Fleet {
		return // its stores are closed: nothing that failed means anything
	}
	wrong := 0
	for _, v := range newest(found) {
		if isWrong(v) || v.Verdict == rotator.Valid { // else nothing is known, and the last answer stands
			s.metrics.Verified(v.Target, v.Store, !isWrong(v))
			s.board.Verified(v.Target, v.Store, wrongText(v))
		}
		if isWrong(v) {
			wrong++
			s.tellWrong(v)
		}
	}
	s.Log.Info("verified what consumers read", zap.Int("targets", len(f.Targets)), zap.Int("wrong", wrong))
}

// running gives the fleet that is run; an empty one while there is none.
func (s *Service) running() running {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fleet
}

// newest keeps the last answer of each target and store.
func newest(all []rotator.Verification) (kept []rotator.Verification) {
	for i, v := range all {
		later := slices.ContainsFunc(all[i+1:], func(w rotator.Verification) bool { return w.Target == v.Target && w.Store == v.Store })
		if !later {
			kept = append(kept, v)
		}
	}
	return kept
}

// isWrong tells whether consumers of a store read no key that works, as far as is known:
// what could not be asked of the API is told by the runs, and a store without a key too.
func isWrong(v rotator.Verification) bool {
	switch {
	case v.Err == nil, v.KeyID == "" && errors.Is(v.Err, secretstore.ErrNotFound):
		return false
	case v.Verdict == rotator.Invalid:
		return true
	default:
		return rotator.ClassOf(v.Err).Scope == rotator.ScopeStore
	}
}

// wrongText says what is wrong; empty if nothing is.
func wrongText(v rotator.Verification) string {
	if !isWrong(v) {
		return ""
	}
	return fmt.Sprintf("consumers of store %s get no key that works: %v", v.Store, v.Err)
}

func (s *Service) tellWrong(v rotator.Verification) {
	text := wrongText(v)
	hint := remedy.For(v.Err, v.Target)
	if v.Verdict == rotator.Invalid {
		hint = "see what is stored there; instantly-rotator rotate " + v.Target + " replaces it"
	}
	hint = s.pasted(hint)
	s.Log.Error("verification failed", zap.String("target", v.Target), zap.String("store", v.Store), zap.String("key_id", v.KeyID),
		zap.String("error", v.Err.Error()), zap.String("hint", hint))
	if hint != "" {
		text += "; " + hint
	}
	s.tell(notify.Message{Kind: notify.NeedsPerson, Target: v.Target, Topic: "verify " + v.Store, Text: text, At: s.Now()})
}
