package rotator

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// A target's sinks are written after all its stores: see package sink. Which of them has the
// current key is told by a receipt in the primary's notes and, where it has one, by the sink's
// own mark besides. The receipt is written after the sink was, and says when: the grace period
// counts from the last of stores and sinks. A mark alone is not enough: the key may have been
// put there in another way than the configuration says now, into the wrong field for instance.
//
// Only the current key is ever given to a sink, and no old one is revoked before every sink
// has the current one. A sink that fails holds up that, and nothing else.
//
// Two instances with a sink that has no mark: one that decided on an old view, and stopped
// right before it gave the old key to the sink, may do so after the other gave it the new
// one. It finds that out when it writes the receipt, and puts it right. If it dies in
// between, nobody knows; a sink with a mark is asked each time.

// MaxSinks is how many sinks a target may have: so many marks fit into a receipt.
const MaxSinks = secretstore.MaxReceipt / (markLength + 1)

// What can be wrong with a sink, to be matched with errors.Is.
var (
	// ErrSinkBehind: a sink is not known to have the current key. The old one lives.
	ErrSinkBehind = errors.New("it is not known to have the current key")
	// ErrSinkNotYet: what uses a sink is not known to work with the current key. The old
	// one lives.
	ErrSinkNotYet = errors.New("what uses it is not known to work with the current key")
)

// SinkBehindError is an [ErrSinkBehind] where it is known which key the sink has.
type SinkBehindError struct{ Has string }

// Error gives what the command line shows.
func (e SinkBehindError) Error() string { return "it does not have the current key, but key " + e.Has }

// Unwrap makes the error match ErrSinkBehind.
func (SinkBehindError) Unwrap() error { return ErrSinkBehind }

// SinkState is what is known of a sink, without a value.
type SinkState struct {
	Name string
	// Where is what the name does not say of the place; see [sink.Placed].
	Where string
	// Marked: it can tell which key it has. Checked: whether what uses it works.
	Marked, Checked bool
	// Asked is when the reading of its mark began; 0 if it was not read. Mark is the id
	// of the key that it has, by that.
	Asked moment
	Mark  string
	// AskErr is why it could not be read.
	AskErr error
	// Tried is the key that this run gave it last, or tried to; GivenAt is when it had it, 0
	// if that failed, for PutErr.
	Tried   string
	GivenAt moment
	PutErr  error
	// Had is the key that it had before this run gave it another one, as far as is known.
	Had string
	// Works is the key with which this run found what uses it to work, and NotYet why it
	// was not found to.
	Works  string
	NotYet error
}

// sinkStates gives what is known of a target's sinks before they are asked.
func sinkStates(t Target) []SinkState {
	var all []SinkState
	for _, s := range t.Sinks {
		_, marked := s.(sink.Holder)
		_, checked := s.(sink.Checker)
		st := SinkState{Name: s.Name(), Marked: marked, Checked: checked}
		if placed, ok := s.(sink.Placed); ok {
			st.Where = placed.Where()
		}
		all = append(all, st)
	}
	return all
}

// markLength is how many characters of a receipt say which sink is meant.
const markLength = 6

// The ends of a sink's mark in a receipt.
const (
	markGiven = "." // it was given the key
	markWorks = ":" // and what uses it was found to work
)

// receiptMark is what a sink is called in receipts. It is another one where the
// configuration has the same name lead elsewhere: that place was given nothing.
func (s SinkState) receiptMark() string {
	place := s.Name
	if s.Where != "" {
		place += "\x00" + s.Where
	}
	sum := sha256.Sum256([]byte(place))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:markLength]
}

// receipted tells whether the receipt says that a sink was given the key, and that what uses
// it works.
func (s SinkState) receipted(r secretstore.Receipt, id string) (given, works bool) {
	if r.KeyID != id {
		return false, false
	}
	mark := s.receiptMark()
	for at := 0; at+markLength < len(r.Sinks); at += markLength + 1 {
		if r.Sinks[at:at+markLength] == mark {
			return true, r.Sinks[at+markLength:at+markLength+1] == markWorks
		}
	}
	return false, false
}

// has tells whether a sink is known to have the key: since this run gave it, or by the receipt
// and, where it has one, its own mark.
func (s SinkState) has(id string, r secretstore.Receipt) bool {
	switch {
	case s.GivenAt > s.Asked:
		return s.Tried == id
	case s.Marked:
		return s.given(id, r) && s.Asked > 0 && s.AskErr == nil && s.Mark == id
	case s.Tried != "":
		return s.Tried == id && s.GivenAt > 0
	default:
		return s.given(id, r)
	}
}

// given tells whether a sink was given the key last, in the way that the configuration says now.
func (s SinkState) given(id string, r secretstore.Receipt) bool {
	given, _ := s.receipted(r, id)
	return given || s.Tried == id && s.GivenAt > 0
}

// works tells whether what uses a sink is known to work with the key, where that can be
// found out.
func (s SinkState) works(id string, r secretstore.Receipt) bool {
	_, works := s.receipted(r, id)
	return !s.Checked || works || s.Works == id
}

