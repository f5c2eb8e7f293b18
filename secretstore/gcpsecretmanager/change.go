package gcpsecretmanager

import (
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
)

// disposal is what becomes of the numbers of a version that is forgotten.
type disposal struct {
	// keep that many disabled ones; older ones are destroyed.
	keep int
	// disable all of them and destroy none.
	disable bool
}

// announced says that a version is about to be added on top of number top.
func (st state) announced(r record, top int64, at time.Time) state {
	st.GivenUp = slices.DeleteFunc(slices.Clone(st.GivenUp), func(g givenUp) bool { return g.CRC32C == r.Held.CRC32C && g.Number == 0 })
	st.Adding = &announcement{Version: r, After: top, At: document.Time(at)}
	return st
}

// to is the state with another document: what becomes of the numbers of a version
// that is in it no more, f says. One that the rotator did not add is not the
// rotator's to destroy.
func (st state) to(next numbered, f disposal) state {
	for _, r := range st.Versions {
		if _, stays := next.Find(r.ID); !stays && !r.Foreign {
			st = st.dismissed(r.Held.Numbers, f).gaveUp(r)
		}
	}
	st.numbered = next
	return st
}

// maxGivenUp is how many values given up are remembered: more than can be on
// their way at a time.
const maxGivenUp = 4

// gaveUp remembers a value that readers must not get any more.
func (st state) gaveUp(r record) state {
	st.GivenUp = append(slices.Clone(st.GivenUp), givenUp{ID: r.ID, CRC32C: r.Held.CRC32C})
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
func (st state) dismissed(numbers []int64, f disposal) state {
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
