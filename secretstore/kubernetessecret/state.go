package kubernetessecret

import (
	"crypto/rand"

	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
)

// digests is a document that holds the digests of values.
type digests = document.Document[string]

// record is a version and the digest of its value.
type record = document.Version[string]

// state is what the annotation says: everything about the secret but its values.
type state struct {
	// Owner is the deployment that the secret belongs to.
	Owner string `json:"owner"`
	// UID of the Secret that the state is about: a copy of it on another one says
	// nothing about that.
	UID string `json:"uid"`
	// Write is random and new with every write, so that no two annotations are
	// ever the same, and a writer knows his own.
	Write string `json:"write"`
	digests
}

func newState(owner, uid string) state {
	return state{Owner: owner, UID: uid, digests: document.New[string]()}
}

// encode gives the annotation. Every call gives another one.
func (st state) encode() (string, error) {
	st.Write = rand.Text()[:16]
	text, err := document.Encode(st, "")
	return string(text), err
}

// decodeState reads an annotation and believes nothing that is in it.
func decodeState(text string) (state, error) {
	const remedy = "restore it, or remove it, and every value there counts as put by hand"
	st, err := document.Decode[state]([]byte(text), remedy)
	if err != nil {
		return state{}, err
	}
	st.digests, err = st.Checked(remedy)
	return st, err
}
