package leader

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// The durations of Kubernetes' own components. A leader renews its Lease every
// retryPeriod; where that fails it stops renewDeadline after the last time that it
// did not, which leaves a step in hand the rest of duration.
const (
	duration      = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
	// callTimeout lets a call that hangs be followed by another one within
	// renewDeadline.
	callTimeout = 3 * time.Second
)

// errTaken: another instance was faster.
var errTaken = errors.New("the Lease was changed by somebody else meanwhile")

// Options of a [Lease].
type Options struct {
	// Namespace of the Lease; empty for the cluster's default.
	Namespace string
	// Name of the Lease. All instances that stand for election name the same.
	Name string
	// Log is told who leads, and of calls that failed. Required.
	Log *zap.Logger
	// Waiting is called every few seconds while this instance does not lead, and told
	// whether another one is known to; may be nil.
	Waiting func(another bool)
}

// Lease is an [Election] by a Lease of a Kubernetes cluster.
type Lease struct {
	calls    calls
	identity string
	log      *zap.Logger
	waiting  func(another bool)

	// What was seen of the Lease, and since when it is as it is. A Lease expires
	// when it has not changed for as long as it says: clocks are not compared.
	seen  record
	since time.Time
	// led is when another instance was last known to lead; zero in a term of this one.
	led time.Time

	trouble string // that was logged last
}

var _ Election = (*Lease)(nil)

// New stands for election in a cluster. It makes no call.
func New(c *kubernetescluster.Client, o Options) (*Lease, error) {
	if o.Namespace == "" {
		o.Namespace = c.Namespace()
	}
	if o.Namespace == "" {
		return nil, errors.New("no namespace for the Lease: set --leader-elect-namespace, or POD_NAMESPACE")
	}
	calls, err := newCalls(c, o.Namespace, o.Name)
	if err != nil {
		return nil, err
	}
	identity, err := newIdentity()
	if err != nil {
		return nil, err
	}
	if o.Waiting == nil {
		o.Waiting = func(bool) {}
	}
	log := o.Log.With(zap.String("lease", o.Namespace+"/"+o.Name))
	return &Lease{calls: calls, identity: identity, log: log, waiting: o.Waiting}, nil
}

// newIdentity names this process and no other. The pod's name would not do: a
// container that was killed is started again under the same name, and would take
// the Lease of the process before it for its own; as it never sees it expire, no
// other instance would get it either.
func newIdentity() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("name this instance: %w", err)
	}
	const unique = 10
	return host + "_" + rand.Text()[:unique], nil
}

// Lead implements [Election].
func (l *Lease) Lead(ctx context.Context, f func(context.Context)) {
	for {
		l.led = time.Time{}
		won, renewed := l.stand(ctx)
		if !won {
			return
		}
		l.log.Info("elected", zap.String("identity", l.identity))
		l.term(ctx, renewed, f)
		if ctx.Err() != nil {
			return
		}
		l.log.Warn("no longer elected", zap.String("leader", l.seen.holder))
	}
}

// stand waits for the Lease; false if ctx ended. The Lease is held from renewed
// on, which is before the call was made that took it.
func (l *Lease) stand(ctx context.Context) (won bool, renewed time.Time) {
	ticker := time.NewTicker(retryPeriod)
	defer ticker.Stop()
	for ctx.Err() == nil {
		renewed = time.Now()
		held, err := l.try(ctx)
		if held {
			return true, renewed
		}
		l.complain(ctx, err)
		l.waiting(l.another(err))
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	return false, time.Time{}
}

// another tells whether another instance is known to lead, by how the last try ended that
// did not take the Lease: it has a holder who is not overdue, or somebody was faster. For
// as long as a Lease lasts that goes on being known while nothing is answered: an API server
// that is started again, or a Lease that expired and cannot be written at the first
// try, is not shown as nobody leading.
func (l *Lease) another(err error) bool {
	if err == nil || errors.Is(err, errTaken) {
		l.led = time.Now()
	}
	return !l.led.IsZero() && time.Since(l.led) < duration
}

// try takes the Lease if it is free.
func (l *Lease) try(ctx context.Context) (bool, error) {
	now, err := l.calls.get(ctx)
	switch {
	case errors.Is(err, errNoLease):
		return l.took(l.calls.create(ctx, l.claim(record{})))
	case err != nil:
		return false, err
	}
	l.note(now)
	if !l.free() {
		return false, nil
	}
	return l.took(l.calls.update(ctx, l.claim(now)))
}

// took takes note of a write that took the Lease, if it did.
func (l *Lease) took(written record, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	l.seen, l.since = written, time.Now()
	return true, nil
}

// note remembers the Lease as it is now.
func (l *Lease) note(now record) {
	if now.holder != l.seen.holder && now.holder != "" {
		l.log.Info("standing by", zap.String("leader", now.holder))
	}
	if !now.sameTerm(l.seen) {
		l.since = time.Now()
	}
	l.seen = now
}

// free tells whether the Lease as it was seen may be taken.
func (l *Lease) free() bool {
	return l.seen.holder == "" || l.seen.holder == l.identity || time.Since(l.since) > l.seen.lasts
}

// claim makes the Lease this instance's.
func (l *Lease) claim(r record) record {
	now := time.Now()
	if r.holder != l.identity {
		r.transitions++
		r.acquired = now
	}
	r.holder, r.renewed, r.lasts = l.identity, now, duration
	return r
}

// complain logs what went wrong, once for as long as it is the same.
func (l *Lease) complain(ctx context.Context, err error) {
	text := ""
	if err != nil && ctx.Err() == nil && !errors.Is(err, errTaken) {
		text = err.Error()
	}
	if text != "" && text != l.trouble {
		l.log.Warn("the election goes on", zap.String("error", text))
	}
	l.trouble = text
}
