package rotator

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A moment is a logical time within one run: observations and effects are
// numbered in the order they began, so that "seen after" needs no clock.
type moment int

// State is all that decide goes by: what the stores and Instantly say, and what
// this run has found out and done so far. It holds no secret values.
type State struct {
	Target string
	// Stores in the order of the configuration, the primary first.
	Stores []StoreState
	// Keys of the workspace by id, from a list read to its last page.
	Keys map[string]Key
	// Named are the ids of those keys that bear a name of ours, by the store in it:
	// a target need not go through the keys of all others.
	Named map[string][]string
	// Issued are the stores in the names of those keys, one for each key, by owner and
	// target: see issuedFor.
	Issued map[string][]string
	// Listed is when the reading of Keys began; 0 if they must be read (again).
	Listed moment
	// Account that the issuer's credential resolves to.
	Account string
	// Checked: the admin key is known to be able to delete keys, and nothing that
	// has just failed elsewhere speaks against beginning.
	Checked bool
	// Paired: when this run issued its key, a list had just had another key of the
	// workspace under the id that the create answered.
	Paired bool
	// CircuitOpen: why no rotation may be begun, found out by Check.
	CircuitOpen error
	// Instance names the process, as intents have it.
	Instance string
	// Declared: this run noted down the incident that was asked for.
	Declared bool

	// Sinks in the target's order, and when this run wrote their receipt last.
	Sinks     []SinkState
	Receipted moment

	// ReadOnly: nothing may be changed, so gates are not asked.
	ReadOnly bool
	// Gates as they answered in this run, in the target's order.
	Gates []gateResult
	// Peers counts the targets that this one is kept apart from, and Survey is
	// what they said.
	Peers  int
	Survey surveyed
	// Credential: the target's key is what the issuer acts with, and ActsWith is the id of
	// the one with which it is known to act since this run. Awaits: it is another target's,
	// and no rotation begins while it is being replaced.
	Credential bool
	ActsWith   string
	Awaits     bool

	// sending is about the senders, of a secret that is sent: Sent.
	Sent bool
	sending

	// Reserved is the nonce of an intent that this run wrote and for which it
	// has not tried to issue a key yet.
	Reserved string
	// GivenUp are the nonces of intents that stood in the primary until this run took
	// them away: no store ever took the keys of those, nor can.
	GivenUp map[string]bool
	// InHand is the key this run issued and has not stored yet; nil if none.
	InHand *InHand
	// Tests made in this run.
	Tests map[place]test
	// Revoked keys of this run, by id.
	Revoked map[string]time.Time
	// Unswept are orphans that could not be revoked in this run.
	Unswept map[string]bool
	// Foreign: a value of unknown origin was current in some store in this run.
	Foreign bool
	// Twins are versions of unknown origin that this run saw to hold the value of the key
	// that is adopted in their place.
	Twins map[place]bool
	// LostRace: another writer came between; this run must stand back. The
	// conflict, or nil.
	LostRace error
	// FailedReservation is the nonce of an intent that this run could not write, by a view that
	// was out of date for instance. The store may have it all the same.
	FailedReservation string
	// Rotated: this run promoted a new key in the primary store.
	Rotated bool
	// Displaced: this run promoted a key in some store.
	Displaced bool
	// Repaired: this run had to make up a promotion time in the primary store.
	Repaired bool
	// Finished: the promotion of the current key had been told as one that failed, and this
	// run has cleared that.
	Finished bool
}

// StoreState is what one store said.
type StoreState struct {
	// Name of the store in the configuration.
	Name string
	secretstore.Snapshot
	// Err is why the store could not be read; nil if it was.
	Err error
	// Trouble is what a store that was read says of itself: its consumers cannot read
	// it, or it takes no write. Nil if it says nothing.
	Trouble error
	// HolderGone: the process that began the rotation is known to be there no more.
	HolderGone bool
	// Seen is when the reading of it began, or the write that gave the snapshot.
	Seen moment
}

// InHand is a key whose value is in memory only. The value itself is the run's.
type InHand struct {
	ID     string
	Nonce  string
	Issued time.Time
	// Offered: the primary was asked to store it. It may have, whatever came back, and another
	// instance may have promoted it.
	Offered bool
}

// A place is where a tested value was read from: a version in a store, or
// memory.
type place struct {
	store int // index in State.Stores; inMemory for a key in hand
	id    string
}

const inMemory = -1

// A test is the newest test call with the value at a place.
type test struct {
	TestCall
	// First and At are when the first and the newest call began.
	First, At time.Time
	// Seq is when the call began.
	Seq moment
	// Tries counts the calls made for this place in this run.
	Tries int
	// Refused counts the invalid answers in a row, the newest included.
	Refused int
	// Unasked: the store has no value to make the call with, so it counts as invalid, and shows
	// nothing of the key.
	Unasked bool
}

// fresh is how long a test call counts as "just verified".
const fresh = time.Minute

// primary is the first store: the one whose notes carry the intent.
func (s State) primary() StoreState { return s.Stores[0] }

// current gives the current version of store i.
func (s State) current(i int) (secretstore.Version, bool) {
	v, ok := s.Stores[i].Versions[secretstore.Current]
	return v, ok
}

// referenced tells whether any store refers to the key by a version.
// Meaningful only if every store could be read.
func (s State) referenced(id string) bool {
	for _, st := range s.Stores {
		if _, _, ok := st.Find(id); ok {
			return true
		}
	}
	return false
}

// refersTo tells whether a version was issued with that nonce, whatever its id: the list
// may know the key by another one than the answer to its create.
func (st StoreState) refersTo(nonce string) bool {
	for _, ver := range st.Versions {
		if !ver.Foreign && ver.Intent.Nonce == nonce {
			return true
		}
	}
	return false
}

// begun gives the intent of the rotation that was begun: that of the pending version, if
// there is one of ours.
func (st StoreState) begun() secretstore.Intent {
	if ver, ok := st.Versions[secretstore.Pending]; ok && !ver.Foreign {
		return ver.Intent
	}
	return st.Notes.Intent
}

// unreadable gives the first store that could not be read.
func (s State) unreadable() (StoreState, bool) {
	for _, st := range s.Stores {
		if st.Err != nil {
			return st, true
		}
	}
	return StoreState{}, false
}

// seenSince tells whether every store was read after m.
func (s State) seenSince(m moment) bool {
	for _, st := range s.Stores {
		if st.Err != nil || st.Seen <= m {
			return false
		}
	}
	return true
}
