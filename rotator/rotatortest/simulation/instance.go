package simulation

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// instance is one process that runs the rotator.
type instance struct {
	world  *world
	number int // of the place that it runs in
	gone   chan struct{}

	// Guarded by the world's lock.
	dead           bool
	pause          time.Duration // until another one takes its place
	suspendedUntil time.Time
	skew           time.Duration
	fastest        time.Duration // the skew by which it was ahead most
	slowest        time.Duration // and behind

	granted    *pendingCall // the newest; one at a time
	rotator    *rotator.Rotator
	clients    []*instantly.Client // of the workspaces
	workspaces []*rotator.Workspace
	stores     [][]secretstore.Store
	awaits     []secretstore.Store // where each target sees whether its admin key is being replaced
	sinks      [][]sink.Sink
	gates      [][]rotator.Gate
	lastRead   knowledge

	mu       sync.Mutex
	next     []time.Time
	failed   []int
	requests []rotator.Request // commands that it runs, by target
	runs     []surveyed        // the newest of each target
	reported map[string]bool   // targets of which an error was reported in their newest run
	nonces   int
}

// process runs one instance after another, as a supervisor does.
func (w *world) process(place int) {
	for {
		in := w.start(place)
		in.work()
		w.mu.Lock()
		over := w.over || w.restless
		w.mu.Unlock()
		if over {
			return
		}
		time.Sleep(in.pause)
	}
}

func (w *world) start(place int) *instance {
	w.mu.Lock()
	w.started++
	started := w.started
	w.mu.Unlock()
	in := &instance{
		world: w, number: place, gone: make(chan struct{}), lastRead: knowledge{}, reported: map[string]bool{},
		next: make([]time.Time, len(w.targets)), failed: make([]int, len(w.targets)),
		requests: make([]rotator.Request, len(w.targets)), runs: make([]surveyed, len(w.targets)),
	}
	in.rotator = rotator.New(rotator.Options{
		Now: in.now, Observe: in.observe, Instance: fmt.Sprint("instance-", place), Lease: 30 * time.Second,
		Nonce: func() string {
			in.mu.Lock()
			defer in.mu.Unlock()
			in.nonces++
			return fmt.Sprintf("%08x%08x", started, in.nonces)
		},
	})
	in.open()
	return in
}

// open connects the process with the world.
func (in *instance) open() {
	w := in.world
	for i, space := range w.box.Workspaces() {
		client, err := instantly.NewClient(instantly.Options{
			BaseURL: "https://api.instantly.test", Credential: w.credential(i), Transport: transport{in},
			Pacer: instantly.NewPacer(math.Inf(1)), RetryBudget: -1, // the adversary's errors reach the engine
		})
		if err != nil {
			w.t.Fatal(err)
		}
		in.clients = append(in.clients, client)
		in.workspaces = append(in.workspaces, rotator.NewWorkspace(fmt.Sprint("space-", i), apikeys.New(client), space.ID))
	}
	for i, t := range w.targets {
		var stores []secretstore.Store
		for j, s := range t.stores {
			stores = append(stores, s.Open(w.t, in.hook(i, j)))
		}
		in.stores = append(in.stores, stores)
		in.sinks = append(in.sinks, in.sinksOf(t))
		in.gates = append(in.gates, in.gatesOf(t))
		var awaits secretstore.Store
		if w.isMadeWith(t) {
			awaits = w.admin.stores[0].Open(w.t, in.surveying(i))
		}
		in.awaits = append(in.awaits, awaits)
	}
}

func (in *instance) now() time.Time {
	in.world.mu.Lock()
	defer in.world.mu.Unlock()
	return time.Now().Add(in.skew)
}

// target is one as the process reaches it, with the policy that is in force.
func (in *instance) target(i int) rotator.Target {
	t := in.world.targets[i]
	out := rotator.Target{
		Name: t.name, Policy: t.policy, Workspace: in.workspaces[t.workspace], Credential: t.Admin, Sinks: in.sinks[i], Gates: in.gates[i],
	}
	if t.senders != nil {
		out.Workspace, out.Senders = in.apart(), t.senders.reached(in.clients[0])
	}
	if in.world.isMadeWith(t) {
		out.Awaits = rotator.NamedStore{Name: in.world.admin.name, Store: in.awaits[i]}
	}
	for j, s := range in.stores[i] {
		out.Stores = append(out.Stores, rotator.NamedStore{Name: t.stores[j].name, Store: s})
	}
	return out
}

// work reconciles what is due until the process ends.
func (in *instance) work() {
	for !in.ended() {
		in.round(rotator.Request{})
		select {
		case <-in.gone:
		case <-time.After(time.Until(in.soonest())):
		}
	}
}

func (in *instance) ended() bool {
	in.world.mu.Lock()
	defer in.world.mu.Unlock()
	return in.dead || in.world.over || in.world.restless
}

// resync is how often everything is lastRead at besides.
func (w *world) resync() time.Duration { return w.plan.Span / 3 }

