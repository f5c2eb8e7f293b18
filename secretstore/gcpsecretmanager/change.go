package gcpsecretmanager

import (
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/jsonnotes"
)

// farewell is what becomes of the numbers of a version that is forgotten.
type farewell struct {
	// keep that many disabled ones; older ones are destroyed.
	keep int
	// disable all of them and destroy none.
	disable bool
}

func (st state) annotated(n secretstore.Notes) state {
	st.noted(n)
	return st
}

// announced says that a version is about to be added on top of number top.
func (st state) announced(r record, top int64, at time.Time) state {
	st.GivenUp = slices.DeleteFunc(slices.Clone(st.GivenUp), func(g givenUp) bool { return g.CRC32C == r.CRC32C && g.Number == 0 })
	st.Adding = &announcement{Version: r, After: top, At: jsonnotes.Time(at)}
	return st
}

// mayStage tells whether id can be staged: as a new version, or as the one that
// is pending already, if repeated.
func (st state) mayStage(id string) (pending record, repeated bool, err error) {
	if id == "" {
		return record{}, false, fmt.Errorf("a version needs an id: %w", secretstore.ErrConflict)
	}
	r, held := st.find(id)
	if held && r.Stage != secretstore.Pending {
		return record{}, false, fmt.Errorf("version %s is %s already: %w", id, r.Stage, secretstore.ErrConflict)
	}
	return r, held, nil
}

// staged takes r as the pending version in place of another one.
func (st state) staged(r record, f farewell) state {
	st = st.forgotten(secretstore.Pending, f)
	r.Stage = secretstore.Pending
	st = st.put(r)
	st.Intent = intent{}
	return st
}

// mayPromote gives the version that is to be current at that time; again, if it is
// already and nothing is to be written.
func (st state) mayPromote(id string, at time.Time) (r record, again bool, err error) {
	r, _ = st.find(id)
	switch r.Stage {
	case secretstore.Current:
		return r, !r.Promoted.Before(at), nil
	case secretstore.Pending:
		return r, false, nil
	default:
		return record{}, false, fmt.Errorf("version %s is neither pending nor current: %w", id, secretstore.ErrNotFound)
	}
}

// promoted makes the pending version id current, or records that the current
// one was promoted at that time.
func (st state) promoted(id string, at time.Time, f farewell) state {
	r, _ := st.find(id)
	if r.Stage == secretstore.Pending {
		st = st.displaced(f)
	}
	r.Stage, r.Promoted = secretstore.Current, jsonnotes.Time(at)
	return st.put(r)
}

// displaced makes room on the stage current: the version there becomes previous,
// but does not push out one that stands there.
func (st state) displaced(f farewell) state {
	current, had := st.on(secretstore.Current)
	if _, stands := st.on(secretstore.Previous); stands || !had {
		return st.forgotten(secretstore.Current, f)
	}
	current.Stage = secretstore.Previous
	return st.put(current)
}

func (st state) destroyed(id string, f farewell) state {
	r, held := st.find(id)
	if !held {
		return st
	}
	return st.forgotten(r.Stage, f)
}

// forgotten drops what is on the stage and says what becomes of its numbers. A
// version that the rotator did not add is not the rotator's to destroy.
func (st state) forgotten(stage secretstore.Stage, f farewell) state {
	r, held := st.on(stage)
	st = st.drop(stage)
	if !held || r.Foreign {
		return st
	}
	return st.dismissed(r.Numbers, f).gaveUp(r)
}

// maxGivenUp is how many values given up are remembered: more than can be on
// their way at a time.
const maxGivenUp = 4

// gaveUp remembers a value that readers must not get any more.
func (st state) gaveUp(r record) state {
	st.GivenUp = append(slices.Clone(st.GivenUp), givenUp{ID: r.ID, CRC32C: r.CRC32C})
	st.GivenUp = st.GivenUp[max(0, len(st.GivenUp)-maxGivenUp):]
	return st
}

// voided gives up what was announced and did not come.
func (st state) voided() state {
	if st.Adding == nil {
		return st
	}
	r := st.Adding.Version
	st.Adding = nil
	return st.gaveUp(r)
}

// dismissed says what becomes of the numbers of one version.
func (st state) dismissed(numbers []int64, f farewell) state {
	st.Leaving, st.Kept = slices.Clone(st.Leaving), slices.Clone(st.Kept)
	if f.disable {
		for _, n := range numbers {
			st.Leaving = append(st.Leaving, leaving{Number: n, Disable: true})
		}
		return st
	}
	last := len(numbers) - 1
	for _, n := range numbers[:last] { // the same value once more
		st.Leaving = append(st.Leaving, leaving{Number: n})
	}
	st.Kept = append(st.Kept, numbers[last])
	if f.keep > 0 {
		st.Leaving = append(st.Leaving, leaving{Number: numbers[last], Disable: true})
	}
	for len(st.Kept) > f.keep {
		st = st.destroy(st.Kept[0])
	}
	return st
}

// destroy takes a number from the kept ones to those that are to be destroyed.
func (st state) destroy(n int64) state {
	st.Kept = slices.DeleteFunc(st.Kept, func(k int64) bool { return k == n })
	st.Leaving = slices.DeleteFunc(st.Leaving, func(l leaving) bool { return l.Number == n })
	st.Leaving = append(st.Leaving, leaving{Number: n})
	return st
}
