package rotator

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// Target is one secret kept fresh.
type Target struct {
	// Name is unique in a configuration.
	Name      string
	Workspace *Workspace
	Policy    Policy
	// Stores that hold the secret, at least one: the primary first, whose notes
	// carry the state; the others follow it.
	Stores []NamedStore
	// Sinks that are given the current key besides, at most [MaxSinks]; not of a secret that
	// is sent.
	Sinks []sink.Sink
	// Gates that consumers must have passed before an old key is revoked.
	Gates []Gate
	// Group is the name of the group of targets that are kept apart, and Peers
	// are the primary stores of the others in it, under their targets' names.
	Group string
	Peers []NamedStore
	// Senders send the secret, which nobody can revoke then; nil for a key.
	Senders Senders
	// Credential: its key is what the workspace's issuer, a [Successor], acts with.
	Credential bool
	// Awaits is the primary store of the target that is the workspace's Credential, under
	// that target's name; without a Store if there is none. While that key is being
	// replaced, no rotation of this target begins.
	Awaits NamedStore

	// aside does what needs no slot, and gives it to another target meanwhile; nil outside of
	// pools.
	aside func(wait func())
}

// NamedStore is a store with its name in the configuration.
type NamedStore struct {
	Name string
	secretstore.Store
}

// Options of a Rotator. The zero value is ready for use.
type Options struct {
	// Now tells the time; time.Now if nil.
	Now func() time.Time
	// Nonce names an attempt; 16 random hexadecimal digits if nil.
	Nonce func() string
	// Observe is told of every step when it is done; from several goroutines.
	// It must not block.
	Observe func(Event)
	// Doing is told of each step before it is taken, for people who wait; and of one
	// without a verb when a target is done. It must not block.
	Doing func(target string, s Step)
	// Trail is told of each effect before it is made, and of what came of it; may be nil.
	Trail Trail
	// Instance names this process in the intents it writes, at most
	// [secretstore.MaxHolder] bytes.
	Instance string
	// Gone tells whether the process of an instance is known to be there no more; may
	// be nil. What it has begun is then not left to it.
	Gone func(instance string) bool
	// Lease is how much longer than the activation time an intent is left to the
	// instance that wrote it. It saves keys where several instances run. 0: it
	// is not left to it at all.
	Lease time.Duration
	// Concurrency is how many targets of one workspace, kept in the same stores,
	// are reconciled side by side, beside as many at most whose store is being
	// written, or whose sinks are waited for; 8 if 0. Workspaces do not wait for each
	// other, and a store or a sink that hangs holds up those only that are kept in it.
	Concurrency int
	// StepTimeout bounds a step that was begun, which is then not interrupted;
	// 2 min if 0.
	StepTimeout time.Duration
	// InTurn makes the outside calls of a run one after the other, so that the run
	// can be replayed call by call. Otherwise what does not hang on each other is
	// read side by side.
	InTurn bool
}

// Rotator reconciles targets. Of a target it remembers nothing between runs.
type Rotator struct {
	opts      Options
	mu        sync.Mutex
	slots     map[pool]*slots // bound what is done side by side
	rotations breaker         // of rotations anywhere
	groups    map[string]*run // by group: who rotates
}

// New makes a Rotator.
func New(o Options) *Rotator {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Nonce == nil {
		o.Nonce = randomNonce
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	if o.Doing == nil {
		o.Doing = func(string, Step) {}
	}
	if o.Gone == nil {
		o.Gone = func(string) bool { return false }
	}
	if o.Concurrency == 0 {
		o.Concurrency = 8
	}
	if o.StepTimeout == 0 {
		o.StepTimeout = 2 * time.Minute
	}
	return &Rotator{opts: o, slots: make(map[pool]*slots), rotations: breaker{where: "everything"}, groups: make(map[string]*run)}
}

func randomNonce() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b[:])
}

// Event is a step that was taken.
type Event struct {
	At        time.Time
	Target    string
	Workspace string
	Store     string // empty where no store is concerned
	Sink      string // empty where no sink is concerned
	Sender    string // empty where no sender is concerned
	Verb      Verb
	KeyID     string
	Reason    string
	// Verdict of a test call, or of a sender's deliveries: "valid", "invalid" or
	// "indeterminate".
	Verdict string
	// Adopted: the key was adopted, not issued.
	Adopted bool
	// Sent: it is a secret that receivers are sent: see [Senders].
	Sent bool
	// Since and Until are those of the step: what has been tried for how long.
	Since, Until time.Time
	Took         time.Duration
	Err          error // never carries a secret
}

