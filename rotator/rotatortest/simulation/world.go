package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// owner is whose keys are ours.
const owner = "sim"

// world is a plan come true.
type world struct {
	t       testing.TB
	plan    Plan
	box     *sandbox.Server
	targets []*target
	keys    *keys
	random  *rand.Rand // the order of the calls

	mu      sync.Mutex
	waiting []*pendingCall
	arrived chan struct{}
	over    bool
	calls   int
	// restless: there is no end of the calls; the world is over. The month and monthCalls tell:
	// since when, and how many calls there had been.
	restless   bool
	month      time.Time
	monthCalls int
	faults     []Fault   // still to come
	postman    *instance // brings what is late
	rests      bool      // the adversary

	floodUntil, outageUntil, storesOutUntil time.Time
	processes                               sync.WaitGroup
	started, adoptions                      int

	senders *senders // the webhooks that send a target's secret; nil if there is none
	admin   *target  // the one that is the first workspace's admin key; nil if none is
	swap    swap

	violations []string
	trace      *strings.Builder // nil if nobody wants it
}

// target is one secret kept fresh, in all its stores.
type target struct {
	TargetPlan
	name      string
	workspace int
	policy    rotator.Policy
	stores    []*store
	senders   *senders // nil if its keys are shown to the issuer
	places    []*place // of its sinks
	gates     []*gate

	request *request // that somebody gave and no process has taken up yet
	// What people did that the judge must bear in mind.
	tainted   bool      // its record, or what is current, is not all ours any more
	asked     int       // rotations for which there is a reason that is not its age
	graceless bool      // a grace period was ended on purpose
	unawaited bool      // somebody said that consumers behind gates are not waited for
	heldSince int       // the call before which a hold was set; 0 if none is
	heldUntil time.Time // and when it ends
	stolen    time.Time // when the newest incident was declared: no key lives that was there then
}

// request is a command, and the place that it is given in.
type request struct {
	rotator.Request
	place int
}

func (t *target) label(store int) string { return fmt.Sprintf("%s@%d ", t.name, store) }

// store is one secret with what its consumers saw in it.
type store struct {
	Secret
	name      string
	backend   Backend
	observer  secretstore.Store
	value     string // current
	latest    string
	history   []reading
	consumers []time.Duration // when each reads first
	touched   int             // the call before which it was changed by hand

	views  []view            // what receivers were given, where the secret is sent
	values map[string]string // by id
	unread bool              // it could not be told what it gives
}

// newest is what a hand put there last, or the rotator: at GCP, where the alias of the
// current version is moved by the next write only, what readers of the latest get.
func (s *store) newest() string {
	if s.Latest != nil {
		return s.Latest()
	}
	return s.Current()
}

// reading is a value, and from when on it was read.
type reading struct {
	from  time.Time
	value string
}

// every is a schedule that ticks an interval after the promotion.
type every time.Duration

// Next implements [rotator.Schedule].
func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }

func workspaceID(i int) string { return fmt.Sprintf("0193a7c2-0000-7000-8000-%012d", i) }

func newWorld(t testing.TB, p Plan, backends []Backend, traced bool) *world {
	w := &world{
		t: t, plan: p, faults: slices.Clone(p.Faults), arrived: make(chan struct{}, 1),
		random: rand.New(rand.NewPCG(p.Seed, 2)), //nolint:gosec // the same world every time
	}
	if traced {
		w.trace = &strings.Builder{}
	}
	o := sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: -1, PerMinute: -1}, Deliver: w}
	for i := range p.Workspaces {
		o.Workspaces = append(o.Workspaces, sandbox.Workspace{ID: workspaceID(i), Name: fmt.Sprint("space ", i), AdminScopes: p.adminScopes()})
	}
	w.box = sandbox.New(o)
	w.keys, w.postman = newKeys(w), &instance{world: w, number: p.Instances, gone: make(chan struct{})}
	w.lags(p.Activation, p.Revocation)
	for i, tp := range p.Targets {
		w.targets = append(w.targets, w.newTarget(i, tp, backends))
	}
	for i := range p.Workspaces {
		w.foreign(i, "somebody else's")
		w.foreign(i, owner+"/target-0/ffffffffffff/0123456789abcdef") // another deployment's
	}
	return w
}

