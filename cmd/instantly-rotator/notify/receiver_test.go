package notify_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// errDown is what a memoryReceiver says that is out of order.
var errDown = errors.New("out of order")

// A memoryReceiver is a receiver in memory: it keeps what it is told.
type memoryReceiver struct {
	mu       sync.Mutex
	texts    []string
	outcomes []notify.Outcome
	down     bool
	hangs    bool
	attempts int
}

func (d *memoryReceiver) deliver(ctx context.Context, _ secret.Value, _, text string) error {
	d.mu.Lock()
	d.attempts++
	down, hangs := d.down, d.hangs
	if !down && !hangs {
		d.texts = append(d.texts, text)
	}
	d.mu.Unlock()
	switch {
	case hangs:
		<-ctx.Done()
		return notify.ErrTimeout
	case down:
		return errDown
	default:
		return nil
	}
}

func (d *memoryReceiver) observe(o notify.Outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outcomes = append(d.outcomes, o)
}

// is puts the memoryReceiver into or out of order.
func (d *memoryReceiver) is(down, hangs bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down, d.hangs = down, hangs
}

// told gives what arrived since the last call.
func (d *memoryReceiver) told() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	texts := d.texts
	d.texts = nil
	return texts
}

// tried counts the attempts to deliver something.
func (d *memoryReceiver) tried() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.attempts
}

func (d *memoryReceiver) counts() map[notify.Result]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	counts := map[notify.Result]int{}
	for _, o := range d.outcomes {
		counts[o.Result]++
	}
	return counts
}

// open starts a notifier whose only receiver is the memoryReceiver; it wants everything.
func (d *memoryReceiver) open() *notify.Notifier {
	return notify.New(notify.Options{
		From: "rotator", Observe: d.observe,
		Open: func() notify.Delivery { return d.deliver },
		Receivers: []notify.Receiver{{
			Name: "ops", On: notify.Kinds(),
			URL: func(context.Context) (secret.Value, error) { return secret.New("memory:"), nil },
		}},
	})
}

func closeNow(t *testing.T, n *notify.Notifier) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Error(err)
	}
}

func failed(target string) notify.Message {
	return notify.Message{Kind: notify.Failed, Target: target, Workspace: "main", Text: "no admin key"}
}

// wantTold compares what arrived, by how each text begins.
func wantTold(t *testing.T, d *memoryReceiver, want ...string) {
	t.Helper()
	got := d.told()
	for i, text := range got {
		if i < len(want) && strings.HasPrefix(text, want[i]) {
			got[i] = want[i]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func wantCounts(t *testing.T, d *memoryReceiver, want map[notify.Result]int) {
	t.Helper()
	if diff := cmp.Diff(want, d.counts()); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}
