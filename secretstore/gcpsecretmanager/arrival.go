package gcpsecretmanager

import (
	"slices"
	"strconv"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
)

// A sighting is a version of the secret as the service shows it.
type sighting struct {
	number  int64 // 0 for none
	enabled bool
	created time.Time
	// crc32c of what is stored; only of enabled ones that the state does not know.
	crc32c uint32
}

// lease is how long others keep off a secret for which a version is announced:
// after a crash in between, so long nothing can be written. window is how long
// announcing and adding it may take, calls that take tenths of a second. The
// difference is for clocks that differ, and for a request on its way.
const (
	lease  = time.Minute
	window = lease - 30*time.Second
)

// busy tells whether another writer may be about to add a version.
func (st state) busy(now time.Time) bool {
	if st.Adding == nil {
		return false
	}
	age := now.Sub(st.Adding.At)
	return -lease < age && age < lease
}

// overdue tells whether it is too late to add what was announced.
func (st state) overdue(now time.Time) bool {
	return st.Adding != nil && now.Sub(st.Adding.At) >= window
}

// account takes versions that the state does not know into it, in the order in
// which they were added: the announced one, the value of a known one once more,
// and what something else put there. base is what writes go on from, shown what
// callers see: they differ where a version put by hand has no place yet.
func (st state) account(unknown []sighting, f disposal) (base, shown state) {
	base, shown = st, st
	for _, s := range unknown {
		shown = base
		if !s.enabled {
			continue
		}
		next, placed := base.accept(s, f)
		if placed {
			base, shown = next, next
			continue
		}
		shown = base.waiting(s)
	}
	return base, shown
}

// accept gives the state with the sighting in it; false if there is no place.
func (st state) accept(s sighting, f disposal) (state, bool) {
	if st.Adding != nil && st.Adding.Version.Held.CRC32C == s.crc32c {
		return st.arrived(s, f), true
	}
	if r, known := st.stored(s.crc32c); known {
		return st.again(r, s, f), true
	}
	if i := slices.IndexFunc(st.GivenUp, func(g givenUp) bool { return g.CRC32C == s.crc32c }); i >= 0 {
		if current, ok := st.On(secretstore.Current); !ok || !current.Foreign {
			return st.risen(i, s)
		}
	}
	return st.byHand(s)
}

// arrived gives the state with the announced version in it.
func (st state) arrived(s sighting, f disposal) state {
	r := st.Adding.Version
	st.Adding = nil
	st = st.buried(f)
	st.Settled = max(st.Settled, s.number)
	if known, held := st.Find(r.ID); held {
		known.Held = known.Held.with(s.number)
		return st.put(known)
	}
	return st.to(st.Stage(r.Version, s.created, r.Held.with(s.number)), f)
}

// again is for the value of a known version that was added once more. If it was
// the previous one, somebody went back to it: it is current from now on, and the
// one that was current is previous.
func (st state) again(r record, s sighting, f disposal) state {
	st = st.buried(f)
	st.Settled = max(st.Settled, s.number)
	r.Held = r.Held.with(s.number)
	if r.Stage != secretstore.Previous {
		return st.put(r)
	}
	current, had := st.On(secretstore.Current)
	r.Stage, r.Promoted = secretstore.Current, time.Time{}
	st = st.put(r)
	if had {
		current.Stage = secretstore.Previous
		st = st.put(current)
	}
	return st
}

// risen is for a value given up that came on top all the same: a request that was
// on its way for very long, or somebody's mistake. The current version is not
// what readers of the latest get, and so counts as pending: promoting it puts it
// on top again. false if another version is pending.
func (st state) risen(i int, s sighting) (state, bool) {
	current, had := st.On(secretstore.Current)
	if _, taken := st.On(secretstore.Pending); taken && had {
		return st, false
	}
	st.GivenUp = slices.Clone(st.GivenUp)
	st.GivenUp[i].Number = s.number
	st.Settled = max(st.Settled, s.number)
	if had {
		current.Stage, current.Promoted = secretstore.Pending, time.Time{}
		st = st.put(current)
	}
	return st, true
}

// buried dismisses the versions that had risen, now that another one is on top.
func (st state) buried(f disposal) state {
	st.GivenUp = slices.Clone(st.GivenUp)
	for i, g := range st.GivenUp {
		if g.Number > 0 {
			st = st.dismissed([]int64{g.Number}, f)
			st.GivenUp[i].Number = 0
		}
	}
	return st
}

// byHand makes a version current that something else put there. The one that was
// current becomes previous. There is no place, false, if that would push out a
// previous version of ours: its key would be taken for an orphan in its grace.
func (st state) byHand(s sighting) (state, bool) {
	current, had := st.On(secretstore.Current)
	standing, stands := st.On(secretstore.Previous)
	if had && !current.Foreign && stands && !standing.Foreign {
		return st, false
	}
	st.Settled = max(st.Settled, s.number)
	if had && (!stands || !current.Foreign) {
		current.Stage = secretstore.Previous
		st = st.put(current)
	}
	return st.put(foreign(secretstore.Current, s)), true
}

// waiting shows a version put by hand that has no place yet as pending, unless
// that stage is taken: it is current as soon as the previous one is gone.
func (st state) waiting(s sighting) state {
	if _, taken := st.On(secretstore.Pending); taken {
		return st
	}
	return st.put(foreign(secretstore.Pending, s))
}

func foreign(stage secretstore.Stage, s sighting) record {
	return record{
		Stage: stage, Held: place{Numbers: []int64{s.number}, CRC32C: s.crc32c},
		Version: secretstore.Version{ID: foreignID(s.number), Foreign: true, Created: document.Time(s.created)},
	}
}

// foreignID is what a version that the rotator did not add is called.
func foreignID(number int64) string { return "gcp-version-" + strconv.FormatInt(number, 10) }
