package filestore

import (
	"crypto/sha256"
	"fmt"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
)

// sealed is a document that holds the ciphertexts of values.
type sealed = document.Document[[]byte]

// state is what state.json says: everything about the secret.
type state struct {
	Identity string `json:"identity"`
	// Revision counts the writes.
	Revision uint64 `json:"revision"`
	sealed

	// sum is the hash of the bytes that the state was decoded from. It is part
	// of the revision that callers see, so that a state.json brought back from a
	// backup, or mended by hand, is never taken for the one they saw.
	sum [sha256.Size]byte
}

func newState() state {
	return state{Identity: "folder-" + randomName(), sealed: document.New[[]byte]()}
}

// snapshot is the state as callers see it. It shares no memory with the state.
func (st state) snapshot() secretstore.Snapshot {
	return secretstore.Snapshot{
		Identity: st.Identity, Revision: fmt.Sprintf("%d-%x", st.Revision, st.sum[:8]),
		Versions: st.Shown(), Notes: st.Notes,
	}
}

func encodeState(st state) ([]byte, error) {
	raw, err := document.Encode(st, "  ")
	return append(raw, '\n'), err
}

// decodeState reads a state.json and believes nothing that is in it. Its errors
// wrap ErrCorrupt and say what a person can do.
func decodeState(raw []byte) (state, error) {
	const remedy = "restore the file from a backup"
	st, err := document.Decode[state](raw, remedy)
	if err != nil {
		return state{}, err
	}
	if st.sealed, err = st.Checked(remedy); err != nil {
		return state{}, err
	}
	if st.Identity == "" {
		return state{}, document.Unreadable("there is no identity", remedy)
	}
	st.sum = sha256.Sum256(raw)
	return st, nil
}
