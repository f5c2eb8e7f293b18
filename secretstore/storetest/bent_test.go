package storetest_test

import (
	"context"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// bent is a memstore with a planted bug: a mutant replaces some of the calls
// or some of the harness's levers.
type bent struct {
	base  *memstore.Store
	lever storetest.Secret

	// in bends the snapshot that a write is given, out the one that any call
	// gives.
	in, out func(secretstore.Snapshot) secretstore.Snapshot

	describe func(context.Context) (secretstore.Snapshot, error)
	annotate func(context.Context, secretstore.Snapshot, secretstore.Notes) (secretstore.Snapshot, error)
	stage    func(context.Context, secretstore.Snapshot, secretstore.Version, secret.Value) (secretstore.Snapshot, error)
	read     func(context.Context, string) (secret.Value, error)
	promote  func(context.Context, secretstore.Snapshot, string, time.Time) (secretstore.Snapshot, error)
	destroy  func(context.Context, secretstore.Snapshot, string) (secretstore.Snapshot, error)
}

var _ secretstore.Store = (*bent)(nil)

// straight is a bent store without a bug yet.
func straight() *bent {
	base := memstore.New("")
	same := func(s secretstore.Snapshot) secretstore.Snapshot { return s }
	b := &bent{
		base: base, in: same, out: same,
		describe: base.Describe, annotate: base.Annotate, stage: base.Stage,
		read: base.Read, promote: base.Promote, destroy: base.Destroy,
	}
	b.lever = storetest.Secret{
		Open:           func(*testing.T) secretstore.Store { return b },
		PutByHand:      func(_ *testing.T, v secret.Value) { base.PutByHand(v) },
		ForgetPromoted: func(*testing.T) { base.ForgetPromoted() },
		FailNextWrite:  func(_ *testing.T, afterEffect bool) { b.failOnce(afterEffect) },
	}
	return b
}

func (b *bent) failOnce(afterEffect bool) {
	b.base.Fault = func(op string, when memstore.When) error {
		if op == "describe" || op == "read" || (when == memstore.After) != afterEffect {
			return nil
		}
		b.base.Fault = nil
		return secretstore.ErrUnavailable
	}
}

// now is what the base holds, whatever the bug shows.
func (b *bent) now() secretstore.Snapshot {
	snap, err := b.base.Describe(context.Background())
	if err != nil {
		panic(err)
	}
	return snap
}

func (b *bent) Describe(ctx context.Context) (secretstore.Snapshot, error) {
	snap, err := b.describe(ctx)
	return b.out(snap), err
}

func (b *bent) Annotate(ctx context.Context, seen secretstore.Snapshot, n secretstore.Notes) (secretstore.Snapshot, error) {
	snap, err := b.annotate(ctx, b.in(seen), n)
	return b.out(snap), err
}

func (b *bent) Stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, value secret.Value) (secretstore.Snapshot, error) {
	snap, err := b.stage(ctx, b.in(seen), v, value)
	return b.out(snap), err
}

func (b *bent) Read(ctx context.Context, id string) (secret.Value, error) { return b.read(ctx, id) }

func (b *bent) Promote(ctx context.Context, seen secretstore.Snapshot, id string, at time.Time) (secretstore.Snapshot, error) {
	snap, err := b.promote(ctx, b.in(seen), id, at)
	return b.out(snap), err
}

func (b *bent) Destroy(ctx context.Context, seen secretstore.Snapshot, id string) (secretstore.Snapshot, error) {
	snap, err := b.destroy(ctx, b.in(seen), id)
	return b.out(snap), err
}

// showStage bends what is shown of one stage.
func showStage(stage secretstore.Stage, bend func(*secretstore.Version)) func(secretstore.Snapshot) secretstore.Snapshot {
	return func(s secretstore.Snapshot) secretstore.Snapshot {
		if v, ok := s.Versions[stage]; ok {
			bend(&v)
			s.Versions[stage] = v
		}
		return s
	}
}
