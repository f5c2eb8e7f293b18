package rotator

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// supply brings the sinks to the primary's current key, once every store has it, and finds
// out whether what uses them works with it. In an incident sinks are not the last: they are
// tried once, whatever the stores have.
func (v *view) supply() answer {
	cur, ok := v.current(0)
	if len(v.Sinks) == 0 {
		return v.forgetReceipt()
	}
	if !ok || cur.Foreign || v.dead() || v.suspect(cur) || v.storesAwait(cur.ID) && !v.emergency() {
		return pass()
	}
	if v.sinksSeen() == 0 {
		return act(Step{Verb: AskSinks, Reason: "which key do the sinks have?"})
	}
	trouble := pass()
	for i := range v.Sinks {
		a := v.supplyTo(i, cur)
		if a.step != nil {
			return a
		}
		if trouble.passes() {
			trouble = a
		}
	}
	if a := v.noteReceipt(cur); !a.passes() {
		return a
	}
	if a := v.checkSinks(cur); a.step != nil || trouble.passes() {
		return a
	}
	return trouble
}

// supplyTo gives a sink the current key, once that is known to work, and once a run.
func (v *view) supplyTo(i int, cur secretstore.Version) answer {
	s := v.Sinks[i]
	tried := s.Tried == cur.ID
	switch {
	case s.has(cur.ID, v.onRecord()):
		return pass()
	case tried, s.AskErr != nil && !v.emergency():
		return stopAt(Supply, v.sinkTrouble(s)).report()
	}
	t, ok := v.tested(0, cur.ID)
	switch {
	case !ok:
		return act(Step{Verb: Verify, ID: cur.ID, Reason: "test the current key before sink " + s.Name + " is given it"})
	case !isValid(t):
		return pass() // rule alive has dealt with it
	}
	// What it is given anew is not to be taken for what it was given before, if the run dies:
	// grace counts from now.
	if given, _ := s.receipted(v.onRecord(), cur.ID); given && !v.emergency() {
		return act(Step{Verb: NoteReceipt, ID: cur.ID, Reason: "sink " + s.Name + " was changed, and does not have the current key any more"})
	}
	return act(Step{Verb: Supply, Sink: i, ID: cur.ID, Reason: "every store has the current key, sink " + s.Name + " does not"})
}

// besides gives the other sinks that are given the key in the same step: in an incident all,
// so that of several that hang no two are waited for one after the other.
func (v *view) besides(s Step) (sinks []int) {
	if !v.emergency() {
		return nil
	}
	for i, other := range v.Sinks {
		if i != s.Sink && other.Tried != s.ID && !other.has(s.ID, v.onRecord()) {
			sinks = append(sinks, i)
		}
	}
	return sinks
}

// noteReceipt writes down which sinks have the current key. In an incident that can wait until
// what this run displaced is revoked.
func (v *view) noteReceipt(cur secretstore.Version) answer {
	want, stands := v.receipt(cur.ID), v.primary().Notes.Receipt
	if want.IsZero() && stands.KeyID != cur.ID || v.emergency() && v.Displaced && len(v.toRetire()) > 0 {
		return pass() // what they were given before is still on record
	}
	if want.KeyID == stands.KeyID && want.Sinks == stands.Sinks && want.At.Equal(stands.At) {
		return pass()
	}
	return act(Step{Verb: NoteReceipt, ID: cur.ID, Reason: "write down which sinks have the current key"})
}

// forgetReceipt drops the receipt of sinks that are configured no more.
func (v *view) forgetReceipt() answer {
	if v.primary().Notes.Receipt.IsZero() {
		return pass()
	}
	return act(Step{Verb: NoteReceipt, Reason: "no sink is configured any more"})
}

// checkSinks finds out, once a key until it is so, whether what uses the sinks works with it.
// It keeps nothing from happening but the revocation of the old key.
func (v *view) checkSinks(cur secretstore.Version) answer {
	r := v.onRecord()
	if v.ReadOnly || v.emergency() {
		return pass()
	}
	waits := pass()
	for i, s := range v.Sinks {
		switch {
		case !s.has(cur.ID, r) || s.works(cur.ID, r):
			continue
		case s.NotYet == nil:
			return act(Step{Verb: CheckSink, Sink: i, ID: cur.ID, Reason: "does what uses sink " + s.Name + " work with the current key?"})
		}
		a := wait(v.now.Add(v.checkInterval()), "ask whether what uses sink "+s.Name+" works with the current key")
		if !errors.Is(s.NotYet, sink.ErrNotYet) {
			a = stopAt(CheckSink, notYet(s)).report()
		}
		if waits.passes() || a.wait.trouble != nil && waits.wait.trouble == nil {
			waits = a
		}
	}
	return waits
}

// The intervals at which it is asked whether what uses a sink works: it may cost something.
const (
	firstCheckInterval = gateInterval
	lastCheckInterval  = time.Hour
)

