package main_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestCrashAtRandomInstantsIsMadeGood kills rotations wherever they happen to
// be, one after the other on the same stores: what one kill leaves, the next run
// finds.
func TestCrashAtRandomInstantsIsMadeGood(t *testing.T) {
	const labs = 3
	kills := 25
	if testing.Short() {
		kills = 4
	}
	for i := range labs {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("lab ", i), func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			l := newLab(t, "grace_period: 1h")
			killed := l.killAtRandom(rand.New(rand.NewPCG(seed, 0)), kills)
			t.Logf("%d runs begun, %d of them killed before they ended; settled in %d", kills, killed, l.settle())
			l.mustRun("rotate", "--force") // stray files go with the next write
			l.settle()
			l.wantNothingLeftBehind()
		})
	}
}

// killAtRandom begins rotations, and in turn the ends of their grace periods,
// and kills each at an instant between its beginning and a little after its end.
func (l *lab) killAtRandom(random *rand.Rand, kills int) (killed int) {
	l.Helper()
	begun := time.Now()
	l.mustRun("rotate")
	usual := time.Since(begun)
	for i := range kills {
		args := []string{"rotate", "--due", "--force", "--end-grace"}
		if i%2 == 1 {
			args = []string{"rotate", "--force"}
		}
		run := l.start(args...)
		timer := time.AfterFunc(time.Duration(random.Int64N(int64(usual))), func() { _ = run.Process.Kill() })
		if code, err := codeOf(run.Wait()); err != nil || code < 0 {
			killed++
		}
		timer.Stop()
		l.wantConsumersServed(fmt.Sprintf("after kill %d", i+1))
	}
	return killed
}
