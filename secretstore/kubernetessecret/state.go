package kubernetessecret

import (
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// state is what the annotation says: everything about the secret but its values.
// The functions on it are pure and change nothing but their copy.
type state struct {
	Format int `json:"format"`
	// Owner is the deployment that the secret belongs to.
	Owner string `json:"owner"`
	// UID of the Secret that the state is about: a copy of it on another one says
	// nothing about that.
	UID string `json:"uid"`
	// Write is random and new with every write, so that no two annotations are
	// ever the same, and a writer knows his own.
	Write    string   `json:"write"`
	Versions []record `json:"versions,omitempty"`
	Intent   intent   `json:"intent,omitzero"`
	Failure  failure  `json:"failure,omitzero"`
	Hold     hold     `json:"hold,omitzero"`
	Incident incident `json:"incident,omitzero"`
}

// record is a version that the state knows.
type record struct {
	Stage        secretstore.Stage `json:"stage"`
	ID           string            `json:"id"`
	Foreign      bool              `json:"foreign,omitempty"`
	Digest       string            `json:"digest"`
	Intent       intent            `json:"intent,omitzero"`
	Organization string            `json:"organization,omitempty"`
	Created      time.Time         `json:"created,omitzero"`
	Promoted     time.Time         `json:"promoted,omitzero"`
}

// intent is a [secretstore.Intent] as the annotation has it.
type intent struct {
	Nonce  string    `json:"nonce,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Scopes []string  `json:"scopes,omitempty"`
	Grace  duration  `json:"grace,omitzero"`
	Holder string    `json:"holder,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// failure is a [secretstore.Failure] as the annotation has it.
type failure struct {
	Count  int       `json:"count,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Step   string    `json:"step,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// hold is a [secretstore.Hold] as the annotation has it.
type hold struct {
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// incident is a [secretstore.Incident] as the annotation has it.
type incident struct {
	ID string    `json:"id,omitempty"`
	At time.Time `json:"at,omitzero"`
}

// duration is written the way people write it: "24h0m0s".
type duration time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
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

// versions gives the versions as callers see them. They share no memory with the
// records.
func (st state) versions() map[secretstore.Stage]secretstore.Version {
	versions := make(map[secretstore.Stage]secretstore.Version, len(st.Versions))
	for _, r := range st.Versions {
		versions[r.Stage] = secretstore.Version{
			ID: r.ID, Foreign: r.Foreign, Intent: r.Intent.shown(), Organization: r.Organization,
			Created: r.Created, Promoted: r.Promoted,
		}
	}
	return versions
}

func keepIntent(i secretstore.Intent) intent {
	return intent{
		Nonce: i.Nonce, At: plainTime(i.At), Scopes: slices.Clone(i.Scopes), Grace: duration(i.Grace),
		Holder: i.Holder, Until: plainTime(i.Until),
	}
}

func (i intent) shown() secretstore.Intent {
	return secretstore.Intent{
		Nonce: i.Nonce, At: i.At, Scopes: slices.Clone(i.Scopes), Grace: time.Duration(i.Grace),
		Holder: i.Holder, Until: i.Until,
	}
}

// noted gives the state with other notes.
func (st state) noted(n secretstore.Notes) state {
	st.Intent = keepIntent(n.Intent)
	st.Failure = failure{Count: n.Failure.Count, At: plainTime(n.Failure.At), Step: n.Failure.Step, Reason: n.Failure.Reason}
	st.Hold = hold{Since: plainTime(n.Hold.Since), Until: plainTime(n.Hold.Until), Reason: n.Hold.Reason}
	st.Incident = incident{ID: n.Incident.ID, At: plainTime(n.Incident.At)}
	return st
}

// notes are the state's, as callers see them.
func (st state) notes() secretstore.Notes {
	return secretstore.Notes{
		Intent:   st.Intent.shown(),
		Failure:  secretstore.Failure{Count: st.Failure.Count, At: st.Failure.At, Step: st.Failure.Step, Reason: st.Failure.Reason},
		Hold:     secretstore.Hold{Since: st.Hold.Since, Until: st.Hold.Until, Reason: st.Hold.Reason},
		Incident: secretstore.Incident{ID: st.Incident.ID, At: st.Incident.At},
	}
}

// plainTime is t as it comes back from the annotation: in UTC, without a
// monotonic reading.
func plainTime(t time.Time) time.Time { return t.UTC().Round(0) }
