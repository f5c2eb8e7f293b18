package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/memsink"
)

// sinksKept gives the last target sinks in one of six worlds. The others are what their seeds
// stood for before there was that.
func sinksKept(p *Plan) {
	if p.Seed%6 != 5 {
		return
	}
	random := rand.New(rand.NewPCG(p.Seed, 7)) //nolint:gosec // the same world every time
	last := len(p.Targets) - 1
	marked, blind := memsink.Kind{Marked: true, Checked: random.IntN(3) == 0}, memsink.Kind{Checked: random.IntN(3) == 0}
	p.Targets[last].Sinks = pick(random, []memsink.Kind{marked}, []memsink.Kind{blind}, []memsink.Kind{marked, blind}, []memsink.Kind{marked, blind})
	for range random.IntN(6) {
		f := &p.Faults[random.IntN(15)] // later ones may come after the end
		f.Kind, f.Pick = pick(random, aboutSinks()...), random.IntN(1<<15)*len(p.Targets)+last
		f.For = lasting(random, f.Kind, p)
	}
}

// aboutSinks are what people do about sinks, and ask of the rotator, and what sinks fail at.
func aboutSinks() []Kind {
	return []Kind{Force, Force, Force, Force, SetBack, SetBack, Restore, Restore, SetOther, Empty, SinkOutage, Unreadable}
}

// place is a sink's, with what the judge knows of it.
type place struct {
	*memsink.Place
	memsink.Kind
	value   string
	given   map[string]bool // ids of the keys that it has had
	changed int             // the call in which it got another value
	// unknown: nobody who cannot ask it knows what it has. A person has changed it; or
	// a process gave it a key late that was not current any more, see rotator/sinks.go.
	unknown bool
	// Until then it refuses all calls, or does not tell what it has.
	outUntil, unreadableUntil time.Time
	// told is when it told what it has, by the call.
	told map[int]time.Time
}

func newPlace(k memsink.Kind) *place {
	name := "blind"
	if k.Marked {
		name = "marked"
	}
	return &place{Place: memsink.New(name, k), Kind: k, given: map[string]bool{}, told: map[int]time.Time{}}
}

// usePlaces has what uses the target's sinks work with keys that work.
func (w *world) usePlaces(t *target) {
	for _, k := range t.Sinks {
		p := newPlace(k)
		p.Use(func(value secret.Value) error {
			if !w.box.Alive(value) {
				return sink.ErrNotYet
			}
			return nil
		})
		t.places = append(t.places, p)
	}
}

func (t *target) at(p *place) string { return fmt.Sprintf("%s@%s", t.name, p.Name()) }

// sinksOf are a target's as the process reaches them.
func (in *instance) sinksOf(t *target) (all []sink.Sink) {
	for _, p := range t.places {
		all = append(all, p.Open(func(ctx context.Context, call string, effect func() error) error {
			c := in.ask(t.at(p)+" "+call, false)
			if c.refused != nil {
				return c.refused
			}
			if !in.world.rests && p.refuses(call) {
				return errInjected
			}
			if err := ctx.Err(); err != nil {
				return err // it was given up meanwhile
			}
			err := effect()
			in.world.judgePlace(t, p, in.lastRead[t.at(p)] >= p.changed)
			if call == "holds" {
				in.lastRead[t.at(p)], p.told[in.world.calls] = in.world.calls, time.Now()
			}
			if lost := in.answered(c); lost != nil {
				return lost
			}
			return err
		}))
	}
	return all
}

// refuses tells whether a call fails, since others of that place do.
func (p *place) refuses(call string) bool {
	return time.Now().Before(p.outUntil) || call == "holds" && time.Now().Before(p.unreadableUntil)
}

// sinksOutside are a target's as they are reached without faults.
func (w *world) sinksOutside(t *target) (all []sink.Sink) {
	for _, p := range t.places {
		all = append(all, p.Open(func(ctx context.Context, call string, effect func() error) error {
			err := memsink.Direct(ctx, call, effect)
			for i := range t.stores {
				w.judgeStore(nil, w.index(t), i, "what came before "+call)
			}
			w.judgePlace(t, p, true)
			return err
		}))
	}
	return all
}

// injectIntoSinks has a person change a sink of a target; false if the fault is another one.
func (w *world) injectIntoSinks(at *target, s Fault) bool {
	if len(at.places) == 0 {
		return slices.Contains([]Kind{SetBack, Restore, SetOther, Empty, SinkOutage, Unreadable}, s.Kind)
	}
	p := at.places[s.Pick/len(w.targets)%len(at.places)]
	switch s.Kind {
	case SetBack, Restore:
		p.unreadableUntil = time.Now().Add(s.For)
		if h := at.stores[0].history; len(h) > 1 {
			w.setPlace(at, p, h[len(h)-2].value)
		}
	case SetOther:
		w.setPlace(at, p, w.foreign(at.workspace, "somebody's, in a sink").value)
	case Empty:
		w.setPlace(at, p, "")
	case SinkOutage:
		p.outUntil = time.Now().Add(s.For)
	case Unreadable:
		p.unreadableUntil = time.Now().Add(s.For)
	default:
		return false
	}
	return true
}

