// Package status is the one typed picture of what is known of targets and
// workspaces. The tables of status and plan, their JSON, the daemon's HTTP answers,
// its metrics and its notifications are all drawn from it. It holds no secrets.
//
// Times are in UTC and left out where they are not known.
package status

import (
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Report is what "status -o json" and /api/v1/targets give.
type Report struct {
	Targets    []Target    `json:"targets"`
	Workspaces []Workspace `json:"workspaces"`
	// Audit is the last one: as the trail has it, or the daemon; nil if neither is there.
	Audit *audit.Last `json:"last_audit,omitempty"`
	// At is as of when it was drawn, and Timeout how long answers were waited for.
	At      time.Time     `json:"-"`
	Timeout time.Duration `json:"-"`
}

// Target is what is known of one target.
type Target struct {
	Target    string `json:"target"`
	Workspace string `json:"workspace"`
	// State is how the target is, in one word: see [State].
	State State `json:"state"`
	// AsOf is when all this was read.
	AsOf time.Time `json:"as_of"`
	// KeyID is the primary's current version; Ours tells whether the rotator put
	// it there, else it names no key.
	KeyID string `json:"key_id,omitempty"`
	Ours  bool   `json:"ours"`
	// Since is when the age of the current key began: its promotion.
	Since        *time.Time `json:"since,omitempty"`
	AgeSeconds   int64      `json:"age_seconds,omitempty"`
	NextRotation *time.Time `json:"next_rotation,omitempty"`
	// OnlyWhenAsked: the current key never falls due by itself, by its schedule.
	OnlyWhenAsked bool     `json:"only_when_asked,omitempty"`
	OldKeys       []OldKey `json:"old_keys,omitempty"`
	Stores        []Store  `json:"stores"`
	Sinks         []Sink   `json:"sinks,omitempty"`
	// Due: a run now would begin or carry on a rotation, or revoke something.
	Due bool `json:"due"`
	// Dead: consumers hold a key that was refused.
	Dead bool `json:"dead"`
	// Refused: the current key was refused just now; a run finds out whether for good.
	Refused bool `json:"refused,omitempty"`
	// Unanswered: Instantly or a store did not answer in time, so all this is as of the
	// stores that did.
	Unanswered bool `json:"unanswered,omitempty"`
	// NextStep is the engine's next step, and Reason why that, or what it waits
	// for.
	NextStep string `json:"next_step"`
	Reason   string `json:"reason"`
	// NextAt is when there is something to do, if not now.
	NextAt *time.Time `json:"next_at,omitempty"`
	// Quarantine is why nothing of the target is revoked: a value of unknown origin.
	Quarantine  string    `json:"quarantine,omitempty"`
	LastFailure *Failure  `json:"last_failure,omitempty"`
	Hold        *Hold     `json:"hold,omitempty"`
	Incident    *Incident `json:"incident,omitempty"`
	// Unrevoked is the name of a resolved incident that left a value of unknown origin,
	// whose key only a person can revoke.
	Unrevoked string `json:"unrevoked,omitempty"`
	// Rotation is one that was begun and is not done.
	Rotation *Rotation `json:"rotation,omitempty"`
	// Error is what is in the way.
	Error string `json:"error,omitempty"`
	// Hints say what a person should know or do.
	Hints []string `json:"hints,omitempty"`
	// SettledAt is when the daemon last found the target, or put it, in order; the
	// command does not know it.
	SettledAt *time.Time `json:"-"`
	// KnownAt is when all of it was last read: before AsOf, if something could not be since.
	KnownAt *time.Time `json:"-"`
	// Held are the versions of the primary store.
	Held []HeldKey `json:"-"`
	// Wrong says which stores gave consumers no key that works, when that was last tested.
	Wrong []string `json:"-"`

	obstacle *sortedError // what Error says, sorted; nil if there is none
	remarks  []string     // the hints that do not say it
}

// OldKey is a displaced key that still works.
type OldKey struct {
	ID string `json:"id"`
	// Until is when its grace period ends.
	Until *time.Time `json:"until,omitempty"`
	// Ends is when it may be revoked at the earliest: after its grace period and the hold;
	// not known in a quarantine.
	// Held: it has no end while the hold has none.
	Ends *time.Time `json:"ends,omitempty"`
	Held bool       `json:"held,omitempty"`
	// Gone: the key list lacks it, it was revoked already; the next run proves it.
	Gone bool `json:"gone,omitempty"`
	// WaitsFor names the sinks that do not have the current key yet, and the gates that
	// must hold too before it is revoked.
	WaitsFor []string `json:"waits_for,omitempty"`
}

// Store is what one store of a target holds: the ids of its versions.
type Store struct {
	Store    string `json:"store"`
	Pending  string `json:"pending,omitempty"`
	Current  string `json:"current,omitempty"`
	Previous string `json:"previous,omitempty"`
	Error    string `json:"error,omitempty"`
	// foreign: the current one is somebody's value, which no test was made of.
	foreign bool
}

// Failure is what went wrong since the last step that succeeded.
type Failure struct {
	Count  int       `json:"count"`
	At     time.Time `json:"at"`
	Step   string    `json:"step"`
	Reason string    `json:"reason"`
}

// Hold is a person's word to leave the key as it is.
type Hold struct {
	Since  time.Time  `json:"since"`
	Until  *time.Time `json:"until,omitempty"`
	Reason string     `json:"reason,omitempty"`
}

// Incident is a person's word that keys are in wrong hands.
type Incident struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// Rotation is one that was begun: its intent is in the store, or its pending key.
type Rotation struct {
	// By is the instance that began it: HOST/PID.
	By    string    `json:"by,omitempty"`
	Since time.Time `json:"since"`
	// Interrupted: nobody is at it any more.
	Interrupted bool `json:"interrupted"`
}

// Of draws the picture of a target at now.
func Of(o rotator.TargetStatus, now time.Time) Target {
	t := Target{
		Target: o.Target, Workspace: o.Workspace, Due: o.Due, Dead: o.Dead, AsOf: now.UTC(),
		NextStep: string(o.Next.Verb), Reason: o.Next.Reason, NextAt: humantime.Optional(o.Next.At),
		Since: humantime.Optional(o.Since), NextRotation: humantime.Optional(o.NextDue),
		Refused: o.Refused, Unanswered: unanswered(o.Next.Err), obstacle: sortError(o), remarks: remarksOf(o),
	}
	t.OnlyWhenAsked = onlyWhenAsked(o)
	t.Hints, t.Held = append(errorHints(t.obstacle), t.remarks...), heldBy(o)
	if readable(o) {
		t.KnownAt = humantime.Optional(now)
	}
	if o.Current != nil {
		t.KeyID, t.Ours = o.Current.ID, !o.Current.Foreign
	}
	if !o.Since.IsZero() {
		t.AgeSeconds = max(0, int64(now.Sub(o.Since)/time.Second)) // promotions are written down a little late
	}
	for _, old := range o.Old {
		t.OldKeys = append(t.OldKeys, oldKeyOf(old, o))
	}
	for _, st := range o.Stores {
		t.Stores = append(t.Stores, storeOf(st))
	}
	t.Sinks = sinksOf(o)
	t.Quarantine = o.Quarantine
	if f := o.Failure; f.Count > 0 {
		t.LastFailure = &Failure{f.Count, f.At.UTC(), f.Step, f.Reason}
	}
	if h := o.Hold; !h.IsZero() {
		t.Hold = &Hold{h.Since.UTC(), humantime.Optional(h.Until), h.Reason}
	}
	if i := o.Incident; !i.IsZero() {
		t.Incident = &Incident{i.ID, i.At.UTC()}
	}
	if o.Resolved.Unrevoked {
		t.Unrevoked = o.Resolved.ID
	}
	if r := o.Rotation; r != nil {
		t.Rotation = &Rotation{r.By, r.Since.UTC(), !r.UnderWay}
	}
	if o.Next.Err != nil {
		t.Error = o.Next.Err.Error()
	}
	t.State = stateOf(t)
	return t
}

// onlyWhenAsked: the engine gives no time at which a key of known age falls due if the policy
// has none.
func onlyWhenAsked(o rotator.TargetStatus) bool { return !o.Since.IsZero() && o.NextDue.IsZero() }

// NeverText is said where others have the time of the next rotation.
const NeverText = "never (only when asked)"

// readable tells whether all was read that there is to know.
func readable(o rotator.TargetStatus) bool {
	unread := func(st rotator.StoreState) bool { return st.Err != nil }
	return o.Err == nil && !unanswered(o.Next.Err) && !slices.ContainsFunc(o.Stores, unread)
}

func oldKeyOf(old rotator.OldKey, o rotator.TargetStatus) OldKey {
	if old.Unlisted {
		return OldKey{ID: old.ID, Gone: true}
	}
	k := OldKey{ID: old.ID, Until: humantime.Optional(old.Until), WaitsFor: slices.Concat(sinksAwaited(o), o.Gates)}
	k.Held = !o.Hold.IsZero() && o.Hold.Until.IsZero()
	if !k.Held && o.Quarantine == "" && !old.Until.IsZero() {
		k.Ends = humantime.Optional(old.Until)
		if o.Hold.Until.After(old.Until) {
			k.Ends = humantime.Optional(o.Hold.Until)
		}
	}
	return k
}

func storeOf(st rotator.StoreState) Store {
	s := Store{
		Store: st.Name, Pending: st.Versions[secretstore.Pending].ID,
		Current: st.Versions[secretstore.Current].ID, Previous: st.Versions[secretstore.Previous].ID,
	}
	if st.Err != nil {
		s.Error = st.Err.Error()
	}
	s.foreign = st.Versions[secretstore.Current].Foreign
	return s
}

// Unreadable tells whether some store could not be read.
func (t Target) Unreadable() bool {
	for _, st := range t.Stores {
		if st.Error != "" {
			return true
		}
	}
	return false
}

// Current is the id of the primary's current version.
func (t Target) Current() string {
	if len(t.Stores) == 0 {
		return ""
	}
	return t.Stores[0].Current
}

// StoresApart gives the names of the stores that have what the primary has, itself
// included, and the others.
func (t Target) StoresApart() (agree []string, differ []Store) {
	for i, st := range t.Stores {
		if i == 0 || (st.Error == "" && st.Pending == "" && st.Current == t.Current()) {
			agree = append(agree, st.Store)
		} else {
			differ = append(differ, st)
		}
	}
	return agree, differ
}
