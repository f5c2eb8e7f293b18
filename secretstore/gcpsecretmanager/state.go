package gcpsecretmanager

import (
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
)

// state is what the annotation says: everything about the secret but its
// values. The functions on it are pure and change nothing but their copy.
type state struct {
	// Owner is the deployment that the secret belongs to.
	Owner string `json:"owner"`
	// Write is random and new with every write, so that no two annotations are
	// ever the same, and a writer knows his own.
	Write string `json:"write"`
	numbered
	// Specs are those that intents refer to: most of them are the same, and the
	// annotations of a secret must not have 16 KiB.
	Specs []secretstore.Spec `json:"specs,omitempty"`
	// Settled: every enabled version up to this number has been accounted for.
	// One above it was put there by something else, or was announced.
	Settled int64 `json:"settled,omitempty"`
	// Adding announces a version whose number is not known yet; nil if none.
	Adding *announcement `json:"adding,omitempty"`
	// Leaving are versions that were forgotten and are still to be destroyed or
	// disabled: the next write sees to it.
	Leaving []leaving `json:"leaving,omitempty"`
	// Kept are forgotten versions that are spared from destruction, the newest
	// last.
	Kept []int64 `json:"kept,omitempty"`
	// GivenUp are the last values that were forgotten, or announced and never added, the
	// newest last: their keys are revoked, or may be at any moment.
	GivenUp []givenUp `json:"given_up,omitempty"`
}

// numbered is a document that knows where values are.
type numbered = document.Document[place]

// record is a version that the state knows.
type record = document.Version[place]

// place says where a version's value is, and what it looks like.
type place struct {
	// Numbers are the service's names for it, ascending: the last one counts.
	// There are several if its value was put on top again.
	Numbers []int64 `json:"numbers,omitempty"`
	// CRC32C is the Castagnoli checksum of what is stored.
	CRC32C uint32 `json:"crc32c"`
}

// announcement says that a version is about to be added: a new pending one, or
// the value of one that is known, once more.
type announcement struct {
	Version record `json:"version"`
	// After is the number that was on top when it was made.
	After int64 `json:"after,omitempty"`
	// At is when it was made: others keep off for a while.
	At time.Time `json:"at"`
}

// givenUp is a value that readers must not get any more.
type givenUp struct {
	ID     string `json:"id"`
	CRC32C uint32 `json:"crc32c"`
	// Number of a version that came on top with that value all the same, to be
	// destroyed once something else is on top; 0 for none.
	Number int64 `json:"number,omitempty"`
}

// leaving is a version that is to go.
type leaving struct {
	Number int64 `json:"number"`
	// Disable it instead of destroying it.
	Disable bool `json:"disable,omitempty"`
}

// number gives the version's number that counts.
func (p place) number() int64 { return p.Numbers[len(p.Numbers)-1] }

// with adds a number under which the value is stored too.
func (p place) with(n int64) place {
	p.Numbers = append(slices.Clone(p.Numbers), n)
	slices.Sort(p.Numbers)
	p.Numbers = slices.Compact(p.Numbers)
	return p
}

// has tells whether a version has that number.
func (st state) has(number int64) bool {
	return slices.ContainsFunc(st.Versions, func(r record) bool { return slices.Contains(r.Held.Numbers, number) })
}

// stored finds the version whose value has that checksum.
func (st state) stored(crc uint32) (record, bool) {
	at := slices.IndexFunc(st.Versions, func(r record) bool { return r.Held.CRC32C == crc })
	if at < 0 {
		return record{}, false
	}
	return st.Versions[at], true
}

// put sets r on its stage in place of what is there, and wherever it was.
func (st state) put(r record) state {
	st.numbered = st.Put(r)
	return st
}

// highest gives the greatest number that the state knows.
func (st state) highest() int64 {
	n := st.Settled
	for _, r := range st.Versions {
		n = max(n, r.Held.number())
	}
	return n
}
