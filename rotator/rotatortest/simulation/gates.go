package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// GatePlan is a group of consumers that is waited for before an old key is revoked.
type GatePlan struct {
	// Rollout: they read the key when they are restarted only, which the gate brings about,
	// and which takes For. The others read it by themselves, every For; their gate sees
	// which keys are in use.
	Rollout bool
	For     time.Duration
	// Store that they read, of the target's.
	Store int
}

// gatesKept gives targets gates in one of seven worlds. The others are what their seeds stood
// for before there was that.
func gatesKept(p *Plan) {
	if p.Seed%7 != 4 {
		return
	}
	random := rand.New(rand.NewPCG(p.Seed, 8)) //nolint:gosec // the same world every time
	var gated []int
	for i := range p.Targets {
		t := &p.Targets[i]
		if t.Senders != nil || i > 0 && random.IntN(2) == 0 {
			continue // receivers have gates of their own kind: see senders.go
		}
		gated = append(gated, i)
		for range pick(random, 1, 1, 1, 2) {
			t.Gates = append(t.Gates, drawGate(random, t))
		}
	}
	if len(gated) == 0 {
		return
	}
	for range random.IntN(6) {
		f := &p.Faults[random.IntN(15)] // later ones may come after the end
		f.Kind, f.Pick = pick(random, aboutGates()...), random.IntN(1<<15)*len(p.Targets)+pick(random, gated...)
		f.For = lasting(random, f.Kind, p)
	}
}

func drawGate(random *rand.Rand, t *TargetPlan) GatePlan {
	g := GatePlan{Rollout: random.IntN(2) == 0, Store: random.IntN(len(t.Backends))}
	if g.Rollout {
		g.For = pick(random, time.Second, 30*time.Second, 5*time.Minute, 30*time.Minute, 2*t.Grace)
	} else {
		g.For = pick(random, t.Grace/2, t.Grace/2, 2*t.Grace, 5*t.Grace)
	}
	return g
}

// aboutGates are what people do about consumers, and ask of the rotator, and what gates fail at.
func aboutGates() []Kind {
	return []Kind{Force, Force, Force, Force, Rollback, Put, Stuck, Stuck, SkipGates}
}

// gate is a group of consumers that is waited for, with what they have.
type gate struct {
	GatePlan
	name      string
	world     *world
	store     *store
	consumers []consumer
	// restarted is what they were last restarted for.
	restarted rotator.Move
	// Until then nobody can tell whether they have moved.
	unknownUntil time.Time
	// told is when it told, by the call.
	told map[int]time.Time
}

// consumer is one that keeps what it read from the store.
type consumer struct {
	phase   time.Duration // when it reads, of those that do by themselves
	read    time.Time     // when it last did
	restart time.Time     // when it will be restarted, and reads again; zero if it will not
}

// newGates are a target's.
func (w *world) newGates(t *target) {
	for i, p := range t.Gates {
		what := "use"
		if p.Rollout {
			what = "rollout"
		}
		g := &gate{GatePlan: p, name: fmt.Sprintf("%s@%s-%d", t.name, what, i), world: w, store: t.stores[p.Store], told: map[int]time.Time{}}
		for range 2 {
			g.consumers = append(g.consumers, consumer{phase: time.Duration(w.random.Int64N(int64(p.For)))})
		}
		t.gates = append(t.gates, g)
	}
}

// interval is how often those read who do by themselves, or how long a restart takes. In the
// end both are short.
func (g *gate) interval() time.Duration {
	if g.world.rests {
		return min(g.For, time.Minute)
	}
	return g.For
}

// holds gives the key that a consumer has, and since when. Who found none goes on asking
// until there is one.
func (g *gate) holds(c *consumer) (value string, since time.Time) {
	now := time.Now()
	switch {
	case !g.Rollout:
		c.read = now.Add(-(time.Duration(now.UnixNano()) + c.phase) % g.interval())
	case !c.restart.IsZero() && !c.restart.After(now):
		c.read, c.restart = c.restart, time.Time{}
	}
	value = g.store.at(c.read)
	if value == "" && len(g.store.history) > 0 {
		c.read = g.store.history[0].from
		value = g.store.history[0].value
	}
	return value, c.read
}