func (in *instance) soonest() time.Time {
	at := time.Now().Add(in.world.resync())
	for _, next := range in.next {
		if next.Before(at) {
			at = next
		}
	}
	return at
}

// round reconciles the targets whose time has come, several side by side. Which
// worker a target belongs to is fixed, so that a world takes the same course again.
func (in *instance) round(req rotator.Request) {
	now := time.Now()
	var workers sync.WaitGroup
	for worker := range min(in.world.plan.Workers, len(in.next)) {
		workers.Go(func() {
			time.Sleep(time.Duration(worker) * time.Microsecond) // who comes first is not random either
			for i := worker; i < len(in.next) && !in.ended(); i += in.world.plan.Workers {
				if !in.next[i].After(now) {
					in.reconcile(i, req)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		workers.Wait()
		close(done)
	}()
	select {
	case <-in.gone: // the dead one's goroutines end by themselves
	case <-done:
	}
}

// mostTries is how often a command that is refused is typed again. It is three weeks of
// trying: whoever waits for a grace period without an end (a receiver that stays with the
// previous value) gives up some day, and does not make a world of refusals. Where somebody has
// changed a store that is what must be put right.
func (in *instance) mostTries(t *target) int {
	if in.world.senders != nil && t.tainted {
		return 10
	}
	return 1000
}

// reconcile runs once over a target, and puts down when to run again.
func (in *instance) reconcile(i int, req rotator.Request) rotator.Result {
	t := in.world.targets[i]
	if t.request != nil && t.request.place == in.number {
		in.requests[i], t.request = t.request.Request, nil
	}
	req.BeginAnew = true // stores are not lost here, and there are keys of another deployment that are named alike
	req.RotateSince, req.Incident = in.requests[i].RotateSince, in.requests[i].Incident
	req.TakeOver, req.NoRotation = in.requests[i].TakeOver, in.requests[i].NoRotation
	req.SkipGates = in.requests[i].SkipGates
	in.resetReported(t.name)
	in.began(i)
	res := in.rotator.Reconcile(context.Background(), in.target(i), req)
	if in.ended() {
		return res
	}
	if !req.NoRotation { // that is what was asked for
		in.judgeTold(res)
	}
	if res.Err == nil || in.failed[i] >= in.mostTries(t) || isDoneWith(req.Incident, res) || (req.TakeOver || req.SkipGates != "") && (isUpToPeople(res.Err) || in.failed[i] >= 3) {
		in.requests[i] = rotator.Request{}
	}
	in.next[i] = in.wake(i, res)
	if req.NoRotation {
		in.next[i] = time.Now().Add(time.Minute) // it was somebody's command, beside the daemon
	}
	return res
}

// wake is when the daemon would run again.
func (in *instance) wake(i int, res rotator.Result) time.Time {
	now, resync := time.Now(), time.Now().Add(in.world.resync())
	at := resync
	switch {
	case isUpToPeople(res.Err):
	case res.Err != nil:
		in.failed[i]++
		at = now.Add(min(time.Minute<<min(in.failed[i]-1, 5), 30*time.Minute))
	default:
		in.failed[i] = 0
		if !res.Next.IsZero() {
			at = res.Next.Add(now.Sub(in.now())) // by its own clock
		}
	}
	if at.After(resync) {
		at = resync
	}
	if soonest := now.Add(time.Second); at.Before(soonest) {
		at = soonest
	}
	return at
}

// observe receives every event; none may give a value away.
func (in *instance) observe(e rotator.Event) {
	in.world.mu.Lock()
	defer in.world.mu.Unlock()
	if in.dead {
		return
	}
	if in.world.trace != nil {
		in.world.log("%d   %s", in.number, in.world.keys.numbered(fmt.Sprintf("%s %s %s %s: %v", e.Target, e.Store, e.Verb, e.Reason, e.Err)))
	}
	in.reported[e.Target] = in.reported[e.Target] || e.Err != nil
	if e.Verb == rotator.Declare && e.Err == nil {
		in.world.named(e.Target).stolen = time.Now().Add(-e.Took - slack) // it may have been suspended since
	}
	in.world.keys.judgeError(e)
	if in.world.senders != nil {
		in.world.senders.judgeSentError(e)
	}
}

func (in *instance) resetReported(target string) {
	in.world.mu.Lock()
	defer in.world.mu.Unlock()
	in.reported[target] = false
}

// judgeTold: nothing fails in silence, and a run without an error says what comes
// next (rule 8).
func (in *instance) judgeTold(res rotator.Result) {
	in.world.mu.Lock()
	defer in.world.mu.Unlock()
	switch {
	case res.Err != nil && !in.reported[res.Target]:
		in.world.violate("rule 8: %s failed, and nothing was reported: %v", res.Target, res.Err)
	case res.Err == nil && res.Next.IsZero() && !res.Interrupted:
		in.world.violate("rule 8: %s: a run ended without an error and without a plan: %s", res.Target, res.Why)
	}
}
