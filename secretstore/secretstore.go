// Package secretstore is the contract between the rotation engine and a place
// that keeps one secret: a local folder, a secret manager; package all lists the
// kinds. Its doc comments are the contract, package storetest checks them, and
// every backend passes that suite.
//
// A backend stores two kinds of thing for its secret: versions, each the value
// of one key that an issuer made, and notes, a few facts without secrets that let
// any instance of the rotator carry on where another one stopped. There is no
// other memory: what the store does not say, nobody knows.
//
// What a key is, who issues it and what it may do is no concern of a store: it
// keeps ids, names, accounts and a [Spec] as they are given.
package secretstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// A Store keeps one secret; it is bound to that secret when it is made, so
// that no name can be passed wrongly.
//
// The four methods that write take the [Snapshot] that the caller decided on.
// They compare and swap: if the secret's versions, stages or notes are no
// longer as seen, they change nothing and return [ErrConflict]. If they
// succeed they return the snapshot as it stands after them, so that the caller
// need not ask again. Any other error leaves the outcome unknown: the effect
// may or may not have happened, all of it or none, and the caller must
// Describe before it decides anything else.
//
// A write survives the death of the process, and of the machine, from the
// moment it returned nil. Killed at any instant, the store is whole at the next
// start: as before the write or as after it.
//
// Errors wrap one of the package's sentinels and never carry a value. Stores do
// not retry what is not idempotent, do not log, and are safe for concurrent use.
type Store interface {
	// Describe reads the secret's state without its values. A secret that is
	// there but holds nothing yet gives a Snapshot without versions; one that
	// is not there, in a backend that does not make it on first use, gives
	// ErrNotFound.
	Describe(ctx context.Context) (Snapshot, error)

	// Annotate replaces the notes.
	Annotate(ctx context.Context, seen Snapshot, n Notes) (Snapshot, error)

	// Stage stores value as the pending version v.ID, with v's Intent and
	// Account, and clears the notes' Intent, which it fulfils. Another
	// pending version is forgotten. Staging the version that is pending already
	// with the same value changes nothing and succeeds; with another value it
	// is ErrConflict, as is staging an ID that is current or previous.
	// Readers of the current version see nothing of it.
	Stage(ctx context.Context, seen Snapshot, v Version, value secret.Value) (Snapshot, error)

	// Read gives the value of the version with that id, whatever its stage.
	// A version that is not held, or no longer, is ErrNotFound; one whose bytes
	// cannot be understood is ErrCorrupt.
	Read(ctx context.Context, id string) (secret.Value, error)

	// Promote makes the pending version id current, at time at, in one step:
	// readers see the old value or the new one, never none. The version that
	// was current becomes previous. If a previous version stands, it stays, and
	// the displaced current version is forgotten instead: the caller does this
	// only where the displaced key is dead or is not ours.
	//
	// Promoting the version that is current already changes nothing, but
	// records at as its promotion time if none is known, or an earlier one: a
	// repair, of what was lost or of what took longer than was thought.
	// An id that is neither pending nor current is ErrNotFound.
	Promote(ctx context.Context, seen Snapshot, id string, at time.Time) (Snapshot, error)

	// Destroy forgets the pending or previous version id, its value included.
	// A version that is not held is fine: destroying it changes nothing.
	// The current version cannot be destroyed: ErrConflict.
	Destroy(ctx context.Context, seen Snapshot, id string) (Snapshot, error)
}

// A Putter is a [Store] into which people put values through the rotator, because
// nothing else can. Where a service has a tool of its own for it, that is used.
type Putter interface {
	Store
	// Put makes value current at once, as a version that is Foreign: its key is not
	// known. The version that was current becomes previous, in place of one that
	// stood there; but if it is Foreign itself, and that is not, it is forgotten instead.
	// It compares and swaps as the other writes do.
	Put(ctx context.Context, seen Snapshot, value secret.Value) (Snapshot, error)
}

// An Inspector is a Store that can tell, without a change and at the cost of a read at
// most, what a snapshot does not show: that consumers could not read the current value,
// or that the next write would be refused. A store need not be one.
type Inspector interface {
	// Inspect gives the trouble; nil if there is none that can be seen.
	Inspect(ctx context.Context) error
}

