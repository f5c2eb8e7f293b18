package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/memsink"
)

// Plan is a world before it begins: who lives there, and which faults are injected.
type Plan struct {
	// Seed decides what the plan does not say: the order of the calls.
	Seed uint64
	// Instances is how many processes run the rotator, each of which works on
	// Workers targets side by side.
	Instances, Workers int
	// Workspaces that the targets are spread over.
	Workspaces int
	Targets    []TargetPlan
	// Activation and Revocation are how long a new key does not work yet, and a
	// deleted one still does.
	Activation, Revocation time.Duration
	// Span is how long the adversary is about.
	Span time.Duration
	// Faults in the order of their calls.
	Faults []Fault
}

// TargetPlan is one target.
type TargetPlan struct {
	// Backends of its stores, as indexes of the backends' list, the primary's first.
	Backends []int
	// Interval is when its key falls due, Grace how long the one before lives on.
	Interval, Grace time.Duration
	// Admin: its key is the admin key of the first workspace.
	Admin bool
	// Senders: its secret is not shown but sent, by webhooks of the first workspace.
	Senders *SendersPlan
	// Sinks that its key is given besides, by their kinds; none in most worlds.
	Sinks []memsink.Kind
	// Gates that old keys wait for besides; none in most worlds.
	Gates []GatePlan
}

// NewPlan draws the world of a seed. Most worlds are small, since a small world
// is as good a place for a crash as a large one, and is over sooner; some have up
// to 50 targets.
func NewPlan(seed uint64, backends []Backend) Plan {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the same world every time
	p := Plan{
		Seed:       seed,
		Instances:  pick(random, 1, 1, 2, 2, 3),
		Workers:    pick(random, 1, 1, 2, 3),
		Workspaces: pick(random, 1, 1, 1, 2, 3),
		Activation: pick(random, 0, 0, 0, 0, time.Second, 5*time.Second),
		Revocation: pick(random, 0, 0, 0, 0, time.Second, 5*time.Second),
	}
	interval := pick(random, 7*day, 30*day, 90*day)
	for range targetsIn(random) {
		t := TargetPlan{
			Interval: pick(random, interval, interval, interval/2),
			Grace:    pick(random, time.Hour, day, 3*day),
		}
		for range pick(random, 1, 1, 1, 2, 2, 3) {
			t.Backends = append(t.Backends, backendFor(random, backends))
		}
		p.Targets = append(p.Targets, t)
	}
	p.Span = time.Duration(pick(random, 6, 12, 12, 25)) * interval / 10
	p.Faults = faults(random, &p)
	adoptions(&p)
	adminKey(&p, backends)
	sendersKept(&p, backends)
	sinksKept(&p)
	gatesKept(&p)
	return p
}

// adoptions has people adopt keys in one of five worlds. The others are what their seeds
// stood for before there was adoption.
func adoptions(p *Plan) {
	if p.Seed%5 != 0 {
		return
	}
	random := rand.New(rand.NewPCG(p.Seed, 3)) //nolint:gosec // the same world every time
	for range 1 + random.IntN(3) {
		f := &p.Faults[random.IntN(10)] // later ones may come after the end
		f.Kind, f.For, f.Pick = pick(random, Adopt, Adopt, AdoptWrong), 0, random.IntN(1<<20)
	}
}

const day = 24 * time.Hour

// targetsIn draws the size of a world.
func targetsIn(random *rand.Rand) int {
	switch n := random.IntN(500); {
	case n < 430:
		return 1
	case n < 490:
		return 2 + random.IntN(2)
	case n < 499:
		return 4 + random.IntN(7)
	default:
		return 11 + random.IntN(40)
	}
}

func backendFor(random *rand.Rand, backends []Backend) int {
	sum := 0
	for _, b := range backends {
		sum += b.Weight
	}
	at := random.IntN(sum)
	for i, b := range backends {
		if at -= b.Weight; at < 0 {
			return i
		}
	}
	return 0
}

func pick[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// String tells what a person wants to know of a world.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d targets in %d workspaces, %d instances with %d workers, activation %s, revocation %s, %s\n",
		p.Seed, len(p.Targets), p.Workspaces, p.Instances, p.Workers, p.Activation, p.Revocation, p.Span)
	for i, t := range p.Targets {
		kept := "target"
		if t.Admin {
			kept = "the admin key, target"
		}
		fmt.Fprintf(&b, "  %s %d: backends %v, every %s, grace %s\n", kept, i, t.Backends, t.Interval, t.Grace)
		if t.Senders != nil {
			fmt.Fprintf(&b, "    sent by webhooks: %+v\n", *t.Senders)
		}
		if len(t.Sinks) > 0 {
			fmt.Fprintf(&b, "    sinks: %+v\n", t.Sinks)
		}
		if len(t.Gates) > 0 {
			fmt.Fprintf(&b, "    gates: %+v\n", t.Gates)
		}
	}
	for _, s := range p.Faults {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	return b.String()
}