// checkInterval grows with the time since the sinks were given the key.
func (v *view) checkInterval() time.Duration {
	return min(max(v.now.Sub(v.primary().Notes.Receipt.At), firstCheckInterval), lastCheckInterval)
}

func notYet(s SinkState) error { return fmt.Errorf("sink %s: %w: %w", s.Name, ErrSinkNotYet, s.NotYet) }

// storesAwait tells whether a store is still to be brought to the key. One with a value of
// unknown origin is not, before the next rotation: for which the sinks must have the key.
func (v *view) storesAwait(id string) bool {
	for i, st := range v.Stores {
		if has, ok := v.current(i); st.Err != nil || !ok || has.ID != id && !has.Foreign {
			return true
		}
	}
	return false
}

// sinksSeen is since when what the sinks said counts: the oldest of the readings; 0 if one was
// not asked.
func (v *view) sinksSeen() moment {
	var oldest moment
	for i, s := range v.Sinks {
		if i == 0 || s.Asked < oldest {
			oldest = s.Asked
		}
	}
	return oldest
}

// sinksBehind keeps the old keys alive until every sink has the current one, and what uses it
// works. In an incident nobody is waited for.
func (v *view) sinksBehind() answer {
	cur, _ := v.current(0)
	r := v.onRecord()
	if v.emergency() {
		return pass()
	}
	for i, s := range v.Sinks {
		switch {
		case v.ReadOnly && s.Asked > 0 && !s.works(cur.ID, r):
			return act(Step{Verb: CheckSink, Sink: i, ID: cur.ID, Reason: "does what uses sink " + s.Name + " work with the current key?"})
		case !s.has(cur.ID, r):
			return stopAt(Supply, v.sinkTrouble(s))
		case !s.works(cur.ID, r) && s.NotYet != nil:
			return stopAt(CheckSink, notYet(s))
		case !s.works(cur.ID, r):
			return stopAt(CheckSink, fmt.Errorf("sink %s: %w", s.Name, ErrSinkNotYet))
		}
	}
	return pass()
}

// askSinksAgain is the last reading of the sinks before a key is revoked, after the test calls:
// somebody may have changed one meanwhile.
func (v *view) askSinksAgain(last moment) answer {
	if len(v.Sinks) == 0 || v.emergency() || v.sinksSeen() > last {
		return pass()
	}
	return act(Step{Verb: AskSinks, Reason: "ask the sinks again before the old key goes"})
}

// sinkWithout gives a sink that is not known to have the current key, or not since when.
func (v *view) sinkWithout() (SinkState, bool) {
	cur, _ := v.current(0)
	for _, s := range v.Sinks {
		if given, _ := s.receipted(v.onRecord(), cur.ID); !given || !s.has(cur.ID, v.onRecord()) {
			return s, true
		}
	}
	return SinkState{}, false
}

// sinksWith names the sinks that are known to have a key; empty if none is.
func (v *view) sinksWith(id string) string {
	var names []string
	for _, s := range v.Sinks {
		if v.keyOf(s) == id {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, ", ")
}

// marked gives the name of a sink that has the key by its own mark; empty if none is known to.
func (v *view) marked(id string) string {
	for _, s := range v.Sinks {
		if s.Marked && s.AskErr == nil && s.GivenAt <= s.Asked && s.Mark == id {
			return s.Name
		}
	}
	return ""
}

// mendSinks is for a run that lost a race after it gave a sink a key: it may have come after
// the winner, whose receipt says that the sink has another one. That is taken back first:
// whatever becomes of this run then, the next one gives the sink the current key.
func (v *view) mendSinks() answer {
	cur, ok := v.current(0)
	if v.LostRace == nil || !ok || cur.Foreign || v.primary().Err != nil || v.dead() {
		return pass()
	}
	for i, s := range v.Sinks {
		if s.Tried == "" || s.Tried == cur.ID {
			continue
		}
		stands := v.primary().Notes.Receipt
		if given, _ := s.receipted(stands, cur.ID); given && v.receipt(cur.ID).Sinks != stands.Sinks {
			return act(Step{Verb: NoteReceipt, ID: cur.ID, Reason: "sink " + s.Name + " may have been given key " + s.Tried + " after the current one"})
		}
		t, ok := v.tested(0, cur.ID)
		switch {
		case v.storesAwait(cur.ID) && !v.emergency():
			continue // sinks are the last: the receipt does not say that it has it
		case !ok:
			return act(Step{Verb: Verify, ID: cur.ID, Reason: "test the current key before sink " + s.Name + " is given it again"})
		case isValid(t):
			return act(Step{Verb: Supply, Sink: i, ID: cur.ID, Reason: "sink " + s.Name + " was given key " + s.Tried + " by a view that was out of date"})
		}
	}
	return pass()
}