// A Prober is a Store that can find out whether it would take what a rotation writes,
// without touching a value, a stage or a note. A store need not be one.
type Prober interface {
	// ProbeWrites asks. An error is why nothing could be found out.
	ProbeWrites(ctx context.Context) (WriteProbe, error)
}

// WriteProbe is what was found out about writing. Nothing in it has a secret.
type WriteProbe struct {
	// Lacking is what would keep a rotation from being stored, one by one: "needs …", a
	// permission in the service's own words; that there is no room.
	Lacking []string
	// Unknown is what could not be asked without doing it, and why.
	Unknown []string
	// Advice is what a person should know besides.
	Advice []string
	// Clock is the service's, at the time at which Asked was ours; zero if it does not
	// tell.
	Clock, Asked time.Time
}

// Stage says what a version is for. Not every version has one; those that
// have none are of no concern to anybody.
type Stage string

// The stages, in AWS Secrets Manager's words, on every backend.
const (
	// Pending is stored but not yet what consumers read.
	Pending Stage = "pending"
	// Current is what consumers read.
	Current Stage = "current"
	// Previous was current before; consumers that cache may still use it.
	Previous Stage = "previous"
)

// Stages lists all of them in the order of a version's life.
func Stages() []Stage { return []Stage{Pending, Current, Previous} }

// The tags of the types below are how backends that keep JSON write them down.

// Version is a stored value, without the value. Its ID is the id that the issuer
// gave the key it holds.
type Version struct {
	// ID is the key's id for a version that the rotator staged. For one that
	// something else put there (see Foreign) it is the backend's own name for
	// it and says nothing about the key.
	ID string `json:"id"`
	// Foreign marks a version that the rotator did not stage, or whose record
	// was lost: it may be used, but its key is not known.
	Foreign bool `json:"foreign,omitempty"`
	// Name is the key's name at the issuer. It is given to Stage, for backends
	// that write it beside the value; a Snapshot need not have it.
	Name string `json:"-"`
	// Intent is what the version was issued for; zero if Foreign.
	Intent Intent `json:"intent,omitzero"`
	// Account is the account at the issuer in which the key was issued, by the
	// issuer's own id for it; opaque, and empty if Foreign.
	Account string `json:"account,omitempty"`
	// Created is when the backend stored the version; zero if it cannot tell.
	Created time.Time `json:"created,omitzero"`
	// Promoted is when the version became current; zero if it never was, or if
	// that is not known.
	Promoted time.Time `json:"promoted,omitzero"`
}

// Intent is a rotation that was started: written before the key is issued, so
// that a key whose create call was never answered can be found again by the
// nonce in its name. It carries the part of the configuration that the rotation
// finishes under, also when the configuration is edited meanwhile.
type Intent struct {
	// Nonce names the attempt; it is part of the key's name. Empty means that
	// no rotation was started.
	Nonce string `json:"nonce"`
	// At is when the rotation was started.
	At time.Time `json:"at,omitzero"`
	// Spec is what the key is to be issued for.
	Spec Spec `json:"spec,omitempty"`
	// Grace is how long the key that this one displaces stays alive after it
	// was displaced.
	Grace time.Duration `json:"grace_ns,omitempty"`
	// Holder is the instance that wrote the intent, at most [MaxHolder] bytes;
	// empty if it does not say.
	Holder string `json:"holder,omitempty"`
	// Until is when its lease ends: before, other instances leave the intent
	// alone, so that two of them do not issue keys for one rotation. It saves
	// keys; it is not what keeps two writers apart. Zero: no lease.
	Until time.Time `json:"until,omitzero"`
	// Adopted: the key was not issued for this intent but made by somebody else, and
	// how it was shown to be the one whose value is stored. Empty for a key that was
	// issued. At is when the key was made then; zero if that is not known.
	Adopted Adopted `json:"adopted,omitempty"`
}

// Adopted is how it was shown that a stored value is that of a key which the rotator did
// not issue. Stores keep it as it is: lower case letters, at most [MaxAdopted].
type Adopted string