func (w *world) newTarget(i int, p TargetPlan, backends []Backend) *target {
	t := &target{TargetPlan: p, name: fmt.Sprint("target-", i), workspace: i % w.plan.Workspaces}
	if p.Admin {
		w.admin, t.workspace = t, 0
	}
	t.policy = rotator.Policy{
		Owner: owner, Spec: t.spec(), Schedule: every(p.Interval),
		Grace: p.Grace, Activation: time.Minute, Revocation: time.Minute,
	}
	for j, b := range p.Backends {
		name := fmt.Sprintf("t%ds%d", i, j)
		s := &store{Secret: backends[b].Fresh(w.t, name), name: name, backend: backends[b]}
		s.observer = s.Open(w.t, untouched)
		if p.Senders != nil {
			s.values = map[string]string{}
		} else if s.Current == nil {
			s.Current = Read(w.t, s.observer)
		}
		for range 3 { // consumers, who keep a value for as long as they may
			s.consumers = append(s.consumers, time.Duration(w.random.Int64N(int64(p.Grace))))
		}
		t.stores = append(t.stores, s)
	}
	if p.Senders != nil {
		w.newSenders(t)
	}
	w.usePlaces(t)
	w.newGates(t)
	return t
}

// lags sets how long Instantly's keys take to begin and to end.
func (w *world) lags(activation, revocation time.Duration) {
	f := w.box.Faults()
	f.ActivationDelay, f.RevocationDelay = activation, revocation
	w.box.SetFaults(f)
}

// foreign makes a key that is not the rotator's.
func (w *world) foreign(workspace int, name string) *key {
	return w.foreignWith(workspace, name, "campaigns:read")
}

func (w *world) foreignWith(workspace int, name string, scopes ...string) *key {
	record, err := w.box.AddKey(workspaceID(workspace), name, scopes...)
	if err != nil {
		w.t.Fatal(err)
	}
	k := w.keys.add(record)
	k.foreign = true
	return k
}

// live is the world's whole life. It returns what rules were broken.
func (w *world) live() {
	for i := range w.plan.Instances {
		w.processes.Go(func() { w.process(i) })
	}
	w.run(time.Now().Add(w.plan.Span), nil)
	w.rest()
	w.run(time.Now().Add(w.calm()), nil)
	w.end()
	if !w.restless {
		w.settle()
	}
	if w.senders != nil {
		w.box.Close() // what is on its way
	}
}

// rest ends the adversary's work: what is suspended goes on, holds end.
func (w *world) rest() {
	w.log("the adversary rests")
	w.rests = true
	w.floodUntil, w.outageUntil, w.storesOutUntil = time.Time{}, time.Time{}, time.Time{}
	w.lags(w.plan.Activation, w.plan.Revocation)
	w.mu.Lock()
	for _, t := range w.waiting {
		t.by.suspendedUntil, t.notBefore = time.Time{}, time.Time{}
	}
	w.mu.Unlock()
	for _, t := range w.targets {
		w.endHold(t)
	}
	w.restSenders()
	w.restGates()
}

// calm is how long the world goes on by itself afterwards: over all grace
// periods and waits after failures.
func (w *world) calm() time.Duration {
	longest := time.Duration(0)
	for _, t := range w.targets {
		longest = max(longest, t.Grace)
	}
	return longest + 12*time.Hour
}

// end stops all processes, as machines do that are switched off.
func (w *world) end() {
	w.mu.Lock()
	w.over = true
	for _, t := range w.waiting {
		t.refused = errInjected
		close(t.grant)
	}
	w.waiting = nil
	w.mu.Unlock()
	w.processes.Wait()
	w.over = false
}

// violate notes that a rule was broken.
func (w *world) violate(format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	w.violations = append(w.violations, said)
	w.log("VIOLATION %s", said)
}

// log writes a line of the trace.
func (w *world) log(format string, args ...any) {
	if w.trace == nil {
		return
	}
	fmt.Fprintf(w.trace, "%s #%d ", time.Now().UTC().Format("01-02 15:04:05.000"), w.calls)
	fmt.Fprintf(w.trace, format+"\n", args...)
}
