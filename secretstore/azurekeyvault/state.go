package azurekeyvault

import (
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// contents is a document that holds where values are.
type contents = document.Document[held]

// record is a version and where its value is.
type record = document.Version[held]

// held is where a version's value is: in the secret's version of that name or, where it
// is pending, in the state. The digest tells a value that somebody set from others.
type held struct {
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest"`
}

// state is what the second secret says.
type state struct {
	// Owner is the deployment that the secret belongs to.
	Owner string `json:"owner"`
	// Forgotten are versions of the secret, and Spent ones of this state, that are to be
	// disabled, if that was not done yet.
	Forgotten []string `json:"forgotten,omitempty"`
	Spent     []string `json:"spent,omitempty"`
	contents

	// pending is the value of the pending version; it is written by [written].
	pending secret.Value
}

func newState(owner string) state {
	return state{Owner: owner, contents: document.New[held]()}
}