// Result is how a run over one target ended.
type Result struct {
	Target string
	// KeyID is the primary's current key at the end; empty if not known.
	KeyID string
	// Rotated: the run promoted a new key.
	Rotated bool
	// Revoked are the old keys this run revoked, Swept those left behind by an
	// interrupted rotation, Discarded those it issued and had to give up.
	Revoked, Swept, Discarded []string
	// Forgotten are old keys that live on, of which the stores have no record any more:
	// they are only a person's to revoke.
	Forgotten []Key
	// Adopted is the key that the run recorded a store's value as; empty if it did not.
	Adopted string
	// Answered: the incident that was asked for had been resolved before this run, and
	// every store has a key of after it. Nothing was done for it.
	Answered bool
	// CarriedOnAs is what the incident that was asked for is called on record, if that is
	// not its name alone: it was declared while another one was open, or another one while
	// it was.
	CarriedOnAs string
	// Waived: the run noted down that consumers are not waited for.
	Waived bool
	// Dead are old keys that this run saw refused, and when.
	Dead []Death
	// Next is when to run again, and Why; zero if nothing is planned.
	Next time.Time
	Why  string
	// Interrupted: the context ended first. The next run goes on.
	Interrupted bool
	// Failing: a due rotation waits only because the last attempts failed.
	Failing bool
	// Waiting: a due rotation waits, for whatever reason; Delay says which.
	Waiting bool
	Delay   string
	// FoundDead: consumers held a key that Instantly refused.
	FoundDead bool
	// Status is the target as the run left it.
	Status TargetStatus
	// Err is what was in the way; nil if the target is settled. Step is what was
	// tried.
	Err  error
	Step Verb
}

// Death is the proof that a revoked key is dead.
type Death struct {
	KeyID string
	// At is when the test call that was refused began.
	At time.Time
}

// Reconcile takes steps until the target is settled or something is in the way.
// If ctx ends, the step in hand is finished and the state left is one that the
// next run goes on from.
func (r *Rotator) Reconcile(ctx context.Context, t Target, req Request) Result {
	return r.newRun(t, req, t.Workspace.mark()).reconcile(ctx)
}

// ReconcileAll reconciles targets side by side; what happens to one does not
// touch another. done, if not nil, is told of each as it ends, from several
// goroutines. The results are in the targets' order.
func (r *Rotator) ReconcileAll(ctx context.Context, ts []Target, req Request, done func(Result)) []Result {
	return each(r, ts, func(t Target, mark int) (res Result) {
		res = r.newRun(t, req, mark).reconcile(ctx)
		defer recovered(func(err error) { res.Err = errors.Join(res.Err, err) })
		if done != nil {
			done(res)
		}
		return res
	})
}

// A pool is what targets are worked off in side by side: those that need the same
// workspace, the same stores and the same services for sinks, and so would hang together.
type pool struct {
	workspace     *Workspace
	stores, sinks string
}

func poolOf(t Target) pool {
	names := make([]string, len(t.Stores))
	for i, st := range t.Stores {
		names[i] = st.Name
	}
	services := make([]string, len(t.Sinks))
	for i, s := range t.Sinks {
		services[i], _, _ = strings.Cut(s.Name(), ":")
	}
	slices.Sort(services)
	return pool{t.Workspace, strings.Join(names, "\n"), strings.Join(slices.Compact(services), "\n")}
}

// each runs f over targets, in a bounded pool for each pool, so that one that
// hangs holds up nobody else's. Targets of one workspace share the key list that
// is read after the call.
func each[T any](r *Rotator, ts []Target, f func(t Target, mark int) T) []T {
	out := make([]T, len(ts))
	var wg sync.WaitGroup
	marks := marksOf(ts)
	for pool, queue := range byPool(ts) {
		slots := r.slotsOf(pool)
		for range min(len(queue), 2*r.opts.Concurrency) {
			wg.Go(func() {
				for i := range queue {
					slots.acquire()
					out[i] = f(slots.yielding(ts[i]), marks[pool.workspace])
					slots.release()
				}
			})
		}
	}
	wg.Wait()
	return out
}

// marksOf gives each workspace's mark.
func marksOf(ts []Target) map[*Workspace]int {
	marks := make(map[*Workspace]int)
	for _, t := range ts {
		if _, ok := marks[t.Workspace]; !ok {
			marks[t.Workspace] = t.Workspace.mark()
		}
	}
	return marks
}

// byPool gives the indexes of each pool's targets, as a queue.
func byPool(ts []Target) map[pool]chan int {
	indexes := make(map[pool][]int)
	for i, t := range ts {
		l := poolOf(t)
		indexes[l] = append(indexes[l], i)
	}
	queues := make(map[pool]chan int)
	for l, is := range indexes {
		queues[l] = make(chan int, len(is))
		for _, i := range is {
			queues[l] <- i
		}
		close(queues[l])
	}
	return queues
}

// slotsOf bounds what is done in a pool by all calls together.
func (r *Rotator) slotsOf(l pool) *slots {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slots[l] == nil {
		r.slots[l] = newSlots(r.opts.Concurrency)
	}
	return r.slots[l]
}
