package rotator

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Some secrets are not shown to the issuer but sent by it: receivers read them from the
// stores and compare. There the receivers must know a value before the senders use it, so
// the order of the steps is another one:
//
//	reserve → issue → try → stage → verify → promote → deliver   receivers accept the current and the previous value
//	→ converge  the gates pass, and the settle time is over: receivers have read it
//	→ switch    one sender after the other
//	→ confirm   its deliveries are accepted; else it is switched back to the previous value
//	→ grace     for what is sent late
//	→ destroy   the previous value, once every sender is confirmed
//
// decideSender decides on them, beside decide.

// A Sender sends the secret along with what it delivers.
type Sender struct {
	// ID is opaque, Name is for people; both are safe to print.
	ID, Name string
	// Value is what it sends as the secret; the zero value if it sends none.
	Value secret.Value
	// Off: it delivers nothing, since OffSince, if that is known.
	Off      bool
	OffSince time.Time
}

// Senders are those that a target's secret is for.
type Senders interface {
	// Senders gives all of them, or fails: never a part of them.
	Senders(ctx context.Context) ([]Sender, error)
	// Switch has a sender send value from now on. Nothing else of it is changed, and if it
	// is no longer as seen nothing at all: [ErrByHand]. It is asked for once; any other
	// error leaves open what it sends.
	Switch(ctx context.Context, seen Sender, value secret.Value) error
	// Confirm finds out whether what the sender delivers is accepted: Invalid if it was
	// refused for its secret since that time.
	Confirm(ctx context.Context, s Sender, since time.Time) TestCall
	// Refused tells whether a delivery was refused for its secret since that time.
	Refused(ctx context.Context, s Sender, since time.Time) (bool, error)
	// Resume has one that is off deliver again. Repeating it is harmless.
	Resume(ctx context.Context, s Sender) error
}

// Carries is what a sender sends, compared with what the primary store has.
type Carries string

const (
	// CarriesNothing: it sends no secret at all.
	CarriesNothing Carries = "nothing"
	// CarriesCurrent and CarriesPrevious: that version's value.
	CarriesCurrent  Carries = "current"
	CarriesPrevious Carries = "previous"
	// CarriesOther: a value that the store does not have: somebody has set it.
	CarriesOther Carries = "other"
)

// SenderState is what was seen of a sender, without its value.
type SenderState struct {
	ID, Name string
	Carries  Carries
	// Off: it delivers nothing. ForSecret: since deliveries were refused for their secret.
	// Before: it was off when the rotation of the current value began.
	Off, ForSecret, Before bool
}

// sending is what decide knows of the senders, and what this run has done with them.
type sending struct {
	Senders []SenderState
	// SendersSeen is when the reading of them began; 0 if they must be read (again).
	SendersSeen moment
	// Against are the ids of the current and the previous version that they were compared
	// with.
	Against [2]string
	// Values counts the different values that the senders of CarriesOther send.
	Values int
	// Confirmed are the newest test deliveries of this run, by sender.
	Confirmed map[string]test
	// Switched are the senders that this run has switched, or tried to.
	Switched map[string]bool
	// HadOther are those that this run has switched from a value that no store had, or from
	// none: they can be switched back to it. What a store had and has no more, receivers do
	// not accept.
	HadOther map[string]bool
	// Settled is the value for which the settle time was over when this run switched the
	// first sender, and Noted the promotion time that it wrote down then.
	Settled string
	Noted   time.Time
	// Trouble is the last error of a switch, and Tries counts those in a row.
	Trouble error
	Tries   int
	// InDoubt: a sender was switched, and nobody has asked yet whether that is accepted.
	InDoubt bool
	// FirstBack is when this run first switched a sender back.
	FirstBack time.Time
}

// against gives the ids of the versions that senders are compared with.
func (s State) against() [2]string {
	versions := s.primary().Versions
	return [2]string{versions[secretstore.Current].ID, versions[secretstore.Previous].ID}
}

// NewID makes an id for a value that no issuer has given one: a random UUID, which every
// store takes.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// previousAnywhere gives the store that is to forget its previous version first: the primary,
// since who switches a sender writes there before. That the primary lets go shows that nobody
// has since it was read, which no other store can.
func (v *view) previousAnywhere() (store int, id string, ok bool) {
	for i, st := range v.Stores {
		if ver, stands := st.Versions[secretstore.Previous]; stands {
			return i, ver.ID, true
		}
	}
	return 0, "", false
}

// settledAt is when receivers have read the current value: the settle time after the last
// store took it. known is false where a store does not have it, or does not say since when.
func (v *view) settledAt() (at time.Time, known bool) {
	cur, ok := v.current(0)
	if !ok {
		return at, false
	}
	for i := range v.Stores {
		has, ok := v.current(i)
		if !ok || has.ID != cur.ID || has.Promoted.IsZero() {
			return at, false
		}
		at = later(at, has.Promoted.Add(v.policy.Settle))
	}
	return at, true
}

// switchedFrom is the earliest instant at which a sender can have been switched to the
// current value last: a promotion is written down once more before each switch.
func (v *view) switchedFrom() time.Time {
	cur, _ := v.current(0)
	return cur.Promoted.Add(-promotionBound(cur.Intent.Grace))
}

// allCarry tells whether every sender sends the current value, and if not, which one does not.
func (v *view) allCarry() (not SenderState, all bool) {
	for _, s := range v.Senders {
		if s.Carries != CarriesCurrent {
			return s, false
		}
	}
	return SenderState{}, true
}

// confirmedFor is how long a confirmation counts.
const confirmedFor = 5 * fresh

// confirmation gives the newest test delivery of a sender in this run.
func (v *view) confirmation(id string) (test, bool) {
	t, ok := v.Confirmed[id]
	return t, ok && v.now.Sub(t.At) < confirmedFor
}