// onRecord is what is on record of the sinks, as far as it counts.
func (v *view) onRecord() secretstore.Receipt {
	if v.receiptOutdated() {
		return secretstore.Receipt{}
	}
	return v.primary().Notes.Receipt
}

// receiptOutdated tells whether the receipt may be of before something that the store does not
// know: the primary was restored from a backup, and what is on record of the sinks with it. A key
// that was issued after the receipt and is not the current one shows that. The sinks are given
// the current one anew then, and the other is retired like any that was current.
func (v *view) receiptOutdated() bool {
	cur, ok := v.current(0)
	r := v.primary().Notes.Receipt
	return ok && r.KeyID == cur.ID && v.Receipted == 0 && v.newestOther(cur.ID).After(r.At)
}

// newestOther is when the newest key besides the current one may have been issued that was
// current once, by any clock; zero if there is none.
func (v *view) newestOther(current string) (at time.Time) {
	for _, old := range v.old() {
		if old.ID != current {
			at = later(at, old.Intent.At)
		}
	}
	for _, id := range v.outdated() {
		at = later(at, v.Keys[id].Created.Add(clockMargin))
	}
	return at
}

// keyOf gives the id of the key that a sink has, as far as that is known.
func (v *view) keyOf(s SinkState) string {
	if s.GivenAt > s.Asked {
		return s.Tried
	}
	if s.Marked && s.Asked > 0 && s.AskErr == nil {
		return s.Mark
	}
	r := v.onRecord()
	if given, _ := s.receipted(r, r.KeyID); given {
		return r.KeyID
	}
	return s.Had
}

// trouble is why a sink does not have the current key.
func (v *view) sinkTrouble(s SinkState) error {
	what := ErrSinkBehind
	cur, _ := v.current(0)
	if id := v.keyOf(s); id != "" && id != cur.ID {
		what = SinkBehindError{id}
	}
	for _, err := range []error{s.PutErr, s.AskErr} {
		if err != nil {
			return fmt.Errorf("sink %s: %w: %w", s.Name, what, err)
		}
	}
	return fmt.Errorf("sink %s: %w", s.Name, what)
}

// receipt is what is to be on record of the sinks: those that have the key.
func (v *view) receipt(id string) secretstore.Receipt {
	stands := v.onRecord()
	want := secretstore.Receipt{KeyID: id, At: stands.At}
	var marks []string
	for _, s := range v.Sinks {
		given, worked := s.receipted(stands, id)
		unknown := s.AskErr != nil && s.Tried == "" // then what is on record stands
		if !s.has(id, stands) && (!unknown || !given) {
			continue
		}
		end := markGiven
		if worked || s.Checked && s.Works == id {
			end = markWorks
		}
		marks = append(marks, s.receiptMark()+end)
		if !given || s.GivenAt > v.Receipted {
			want.At = roundUp(later(v.now, v.newestOther(id)))
		}
	}
	if len(marks) == 0 {
		return secretstore.Receipt{}
	}
	slices.Sort(marks)
	want.Sinks = strings.Join(marks, "")
	return want
}

// roundUp gives the next whole second, as stores keep times: a grace period that is counted
// from it is never too short.
func roundUp(t time.Time) time.Time { return t.Add(time.Second - 1).Truncate(time.Second) }

// receiptedAll tells since when every sink has the current key; known is false if that is not on
// record.
func (v *view) receiptedAll(id string) (at time.Time, known bool) {
	r := v.onRecord()
	for _, s := range v.Sinks {
		if given, _ := s.receipted(r, id); !given {
			return time.Time{}, false
		}
		at = r.At
	}
	return at, true
}

// SinkStatus is what is known of a sink.
type SinkStatus struct {
	Name string
	// KeyID is the key that it has, by its own mark or by the receipt; empty if that is not
	// known.
	KeyID string
	// Current: that is the target's current key.
	Current bool
	// Unproven: it is not known whether what uses it works with the key, which can be
	// found out.
	Unproven bool
	// Err is why it does not have the current key, or cannot be asked.
	Err error
}

func (v *view) sinkStatuses() []SinkStatus {
	var all []SinkStatus
	cur, ok := v.current(0)
	for _, s := range v.Sinks {
		st := SinkStatus{Name: s.Name, KeyID: v.keyOf(s)}
		st.Current = ok && !cur.Foreign && st.KeyID == cur.ID && s.given(cur.ID, v.onRecord())
		if ok && st.KeyID == cur.ID && !st.Current {
			st.KeyID = "" // by its mark alone
		}
		st.Unproven = st.Current && !s.works(cur.ID, v.onRecord())
		for _, err := range []error{s.AskErr, s.PutErr, s.NotYet} {
			if err != nil && (!st.Current || st.Unproven || s.AskErr != nil) {
				st.Err = err
				break
			}
		}
		all = append(all, st)
	}
	return all
}