// pass brings consumers to the new key, and tells whether they have moved.
func (g *gate) pass(m rotator.Move) error {
	if time.Now().Before(g.unknownUntil) {
		return errors.New("nobody can tell")
	}
	if g.Rollout {
		return g.roll(m)
	}
	for i := range g.consumers {
		c := &g.consumers[i]
		if value, since := g.holds(c); g.world.isOneOf(value, m.Old) {
			return &rotator.AskAgainError{At: since.Add(g.interval()), Err: fmt.Errorf("consumer %d: %w", i, rotator.ErrGateOpen)}
		}
	}
	return nil
}

// roll restarts the consumers one after the other, once for each key, and for each time that
// a store had another one meanwhile.
func (g *gate) roll(m rotator.Move) error {
	begins := g.restarted.KeyID != m.KeyID || m.Since.After(g.restarted.Since)
	if begins {
		g.restarted = m
	}
	under := false
	for i := range g.consumers {
		c := &g.consumers[i]
		g.holds(c)
		if begins {
			c.restart = time.Now().Add(g.interval() * time.Duration(i+1) / time.Duration(len(g.consumers)))
		}
		under = under || !c.restart.IsZero()
	}
	if under {
		return fmt.Errorf("the restart goes on: %w", rotator.ErrGateOpen)
	}
	return nil
}

// isOneOf tells whether a value is a key's that is listed.
func (w *world) isOneOf(value string, ids []string) bool {
	k := w.keys.of(value)
	return k != nil && slices.Contains(ids, k.id)
}

// delay has a restart take longer, or keeps from everybody whether consumers have moved.
func (g *gate) delay(d time.Duration) {
	rolls := false
	for i := range g.consumers {
		c := &g.consumers[i]
		g.holds(c)
		if !c.restart.IsZero() {
			c.restart, rolls = c.restart.Add(d), true
		}
	}
	if !rolls {
		g.unknownUntil = time.Now().Add(d)
	}
}

// restGates lets the restarts end that are under way.
func (w *world) restGates() {
	for _, t := range w.targets {
		for _, g := range t.gates {
			g.unknownUntil = time.Time{}
			for i := range g.consumers {
				if c := &g.consumers[i]; c.restart.After(time.Now()) {
					c.restart = time.Now()
				}
			}
		}
	}
}

// reachedGate is a gate as a process reaches it.
type reachedGate struct {
	*gate
	in *instance
}

// Name implements [rotator.Gate].
func (g reachedGate) Name() string { return g.name }

// Pass implements [rotator.Gate].
func (g reachedGate) Pass(ctx context.Context, m rotator.Move) error {
	c := g.in.ask(g.name+" passes", false)
	if c.refused != nil {
		return c.refused
	}
	if err := ctx.Err(); err != nil {
		return err // it was given up meanwhile
	}
	said := g.pass(m)
	g.in.lastRead[g.name], g.told[g.world.calls] = g.world.calls, time.Now()
	g.world.log("%s: %v", g.name, said)
	if lost := g.in.answered(c); lost != nil {
		return lost
	}
	return said
}

// gatesOf are a target's as the process reaches them.
func (in *instance) gatesOf(t *target) (all []rotator.Gate) {
	for _, g := range t.gates {
		all = append(all, reachedGate{g, in})
	}
	return all
}

// injectIntoGates has something happen to a target's consumers; false if the fault is another
// one.
func (w *world) injectIntoGates(at *target, s Fault) bool {
	if len(at.gates) == 0 {
		return s.Kind == Stuck || s.Kind == SkipGates
	}
	switch s.Kind {
	case Stuck:
		at.gates[s.Pick/len(w.targets)%len(at.gates)].delay(s.For)
	case SkipGates:
		at.request, at.unawaited = w.command(rotator.Request{SkipGates: "they are gone", NoRotation: true}, s), true
	default:
		return false
	}
	return true
}

// judgeGates: no key goes that consumers have who are waited for, as far as the gate could say
// when it was asked.
func (w *world) judgeGates(by knowledge, t *target, k *key) {
	if t.graceless || t.unawaited {
		return
	}
	for _, g := range t.gates {
		asked := g.told[by[g.name]]
		for i := range g.consumers {
			value, since := g.holds(&g.consumers[i])
			if value == k.value && (asked.IsZero() || !since.After(asked)) {
				w.violate("rule 3: key %d was revoked while consumer %d behind %s has it", k.number, i, g.name)
			}
		}
	}
}
