package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func promoteMutants() []mutant {
	promote := func(bend func(b *bent, ctx ctxt, seen snap, id string, at time.Time) (snap, error)) func(*bent) {
		return func(b *bent) {
			b.promote = func(ctx ctxt, seen snap, id string, at time.Time) (snap, error) { return bend(b, ctx, seen, id, at) }
		}
	}
	return []mutant{
		{"the displaced version is forgotten", promote(func(b *bent, ctx ctxt, seen snap, id string, at time.Time) (snap, error) {
			done, err := b.base.Promote(ctx, seen, id, at)
			if err != nil {
				return done, err
			}
			return b.base.Destroy(ctx, done, seen.Versions[secretstore.Current].ID)
		}), []string{
			"Promote moves pending to current and current to previous",
			"Promote displaces a value put by hand to previous",
		}},
		{"there always is a previous version", func(b *bent) {
			b.out = func(s snap) snap {
				if _, ok := s.Versions[secretstore.Previous]; !ok && len(s.Versions) > 0 {
					s.Versions[secretstore.Previous] = vers{ID: "none"}
				}
				return s
			}
		}, []string{"Promote of the first version leaves no previous"}},
		{"the store's own clock is the promotion time", promote(func(b *bent, ctx ctxt, seen snap, id string, _ time.Time) (snap, error) {
			return b.base.Promote(ctx, seen, id, time.Now())
		}), []string{"Promote records its time"}},
		{"the current version loses its intent", func(b *bent) {
			b.out = showStage(secretstore.Current, func(v *vers) { v.Intent = secretstore.Intent{} })
		}, []string{"Promote keeps the record of the version it makes current"}},
		{"the current version forgets how it was taken over", func(b *bent) {
			b.out = showStage(secretstore.Current, func(v *vers) { v.Intent.Adopted = "" })
		}, []string{"A value put by hand can be taken over under an id of its own"}},
		{"the previous version loses its promotion time", func(b *bent) {
			b.out = showStage(secretstore.Previous, func(v *vers) { v.Promoted = time.Time{} })
		}, []string{"A displaced version keeps its record", "A version displaced by hand keeps its record"}},
		{"a standing previous version is pushed out", promote(func(b *bent, ctx ctxt, seen snap, id string, at time.Time) (snap, error) {
			if seen.Versions[secretstore.Pending].ID == id {
				cleared, err := b.base.Destroy(ctx, seen, seen.Versions[secretstore.Previous].ID)
				if err != nil {
					return snap{}, err
				}
				seen = cleared
			}
			return b.base.Promote(ctx, seen, id, at)
		}), []string{"Promote keeps a standing previous version and forgets the displaced"}},
		{"promote clears the notes", promote(func(b *bent, ctx ctxt, seen snap, id string, at time.Time) (snap, error) {
			done, err := b.base.Promote(ctx, seen, id, at)
			if err != nil {
				return done, err
			}
			return b.base.Annotate(ctx, done, notes{})
		}), []string{"Promote leaves the notes alone"}},
		{"promoting again moves the time", promote(func(b *bent, ctx ctxt, seen snap, id string, at time.Time) (snap, error) {
			if seen.Versions[secretstore.Current].ID == id {
				b.base.ForgetPromoted()
				seen = b.now()
			}
			return b.base.Promote(ctx, seen, id, at)
		}), []string{"Promote of the current version changes nothing"}},
		{"a lost promotion time stays lost", promote(func(b *bent, ctx ctxt, seen snap, id string, at time.Time) (snap, error) {
			if seen.Versions[secretstore.Current].ID == id {
				return seen, nil
			}
			return b.base.Promote(ctx, seen, id, at)
		}), []string{"Promote of the current version records a time that was not known"}},
		{"a later promotion time is not recorded", promote(func(b *bent, ctx ctxt, seen snap, id string, at time.Time) (snap, error) {
			if current := seen.Versions[secretstore.Current]; current.ID == id && !current.Promoted.IsZero() {
				return seen, nil
			}
			return b.base.Promote(ctx, seen, id, at)
		}), []string{"Promote of the current version records a later time"}},
		{"promoting the unknown succeeds", promote(func(b *bent, ctx ctxt, seen snap, id string, at time.Time) (snap, error) {
			done, err := b.base.Promote(ctx, seen, id, at)
			if errors.Is(err, secretstore.ErrNotFound) {
				return seen, nil
			}
			return done, err
		}), []string{"Promote of a version neither pending nor current is not found"}},
		{"for a moment nothing is current", func(b *bent) {
			var gap atomic.Bool
			var observed atomic.Int64
			b.promote = func(ctx ctxt, seen snap, id string, at time.Time) (snap, error) {
				if _, _, held := seen.Find(id); held && len(seen.Versions) > 1 {
					gap.Store(true)
					for observed.Load() == 0 {
						runtime.Gosched()
					}
					gap.Store(false)
				}
				return b.base.Promote(ctx, seen, id, at)
			}
			b.out = func(s snap) snap {
				if gap.Load() {
					delete(s.Versions, secretstore.Current)
					observed.Add(1)
				}
				return s
			}
		}, []string{"Readers of current always find a value"}},
	}
}