// MaxAdopted is the most bytes an Adopted may have.
const MaxAdopted = 16

// Spec is what a version was issued for, or is to be: what the key may do, for
// example. Only the engine and the issuer understand it. Stores keep it byte for
// byte; two specs are the same if their bytes are.
//
// It has at most [MaxSpec] bytes, each a printable character of ASCII, space to
// tilde: state is kept in JSON, annotations, tags and labels, where anything else
// is escaped at several times its length, changed, or refused. A backend with
// less room takes a spec of that length if it compresses as lists of names do; one
// that does not fit it refuses with ErrDenied when it is to be noted as an intent,
// before a key is issued.
type Spec string

// MaxSpec is the most bytes a Spec may have.
const MaxSpec = 4096

// Check tells what is wrong with a spec that no store need take.
func (s Spec) Check() error {
	if len(s) > MaxSpec {
		return fmt.Errorf("a spec of %d bytes: at most %d can be kept", len(s), MaxSpec)
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return fmt.Errorf("a spec with the byte %#x: only printable characters of ASCII can be kept", c)
		}
	}
	return nil
}

// IsZero tells whether no rotation was started.
func (i Intent) IsZero() bool { return i.Nonce == "" }

// Failure records what went wrong since the last step that succeeded, so that
// backoff survives a restart and a person can see the reason. A backend with little
// room may drop it, and reasons and names in the notes, for an Intent that would not fit.
type Failure struct {
	// Count of failed attempts in a row; 0 means that nothing is wrong.
	Count int `json:"count,omitempty"`
	// At is when the last attempt failed.
	At time.Time `json:"at,omitzero"`
	// Step that failed, in the engine's words ("issue", "verify" …).
	Step string `json:"step,omitempty"`
	// Reason is a short text without any secret, at most [MaxReason] bytes.
	Reason string `json:"reason,omitempty"`
}

// MaxReason is the most bytes a Failure's Reason may have; backends may count
// on it (an AWS staging label has 256 characters).
const MaxReason = 160

// MaxHolder is the most bytes an Intent's Holder may have.
const MaxHolder = 64

// Hold is a person's word that the key is to be left as it is: no rotation
// begins and no old key is revoked while it is set.
type Hold struct {
	// Since is when it was set; zero if there is no hold.
	Since time.Time `json:"since"`
	// Until is when it ends by itself; zero if only a person ends it.
	Until time.Time `json:"until,omitzero"`
	// Reason is a short text without any secret, at most [MaxReason] bytes.
	Reason string `json:"reason,omitempty"`
}

// IsZero tells whether no hold was set.
func (h Hold) IsZero() bool { return h.Since.IsZero() }

// On tells whether the hold is in force at now.
func (h Hold) On(now time.Time) bool {
	return !h.IsZero() && (h.Until.IsZero() || now.Before(h.Until))
}

// Incident is a person's word that the keys issued until then are in wrong
// hands: they are replaced and revoked without a grace period, by whichever
// instance comes first. In a soft one they are only known to somebody who has left:
// they are replaced as soon as possible, and get their grace period.
type Incident struct {
	// ID is what people call the incident, at most [MaxReason] bytes.
	ID string `json:"id,omitempty"`
	// At is when it was declared; zero if there is none.
	At time.Time `json:"at"`
	// Resolved is when the last key of before it was gone; zero while some may be left.
	// A resolved incident stays on record, so that declaring it once more can be told
	// from a new one.
	Resolved time.Time `json:"resolved,omitzero"`
	// Unrevoked: there was a value of unknown origin, whose key may be one of those and
	// only a person can revoke. It stands until a person says that this was done.
	Unrevoked bool `json:"unrevoked,omitempty"`
	// Soft: the keys get their grace period.
	Soft bool `json:"soft,omitempty"`
}

// IsZero tells whether no incident was ever declared.
func (i Incident) IsZero() bool { return i.At.IsZero() }

// Open tells whether an incident was declared that is not resolved.
func (i Incident) Open() bool { return !i.IsZero() && i.Resolved.IsZero() }

