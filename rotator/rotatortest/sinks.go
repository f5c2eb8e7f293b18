package rotatortest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/memsink"
)

// AddSinks gives the target two sinks: one with a mark, and one that cannot say what it has,
// but whether what uses it works.
func (w *World) AddSinks() {
	w.AddSink("marked", memsink.Kind{Marked: true})
	w.AddSink("blind", memsink.Kind{Checked: true})
}

// AddSink gives the target one more sink.
func (w *World) AddSink(name string, k memsink.Kind) *memsink.Place {
	p := memsink.New(name, k)
	w.Sinks = append(w.Sinks, p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.supplied = append(w.supplied, "")
	return p
}

// sinks are the world's, as the instance reaches them: calls of the sink number i are named
// like "supply@sink i".
func (in *Instance) sinks() (all []sink.Sink) {
	for i, p := range in.Sinks {
		all = append(all, p.Open(func(ctx context.Context, call string, effect func() error) error {
			return Hook(in.intercept).around(ctx, fmt.Sprintf("%s@sink%d", call, i), effect)
		}))
	}
	return all
}

// sinkOf gives the name of the sink that a call goes to.
func (in *Instance) sinkOf(call string) string {
	for i, p := range in.Sinks {
		if strings.HasSuffix(call, fmt.Sprintf("@sink%d", i)) {
			return p.Name()
		}
	}
	return ""
}

// judgeSinks checks what must be true of the sinks at every instant; the caller holds the lock.
func (w *World) judgeSinks(after string, now time.Time) {
	for i, p := range w.Sinks {
		value := p.Value().Reveal()
		was := w.supplied[i]
		if was == value {
			continue
		}
		if was != "" {
			w.displaced[was] = now
		}
		w.supplied[i] = value
		if _, wasCurrent := w.displaced[value]; !wasCurrent && value != w.current[0] && !w.byHand(value) {
			w.violate("sinks: after %s sink %s has a key that was never current", after, p.Name())
		}
	}
}

// judgeReceipt checks that the receipt does not run ahead of what it tells of.
func (w *World) judgeReceipt(after string) {
	if len(w.Sinks) == 0 || w.SinksChanged {
		return
	}
	snap := w.Snapshot(0)
	r := snap.Notes.Receipt
	if r.IsZero() || r.KeyID != snap.Versions[secretstore.Current].ID {
		return // it is of the key before: sinks are given the next one
	}
	have := 0
	for _, p := range w.Sinks {
		if p.Mark() == r.KeyID {
			have++
		}
	}
	const mark = 7 // characters of a receipt for each sink
	if n := len(r.Sinks) / mark; n > have {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.violate("sinks: after %s the receipt tells of %d sinks with key %s, which %d have", after, n, r.KeyID, have)
	}
}

// byHand tells whether somebody else made the key of a value, or there is none.
func (w *World) byHand(value string) bool {
	return !slices.ContainsFunc(w.Instantly.All(), func(k *Key) bool { return k.Value == value && !k.Foreign })
}

// judgeSinkless checks that no sink has a key that is about to be revoked; the caller holds the
// lock.
func (w *World) judgeSinkless(k *Key) {
	for _, p := range w.Sinks {
		if p.Value().Reveal() == k.Value && !w.Incident && w.Instantly.Alive(k.Value) {
			w.violate("sinks: key %s was revoked while sink %s has it", k.ID, p.Name())
		}
	}
}

// judgeSinksEnd checks what must be true of them in a settled world; the caller holds the lock.
func (w *World) judgeSinksEnd() {
	for _, p := range w.Sinks {
		if p.Value().Reveal() != w.current[0] {
			w.violate("settled, but sink %s does not have the current key", p.Name())
		}
	}
}
