package gcpsecretmanager

import (
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/jsonnotes"
)

// state is what the annotation says: everything about the secret but its
// values. The functions on it are pure and change nothing but their copy.
type state struct {
	Format int `json:"format"`
	// Owner is the deployment that the secret belongs to.
	Owner string `json:"owner"`
	// Write is random and new with every write, so that no two annotations are
	// ever the same, and a writer knows his own.
	Write string `json:"write"`
	// Settled: every enabled version up to this number has been accounted for.
	// One above it was put there by something else, or was announced.
	Settled  int64    `json:"settled,omitempty"`
	Versions []record `json:"versions,omitempty"`
	// Adding announces a version whose number is not known yet; nil if none.
	Adding *announcement `json:"adding,omitempty"`
	// Leaving are versions that were forgotten and are still to be destroyed or
	// disabled: the next write sees to it.
	Leaving []leaving `json:"leaving,omitempty"`
	// Kept are forgotten versions that are spared from destruction, the newest
	// last.
	Kept []int64 `json:"kept,omitempty"`
	// GivenUp are the last values that were forgotten, or announced in vain, the
	// newest last: their keys are revoked, or may be at any moment.
	GivenUp []givenUp `json:"given_up,omitempty"`
	Intent  intent    `json:"intent,omitzero"`
	jsonnotes.Facts
	// Specs are those that intents refer to: most of them are the same, and the
	// annotations of a secret must not have 16 KiB.
	Specs []secretstore.Spec `json:"specs,omitempty"`
}

// record is a version that the state knows.
type record struct {
	Stage   secretstore.Stage `json:"stage"`
	ID      string            `json:"id"`
	Foreign bool              `json:"foreign,omitempty"`
	// Numbers are the service's names for it, ascending: the last one counts.
	// There are several if its value was put on top again.
	Numbers []int64 `json:"numbers"`
	// CRC32C is the Castagnoli checksum of what is stored.
	CRC32C   uint32    `json:"crc32c"`
	Intent   intent    `json:"intent,omitzero"`
	Account  string    `json:"account,omitempty"`
	Created  time.Time `json:"created,omitzero"`
	Promoted time.Time `json:"promoted,omitzero"`
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

// intent is a [secretstore.Intent] as the annotation has it: there its spec stands
// in a list, since others may have the same.
type intent struct {
	jsonnotes.Intent
	// SpecAt is the place of Spec in the state's Specs, counted from 1.
	SpecAt int `json:"spec_at,omitempty"`
}

// number gives the version's number that counts.
func (r record) number() int64 { return r.Numbers[len(r.Numbers)-1] }

// withNumber adds a number under which the value is stored too.
func (r record) withNumber(n int64) record {
	r.Numbers = append(slices.Clone(r.Numbers), n)
	slices.Sort(r.Numbers)
	r.Numbers = slices.Compact(r.Numbers)
	return r
}

func (st state) find(id string) (record, bool) {
	at := slices.IndexFunc(st.Versions, func(r record) bool { return r.ID == id })
	if at < 0 {
		return record{}, false
	}
	return st.Versions[at], true
}

func (st state) on(stage secretstore.Stage) (record, bool) {
	at := slices.IndexFunc(st.Versions, func(r record) bool { return r.Stage == stage })
	if at < 0 {
		return record{}, false
	}
	return st.Versions[at], true
}

// has tells whether a version has that number.
func (st state) has(number int64) bool {
	return slices.ContainsFunc(st.Versions, func(r record) bool { return slices.Contains(r.Numbers, number) })
}

// stored finds the version whose value has that checksum.
func (st state) stored(crc uint32) (record, bool) {
	at := slices.IndexFunc(st.Versions, func(r record) bool { return r.CRC32C == crc })
	if at < 0 {
		return record{}, false
	}
	return st.Versions[at], true
}

// put sets r on its stage in place of what is there, and wherever it was.
func (st state) put(r record) state {
	st.Versions = slices.DeleteFunc(slices.Clone(st.Versions), func(old record) bool {
		return old.Stage == r.Stage || old.ID == r.ID
	})
	st.Versions = append(st.Versions, r)
	return st
}

// drop takes what is on the stage off.
func (st state) drop(stage secretstore.Stage) state {
	st.Versions = slices.DeleteFunc(slices.Clone(st.Versions), func(r record) bool { return r.Stage == stage })
	return st
}

// highest gives the greatest number that the state knows.
func (st state) highest() int64 {
	n := st.Settled
	for _, r := range st.Versions {
		n = max(n, r.number())
	}
	return n
}

// shown is the version as callers see it. It shares no memory with the record.
func (r record) shown() secretstore.Version {
	return secretstore.Version{
		ID: r.ID, Foreign: r.Foreign, Intent: r.Intent.Shown(), Account: r.Account,
		Created: r.Created, Promoted: r.Promoted,
	}
}

// versions gives the versions as callers see them.
func (st state) versions() map[secretstore.Stage]secretstore.Version {
	versions := make(map[secretstore.Stage]secretstore.Version, len(st.Versions))
	for _, r := range st.Versions {
		versions[r.Stage] = r.shown()
	}
	return versions
}

func keepIntent(i secretstore.Intent) intent { return intent{Intent: jsonnotes.KeepIntent(i)} }

// noted takes the notes over.
func (st *state) noted(n secretstore.Notes) {
	st.Intent, st.Facts = keepIntent(n.Intent), jsonnotes.KeepFacts(n)
}