// Waiver is a person's word that the consumers of a key are no longer waited for: the key
// that it displaced is revoked when its grace period is over.
type Waiver struct {
	// KeyID is the current key that it was given for. It says nothing of another one.
	KeyID string `json:"key_id"`
	// At is when it was given; zero if there is none.
	At time.Time `json:"at"`
	// Reason is a short text without any secret, at most [MaxReason] bytes.
	Reason string `json:"reason,omitempty"`
}

// IsZero tells whether none was given.
func (w Waiver) IsZero() bool { return w.At.IsZero() }

// Receipt says which sinks were given a key: places that it is written to besides, and that
// perhaps cannot say what they have; see package sink. A backend with little room may drop it
// for an Intent that would not fit: the sinks are given the key once more then.
type Receipt struct {
	// KeyID is the key that they were given. It says nothing of another one.
	KeyID string `json:"key_id"`
	// At is when the last of them was given it; zero if there is no receipt.
	At time.Time `json:"at"`
	// Sinks are their marks, and only the engine understands them: letters, digits and
	// any of "-_.:", at most [MaxReceipt].
	Sinks string `json:"sinks,omitempty"`
}

// MaxReceipt is the most bytes a Receipt's Sinks may have.
const MaxReceipt = 112

// IsZero tells whether there is none.
func (r Receipt) IsZero() bool { return r.At.IsZero() }

// Notes are the facts about the secret that are kept beside its versions.
type Notes struct {
	Intent   Intent   `json:"intent,omitzero"`
	Failure  Failure  `json:"failure,omitzero"`
	Hold     Hold     `json:"hold,omitzero"`
	Incident Incident `json:"incident,omitzero"`
	Waiver   Waiver   `json:"waiver,omitzero"`
	Receipt  Receipt  `json:"receipt,omitzero"`
}

// Snapshot is what a store held at one moment, without values.
type Snapshot struct {
	// Identity tells this secret from every other one, for good: an ARN, a
	// resource name, a random id made with the folder. Two stores of different
	// deployments never share it, even if they are configured alike.
	Identity string
	// Revision changes with every change of versions, stages or notes. Opaque.
	Revision string
	// Versions by stage; a stage without a version is absent.
	Versions map[Stage]Version
	Notes    Notes
	// Unfinished: a write was cut off after it forgot a version, which some readers
	// still get; the next write finishes it. Until then that version's key must live.
	Unfinished bool
	// Advice is what a person should know about the secret: what is outside of
	// the rotator and may do harm to it. Short, and without any secret.
	Advice []string
}

// Find gives the version with that id and its stage.
func (s Snapshot) Find(id string) (Version, Stage, bool) {
	for _, stage := range Stages() {
		if v, ok := s.Versions[stage]; ok && v.ID == id {
			return v, stage, true
		}
	}
	return Version{}, "", false
}

// The errors of this package, to be matched with errors.Is. Backends wrap them
// around their own and say what was tried, on what.
var (
	// ErrNotFound: the secret, or the version, is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the secret is no longer as seen, or the step makes no sense
	// in its present state. Nothing was changed. Read again.
	ErrConflict = errors.New("changed meanwhile")
	// ErrDenied: the store refused for want of permission. A person must act.
	ErrDenied = errors.New("permission denied")
	// ErrNoCredentials: there is nothing to be known to the store by, such as a file that
	// is not there. Nobody was asked. A person must act.
	ErrNoCredentials = errors.New("no credentials")
	// ErrScheduledForDeletion: the secret is there, but is to go, and gives and takes
	// nothing any more. A person must restore it.
	ErrScheduledForDeletion = errors.New("scheduled for deletion")
	// ErrUnfit: what answers does not do what keeping a key there needs, such as
	// comparing before it writes. A person must choose another one.
	ErrUnfit = errors.New("not fit to keep keys")
	// ErrUnavailable: the store could not be reached or did not answer in time;
	// the outcome of a write is unknown. Try again later.
	ErrUnavailable = errors.New("store unavailable")
	// ErrCorrupt: what is stored cannot be understood. A person must act.
	ErrCorrupt = errors.New("stored data cannot be read")
)
