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
	"github.com/instantly-rotator/instantly-rotator/secretstore/jsonnotes"
)

// state is what state.json says: everything about the secret but its values.
type state struct {
	Format   int    `json:"format"`
	Identity string `json:"identity"`
	// Revision counts the writes.
	Revision uint64           `json:"revision"`
	Versions []record         `json:"versions,omitempty"`
	Intent   jsonnotes.Intent `json:"intent,omitzero"`
	jsonnotes.Facts

	// sum is the hash of the bytes that the state was decoded from. It is part
	// of the revision that callers see, so that a state.json brought back from a
	// backup, or mended by hand, is never taken for the one they saw.
	sum [sha256.Size]byte
}

// record is a version and the name of the file that holds its value.
type record struct {
	Stage    secretstore.Stage `json:"stage"`
	ID       string            `json:"id"`
	File     string            `json:"file"`
	Intent   jsonnotes.Intent  `json:"intent,omitzero"`
	Account  string            `json:"account,omitempty"`
	Created  time.Time         `json:"created,omitzero"`
	Promoted time.Time         `json:"promoted,omitzero"`
}

func newState() state {
	return state{Format: formatVersion, Identity: "folder-" + randomName()}
}

// snapshot is the state as callers see it. It shares no memory with the state.
func (st state) snapshot() secretstore.Snapshot {
	versions := make(map[secretstore.Stage]secretstore.Version, len(st.Versions))
	for _, r := range st.Versions {
		versions[r.Stage] = secretstore.Version{
			ID: r.ID, Intent: r.Intent.Shown(), Account: r.Account, Created: r.Created, Promoted: r.Promoted,
		}
	}
	return secretstore.Snapshot{
		Identity: st.Identity,
		Revision: fmt.Sprintf("%d-%x", st.Revision, st.sum[:8]),
		Versions: versions,
		Notes:    st.Notes(st.Intent.Shown()),
	}
}

func (st state) find(id string) (record, bool) {
	at := slices.IndexFunc(st.Versions, func(r record) bool { return r.ID == id })
	if at < 0 {
		return record{}, false
	}
	return st.Versions[at], true
}

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

// noted takes the notes over.
func (st *state) noted(n secretstore.Notes) {
	st.Intent, st.Facts = jsonnotes.KeepIntent(n.Intent), jsonnotes.KeepFacts(n)
}
