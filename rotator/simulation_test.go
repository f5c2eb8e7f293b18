package rotator_test

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest/simulation"
)

// simulate are the flags of TestSimulation.
var simulate = struct {
	runs     *int
	seed     *uint64
	faults   *string
	workers  *int
	progress *time.Duration
	all      *bool
	plain    *bool
}{
	flag.Int("sim.runs", 300, "how many worlds to simulate"),
	flag.Uint64("sim.seed", 1, "seed of the first world; the others follow it"),
	flag.String("sim.faults", "", `keep only these faults of the world of -sim.seed, as in "3,7"; "none" for none`),
	flag.Int("sim.workers", 2, "worlds side by side"),
	flag.Duration("sim.progress", 0, "how often to say how far it is; 0 for never"),
	flag.Bool("sim.all", false, "let all worlds live, whatever happens in one"),
	flag.Bool("sim.plain", false, "leave a world that breaks a rule as it was drawn"),
}

// TestSimulation lets the engine live for months in worlds that are drawn from
// seeds, where everything goes wrong: see package simulation.
//
//	go test ./rotator -run TestSimulation -sim.runs=10000 -sim.seed=1
func TestSimulation(t *testing.T) {
	withoutRandomRetries(t)
	if testing.Short() {
		*simulate.runs = min(*simulate.runs, 60)
	}
	if *simulate.faults != "" {
		replay(t, *simulate.seed, *simulate.faults)
		return
	}
	simulation.Run(t, simulation.Options{
		Seed: *simulate.seed, Runs: *simulate.runs, Workers: *simulate.workers, Backends: simulated(),
		All: *simulate.all, Plain: *simulate.plain, Progress: *simulate.progress,
	})
}

// withoutRandomRetries keeps AWS's SDK from repeating calls after waits of random length: the adversary's errors reach the store, and a world is replayed exactly.
func withoutRandomRetries(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	t.Setenv("AWS_CA_BUNDLE", "") // nor from reading certificates for each process
}

// replay lets one world live again, with some of its faults.
func replay(t *testing.T, seed uint64, faults string) {
	t.Helper()
	p, err := simulation.NewPlan(seed, simulated()).Keep(faults)
	if err != nil {
		t.Fatal(err)
	}
	o := simulation.Live(t, p, simulated(), true)
	t.Logf("%s\n%s", p, o.Trace)
	for _, v := range o.Violations {
		t.Error(v)
	}
}

// Worlds in which an earlier engine broke a rule, with the faults that it took.
//
//   - 3128477: a key of ours is put back by hand on GCP while the one before is revoked.
//     The same run rotates, the store forgets the key that was displaced by hand, and it
//     was swept at once.
//   - 933418: the record of a GCP secret is wiped while a version is added. That version
//     was taken away again, and the newest one gave nothing.
//   - 365513: a process gave up the very first key at GCP, and was killed before it had destroyed
//     the version: the key was revoked while readers of latest got it.
//   - 613700: a key is stored at AWS, which takes long to say so; another instance promotes it,
//     and people replace it twice. Whoever had issued it then revoked it, as one that was
//     never stored.
func TestWorldsThatOnceBrokeARule(t *testing.T) {
	withoutRandomRetries(t)
	for seed, faults := range map[uint64]string{3128477: "1,4,5,6,8,10", 933418: "0,1,3,4,5,6,7,8,9,10,11,14,15,16", 365513: "0,1,2,3,4,5,6", 613700: "0,1,2,3"} {
		p, err := simulation.NewPlan(seed, simulated()).Keep(faults)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range simulation.Live(t, p, simulated(), false).Violations {
			t.Errorf("seed %d: %s", seed, v)
		}
	}
}

// A world takes the same course whenever it is lived again: else a seed would not
// be worth reporting.
func TestAWorldIsReplayedExactly(t *testing.T) {
	withoutRandomRetries(t)
	for seed := range uint64(40) {
		p := simulation.NewPlan(seed, simulated())
		first, again := simulation.Live(t, p, simulated(), true), simulation.Live(t, p, simulated(), true)
		if a, b := course(first.Trace), course(again.Trace); a != b {
			t.Errorf("seed %d took another course:\n%s", seed, cmp.Diff(a, b))
		}
	}
}

// course gives the calls of a trace, without the texts of errors: they name
// folders and revisions, which are random.
func course(trace string) string {
	var calls []string
	for line := range strings.Lines(trace) {
		if call, _, _ := strings.Cut(line[len("01-02 15:04:05.000"):], ": "); !strings.Contains(call, "   ") {
			calls = append(calls, line[:len("01-02 15:04:05.000")]+strings.TrimSpace(call))
		}
	}
	return strings.Join(calls, "\n")
}
