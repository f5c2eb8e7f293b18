package filestore

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// state is what state.json says: everything about the secret but its values.
type state struct {
	Format   int    `json:"format"`
	Identity string `json:"identity"`
	// Revision counts the writes.
	Revision uint64   `json:"revision"`
	Versions []record `json:"versions,omitempty"`
	Intent   intent   `json:"intent,omitzero"`
	Failure  failure  `json:"failure,omitzero"`
	Hold     hold     `json:"hold,omitzero"`
	Incident incident `json:"incident,omitzero"`

	// sum is the hash of the bytes that the state was decoded from. It is part
	// of the revision that callers see, so that a state.json brought back from a
	// backup, or mended by hand, is never taken for the one they saw.
	sum [sha256.Size]byte
}

// record is a version and the name of the file that holds its value.
type record struct {
	Stage        secretstore.Stage `json:"stage"`
	ID           string            `json:"id"`
	File         string            `json:"file"`
	Intent       intent            `json:"intent,omitzero"`
	Organization string            `json:"organization,omitempty"`
	Created      time.Time         `json:"created,omitzero"`
	Promoted     time.Time         `json:"promoted,omitzero"`
}

// intent is a [secretstore.Intent] as state.json has it.
type intent struct {
	Nonce  string    `json:"nonce,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Scopes []string  `json:"scopes,omitempty"`
	Grace  duration  `json:"grace,omitzero"`
	Holder string    `json:"holder,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// failure is a [secretstore.Failure] as state.json has it.
type failure struct {
	Count  int       `json:"count,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Step   string    `json:"step,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// hold is a [secretstore.Hold] as state.json has it.
type hold struct {
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// incident is a [secretstore.Incident] as state.json has it.
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

func newState() state {
	return state{Format: formatVersion, Identity: "folder-" + randomName()}
}

// snapshot is the state as callers see it. It shares no memory with the state.
func (st state) snapshot() secretstore.Snapshot {
	versions := make(map[secretstore.Stage]secretstore.Version, len(st.Versions))
	for _, r := range st.Versions {
		versions[r.Stage] = secretstore.Version{
			ID: r.ID, Intent: r.Intent.shown(), Organization: r.Organization, Created: r.Created, Promoted: r.Promoted,
		}
	}
	return secretstore.Snapshot{
		Identity: st.Identity,
		Revision: fmt.Sprintf("%d-%x", st.Revision, st.sum[:8]),
		Versions: versions,
		Notes:    st.notes(),
	}
}

func (st state) find(id string) (record, bool) {
	at := slices.IndexFunc(st.Versions, func(r record) bool { return r.ID == id })
	if at < 0 {
		return record{}, false
	}
	return st.Versions[at], true
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

func keepFailure(f secretstore.Failure) failure {
	return failure{Count: f.Count, At: plainTime(f.At), Step: f.Step, Reason: f.Reason}
}

func (f failure) shown() secretstore.Failure {
	return secretstore.Failure{Count: f.Count, At: f.At, Step: f.Step, Reason: f.Reason}
}

// noted takes the notes over.
func (st *state) noted(n secretstore.Notes) {
	st.Intent, st.Failure = keepIntent(n.Intent), keepFailure(n.Failure)
	st.Hold = hold{Since: plainTime(n.Hold.Since), Until: plainTime(n.Hold.Until), Reason: n.Hold.Reason}
	st.Incident = incident{ID: n.Incident.ID, At: plainTime(n.Incident.At)}
}

// notes are the state's, as callers see them.
func (st state) notes() secretstore.Notes {
	return secretstore.Notes{
		Intent: st.Intent.shown(), Failure: st.Failure.shown(),
		Hold:     secretstore.Hold{Since: st.Hold.Since, Until: st.Hold.Until, Reason: st.Hold.Reason},
		Incident: secretstore.Incident{ID: st.Incident.ID, At: st.Incident.At},
	}
}

// plainTime is t as it comes back from state.json: in UTC, without a monotonic
// reading.
func plainTime(t time.Time) time.Time { return t.UTC().Round(0) }

// newValueFile names a file that never was: a value file is never written over.
func newValueFile() string { return "value-" + randomName() + ".age" }

// isValueFile also keeps a state from leading out of its folder.
func isValueFile(name string) bool {
	random, ours := strings.CutPrefix(name, "value-")
	random, sealed := strings.CutSuffix(random, ".age")
	return ours && sealed && len(random) == hex.EncodedLen(randomBytes) && strings.Trim(random, "0123456789abcdef") == ""
}

// isTempState tells whether name is that of a state.json that was not renamed
// into place; the form is renameio's.
func isTempState(name string) bool {
	random, ours := strings.CutPrefix(name, "."+stateFile)
	return ours && random != "" && strings.Trim(random, "0123456789") == ""
}

// randomBytes make a name that nobody has chosen before.
const randomBytes = 16

// randomName is in lower-case hexadecimal: some file systems ignore case.
func randomName() string {
	var b [randomBytes]byte
	_, _ = rand.Read(b[:]) // It never fails, says package crypto/rand.
	return hex.EncodeToString(b[:])
}

func valueFiles(entries []fs.DirEntry) []string {
	var names []string
	for _, e := range entries {
		if isValueFile(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// stray names the files of ours in the folder that the state does not name.
// What is not ours by its name is left alone.
func (st state) stray(entries []fs.DirEntry) []string {
	var names []string
	for _, e := range entries {
		held := slices.ContainsFunc(st.Versions, func(r record) bool { return r.File == e.Name() })
		if isTempState(e.Name()) || isValueFile(e.Name()) && !held {
			names = append(names, e.Name())
		}
	}
	return names
}
