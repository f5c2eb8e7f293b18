// Package jsonnotes is how backends that keep their state as JSON write down what
// the contract wants kept: intents and the other notes. Every time comes back in
// UTC, and nothing that is given out shares memory with what is kept.
package jsonnotes

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Intent is a [secretstore.Intent] as it is written down.
type Intent struct {
	Nonce  string           `json:"nonce,omitempty"`
	At     time.Time        `json:"at,omitzero"`
	Spec   secretstore.Spec `json:"spec,omitempty"`
	Grace  Duration         `json:"grace,omitzero"`
	Holder string           `json:"holder,omitempty"`
	Until  time.Time        `json:"until,omitzero"`
}

// KeepIntent gives what is to be written down.
func KeepIntent(i secretstore.Intent) Intent {
	return Intent{
		Nonce: i.Nonce, At: Time(i.At), Spec: i.Spec, Grace: Duration(i.Grace),
		Holder: i.Holder, Until: Time(i.Until),
	}
}

// Shown is the intent as callers see it.
func (i Intent) Shown() secretstore.Intent {
	return secretstore.Intent{
		Nonce: i.Nonce, At: i.At, Spec: i.Spec, Grace: time.Duration(i.Grace),
		Holder: i.Holder, Until: i.Until,
	}
}

// Facts are the notes beside the intent. A state embeds them.
type Facts struct {
	Failure  Failure  `json:"failure,omitzero"`
	Hold     Hold     `json:"hold,omitzero"`
	Incident Incident `json:"incident,omitzero"`
}

// Failure is a [secretstore.Failure] as it is written down.
type Failure struct {
	Count  int       `json:"count,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Step   string    `json:"step,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// Hold is a [secretstore.Hold] as it is written down.
type Hold struct {
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// Incident is a [secretstore.Incident] as it is written down.
type Incident struct {
	ID string    `json:"id,omitempty"`
	At time.Time `json:"at,omitzero"`
}

// KeepFacts gives what is to be written down of the notes, less the intent.
func KeepFacts(n secretstore.Notes) Facts {
	n.Failure.At = Time(n.Failure.At)
	n.Hold.Since, n.Hold.Until = Time(n.Hold.Since), Time(n.Hold.Until)
	n.Incident.At = Time(n.Incident.At)
	return Facts{Failure(n.Failure), Hold(n.Hold), Incident(n.Incident)}
}

// Notes are the facts, and the intent that goes with them, as callers see them.
func (f Facts) Notes(in secretstore.Intent) secretstore.Notes {
	return secretstore.Notes{
		Intent: in, Failure: secretstore.Failure(f.Failure), Hold: secretstore.Hold(f.Hold), Incident: secretstore.Incident(f.Incident),
	}
}

// Duration is written the way people write it: "24h0m0s".
type Duration time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Time is t as it comes back from where it was written down: in UTC, without a
// monotonic reading.
func Time(t time.Time) time.Time { return t.UTC().Round(0) }