// setPlace is a person's change. Who sets a sink back to a key of ours takes it with its mark.
func (w *world) setPlace(at *target, p *place, value string) {
	mark := ""
	if k := w.keys.of(value); k != nil && !k.foreign {
		mark = k.id
	}
	p.Set(secret.New(value), mark)
	p.value, p.changed, p.unknown, p.given[mark] = value, w.calls, true, true
	w.log("a hand has %s have %s", at.at(p), w.keys.name(value))
}

// isDoneWith tells whether an incident is, though a sink failed: who declared it is told so, and
// does not type it again.
func isDoneWith(incident string, res rotator.Result) bool {
	behind := errors.Is(res.Err, rotator.ErrSinkBehind) || errors.Is(res.Err, rotator.ErrSinkNotYet)
	return behind && incident != "" && res.Status.Incident.IsZero() && strings.Contains(res.Status.Resolved.ID, incident)
}

// settleSinks has people put right what nobody can see: sinks that cannot say what they have,
// and have another key than they were given last.
func (w *world) settleSinks() {
	for _, t := range w.targets {
		for _, p := range t.places {
			if p.unknown && !p.Marked {
				w.setPlace(t, p, t.stores[0].value)
			}
		}
	}
}

// judgePlace checks what a sink has after a call: a key that every store gives to consumers, or
// gave to them. Seen is whether who made the call knows what it had.
func (w *world) judgePlace(t *target, p *place, seen bool) {
	value := p.Value().Reveal()
	late := value != t.stores[0].value
	if value == p.value {
		p.unknown = p.unknown && late
		return
	}
	w.log("%s has %s instead of %s", t.at(p), w.keys.name(value), w.keys.name(p.value))
	for i, s := range t.stores {
		if i > 0 && (t.graceless || t.tainted) {
			break // in an incident sinks are not the last
		}
		if !slices.ContainsFunc(s.history, func(r reading) bool { return r.value == value }) {
			w.violate("sinks: %s was given %s, which was never current in %s", t.at(p), w.keys.name(value), s.name)
		}
	}
	if old := w.keys.of(p.value); old != nil && (!p.unknown || p.Marked && seen) && !late {
		old.setBack = setBack{}
		if p.unknown {
			old.setBack = setBack{t.at(p), p.changed, old.displaced}
		}
		old.displaced = time.Now()
	}
	p.value, p.changed, p.unknown, p.given[p.Mark()] = value, w.calls, late, true
}

// judgeReceipt: the receipt tells of no sink that was not given the key.
func (w *world) judgeReceipt(t *target, call string) {
	if len(t.places) == 0 || t.tainted || isReading(call) {
		return
	}
	snap, err := t.stores[0].observer.Describe(w.t.Context())
	r := snap.Notes.Receipt
	if err != nil || r.IsZero() {
		return
	}
	given := 0
	for _, p := range t.places {
		if p.given[r.KeyID] {
			given++
		}
	}
	const mark = 7 // characters of a receipt for each sink
	if told := len(r.Sinks) / mark; told > given {
		w.violate("sinks: after %s the receipt tells of %d sinks with a key that %d were given", call, told, given)
	}
}

// judgeSinkless: no key goes that a sink has, as far as can be known: by its mark, which is read
// right before; or by what it was given, where it has none.
func (w *world) judgeSinkless(by knowledge, t *target, k *key, sent time.Time) {
	for _, p := range t.places {
		last := by[t.at(p)]
		meanwhile := p.changed > last && sent.Sub(p.told[last]) <= slack
		switch {
		case p.value != k.value || t.graceless:
		case p.Marked && p.Mark() == k.id && !meanwhile, !p.Marked && !p.unknown:
			w.violate("sinks: key %d was revoked while %s has it", k.number, t.at(p))
		}
	}
}

// allSupplied tells whether every sink has the current key.
func (t *target) allSupplied() bool {
	return !slices.ContainsFunc(t.places, func(p *place) bool { return p.value != t.stores[0].value })
}

// judgeSupplied: so it is in a settled world.
func (w *world) judgeSupplied(t *target) {
	for _, p := range t.places {
		if p.value != t.stores[0].value && !t.tainted {
			w.violate("settled, but %s has %s", t.at(p), w.keys.name(p.value))
		}
	}
}
