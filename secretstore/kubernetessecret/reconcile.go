package kubernetessecret

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// matched brings the records into line with the values that are really there, and
// gives the value of each version that has one. Our own writes change both at
// once, so what does not match was changed by somebody else.
func matched(d digests, slots map[secretstore.Stage]sighting) (digests, map[string]secret.Value) {
	d = currentMatched(d, slots[secretstore.Current])
	if r, held := d.On(secretstore.Pending); held && r.Held != slots[secretstore.Pending].digest {
		d = d.Drop(secretstore.Pending)
	}
	d = withLeftover(d, slots[secretstore.Previous])
	values := map[string]secret.Value{}
	for stage, seen := range slots {
		if r, held := d.On(stage); held && r.Held == seen.digest {
			values[r.ID] = seen.value
		}
	}
	return d, values
}

// currentMatched makes that version current which consumers read. The one that was
// current becomes previous in place of one that stands there: it was in use last,
// and what it was the successor of had its grace begin earlier.
func currentMatched(d digests, seen sighting) digests {
	current, had := d.On(secretstore.Current)
	switch {
	case had && current.Held == seen.digest:
		return d
	case seen.digest == "":
		return currentGone(d)
	}
	r, known := stored(d, seen.digest)
	if !known {
		r = foreign(secretstore.Current, seen)
	}
	if known {
		d = d.Drop(r.Stage)
	}
	if had {
		current.Stage = secretstore.Previous
		d = d.Put(current)
	}
	r.Stage, r.Promoted = secretstore.Current, time.Time{}
	return d.Put(r)
}

// currentGone is for a current version whose value somebody took away. It leaves
// the stage, so that a rotation is due at once, but not the record: its key keeps
// its grace.
func currentGone(d digests) digests {
	current, had := d.On(secretstore.Current)
	if _, stands := d.On(secretstore.Previous); !had || stands {
		return d
	}
	current.Stage = secretstore.Previous
	return d.Put(current)
}

// withLeftover shows a previous value of which the record was lost, so that it is
// destroyed some day.
func withLeftover(d digests, seen sighting) digests {
	_, held := d.On(secretstore.Previous)
	_, known := stored(d, seen.digest)
	if held || known || seen.digest == "" {
		return d
	}
	return d.Put(foreign(secretstore.Previous, seen))
}

// stored finds the version whose value has that digest.
func stored(d digests, digest string) (record, bool) {
	for _, stage := range secretstore.Stages() {
		if r, held := d.On(stage); held && r.Held == digest {
			return r, true
		}
	}
	return record{}, false
}

// foreign is the record of a value that the rotator did not write.
func foreign(stage secretstore.Stage, seen sighting) record {
	const short = 8
	return record{Stage: stage, Held: seen.digest, Version: secretstore.Version{
		ID: "by-hand-" + seen.digest[:short], Foreign: true, Created: document.Time(seen.since),
	}}
}