func destroyMutants() []mutant {
	without := func(stage secretstore.Stage) func(*bent) {
		return func(b *bent) {
			b.destroy = func(ctx ctxt, seen snap, id string) (snap, error) {
				if seen.Versions[stage].ID == id {
					return seen, nil
				}
				return b.base.Destroy(ctx, seen, id)
			}
		}
	}
	return []mutant{
		{"a pending version stays", without(secretstore.Pending), []string{"Destroy forgets the pending version"}},
		{"a previous version stays", without(secretstore.Previous), []string{"Destroy forgets the previous version"}},
		{"destroying current says it is done", without(secretstore.Current), []string{"Destroy of the current version is a conflict"}},
		{"destroying the unknown fails", func(b *bent) {
			b.destroy = func(ctx ctxt, seen snap, id string) (snap, error) {
				if _, _, held := seen.Find(id); !held {
					return snap{}, secretstore.ErrNotFound
				}
				return b.base.Destroy(ctx, seen, id)
			}
		}, []string{"Destroy of a version that is not held changes nothing"}},
		{"destroy clears the notes", func(b *bent) {
			b.destroy = func(ctx ctxt, seen snap, id string) (snap, error) {
				done, err := b.base.Destroy(ctx, seen, id)
				if err != nil {
					return done, err
				}
				return b.base.Annotate(ctx, done, notes{})
			}
		}, []string{"Destroy leaves the notes and the other versions alone"}},
	}
}

func swapMutants() []mutant {
	return []mutant{
		{"annotate does not compare", func(b *bent) {
			b.annotate = func(ctx ctxt, _ snap, n notes) (snap, error) { return b.base.Annotate(ctx, b.now(), n) }
		}, []string{"Annotate on a stale snapshot is a conflict", "Of many annotates at once exactly one wins"}},
		{"stage does not compare", func(b *bent) {
			b.stage = func(ctx ctxt, _ snap, v vers, value secret.Value) (snap, error) {
				return b.base.Stage(ctx, b.now(), v, value)
			}
		}, []string{
			"Stage on a stale snapshot is a conflict", "Of many stages at once exactly one wins",
			"A value put by hand makes snapshots stale", "A stale snapshot is a conflict also where nothing would change",
		}},
		{"promote does not compare", func(b *bent) {
			b.promote = func(ctx ctxt, _ snap, id string, at time.Time) (snap, error) {
				return b.base.Promote(ctx, b.now(), id, at)
			}
		}, []string{"Promote on a stale snapshot is a conflict", "Of many promotes at once exactly one wins"}},
		{"destroy does not compare", func(b *bent) {
			b.destroy = func(ctx ctxt, _ snap, id string) (snap, error) { return b.base.Destroy(ctx, b.now(), id) }
		}, []string{"Destroy on a stale snapshot is a conflict", "Of many destroys at once exactly one wins"}},
		{"writes return what was seen", func(b *bent) {
			b.annotate = func(ctx ctxt, seen snap, n notes) (snap, error) {
				_, err := b.base.Annotate(ctx, seen, n)
				return seen, err
			}
		}, []string{"A write returns the snapshot that Describe gives", "A write goes on from the snapshot that the last one returned"}},
	}
}

func errorMutants() []mutant {
	return []mutant{
		{"contexts are ignored", func(b *bent) {
			b.describe = func(ctxt) (snap, error) { return b.base.Describe(context.Background()) }
		}, []string{"A call under a cancelled context is unavailable"}},
		{"an error quotes the value", func(b *bent) {
			b.stage = func(ctx ctxt, seen snap, v vers, value secret.Value) (snap, error) {
				done, err := b.base.Stage(ctx, seen, v, value)
				if err != nil {
					err = fmt.Errorf("store %q: %w", value.Reveal(), err)
				}
				return done, err
			}
		}, []string{"No error shows a value"}},
		{"a write that fails acts at the other end", func(b *bent) {
			b.lever.FailNextWrite = func(_ *testing.T, afterEffect bool) { b.failOnce(!afterEffect) }
		}, []string{"A write that failed before its effect changed nothing", "A write that failed after its effect happened whole"}},
		{"a value put by hand passes for ours", func(b *bent) {
			b.out = showStage(secretstore.Current, func(v *vers) { v.Foreign = false })
		}, []string{"A value put by hand is current and foreign"}},
	}
}
