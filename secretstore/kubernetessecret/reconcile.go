package kubernetessecret

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/jsonnotes"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// matched brings the records into line with the values that are really there, and
// gives the value of each version that has one. Our own writes change both at
// once, so what does not match was changed by somebody else.
func (st state) matched(slots map[secretstore.Stage]sighting) (state, map[string]secret.Value) {
	st = st.currentMatched(slots[secretstore.Current])
	if r, held := st.on(secretstore.Pending); held && r.Digest != slots[secretstore.Pending].digest {
		st = st.drop(secretstore.Pending)
	}
	st = st.leftover(slots[secretstore.Previous])
	values := map[string]secret.Value{}
	for stage, seen := range slots {
		if r, held := st.on(stage); held && r.Digest == seen.digest {
			values[r.ID] = seen.value
		}
	}
	return st, values
}

// currentMatched makes that version current which consumers read. The one that was
// current becomes previous in place of one that stands there: it was in use last,
// and what it was the successor of had its grace begin earlier.
func (st state) currentMatched(seen sighting) state {
	current, had := st.on(secretstore.Current)
	switch {
	case had && current.Digest == seen.digest:
		return st
	case seen.digest == "":
		return st.currentGone()
	}
	r, known := st.stored(seen.digest)
	if !known {
		r = foreign(secretstore.Current, seen)
	}
	if known {
		st = st.drop(r.Stage)
	}
	if had {
		current.Stage = secretstore.Previous
		st = st.put(current)
	}
	r.Stage, r.Promoted = secretstore.Current, time.Time{}
	return st.put(r)
}

// currentGone is for a current version whose value somebody took away. It leaves
// the stage, so that a rotation is due at once, but not the record: its key keeps
// its grace.
func (st state) currentGone() state {
	current, had := st.on(secretstore.Current)
	if _, stands := st.on(secretstore.Previous); !had || stands {
		return st
	}
	current.Stage = secretstore.Previous
	return st.put(current)
}

// leftover shows a previous value of which the record was lost, so that it is
// destroyed some day.
func (st state) leftover(seen sighting) state {
	_, held := st.on(secretstore.Previous)
	_, known := st.stored(seen.digest)
	if held || known || seen.digest == "" {
		return st
	}
	return st.put(foreign(secretstore.Previous, seen))
}

// stored finds the version whose value has that digest.
func (st state) stored(digest string) (record, bool) {
	for _, stage := range secretstore.Stages() {
		if r, held := st.on(stage); held && r.Digest == digest {
			return r, true
		}
	}
	return record{}, false
}

// foreign is the record of a value that the rotator did not write.
func foreign(stage secretstore.Stage, seen sighting) record {
	const short = 8
	return record{
		Stage: stage, ID: "by-hand-" + seen.digest[:short], Foreign: true, Digest: seen.digest, Created: jsonnotes.Time(seen.since),
	}
}
