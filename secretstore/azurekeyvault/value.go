package azurekeyvault

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// wire puts a version into the form in which it travels.
func wire(s sighting) azsecrets.SetSecretParameters {
	value := s.value.Reveal()
	p := azsecrets.SetSecretParameters{Value: &value, Tags: map[string]*string{}}
	for k, v := range s.tags {
		p.Tags[k] = &v
	}
	if s.contentType != "" {
		p.ContentType = &s.contentType
	}
	return p
}

// seen takes a version out of the form in which it travelled.
func seen(s azsecrets.Secret) sighting {
	got := sighting{tags: map[string]string{}}
	if s.ID != nil {
		got.version = s.ID.Version()
	}
	if s.Value != nil {
		got.value = secret.New(*s.Value)
	}
	if s.ContentType != nil {
		got.contentType = *s.ContentType
	}
	if s.Attributes != nil && s.Attributes.Created != nil {
		got.created = *s.Attributes.Created
	}
	for k, v := range s.Tags {
		if v != nil {
			got.tags[k] = *v
		}
	}
	return got
}

// maxValue is the most bytes that a secret's value may have.
const maxValue = 25 * 1024

// fits refuses a value before the vault does.
func fits(what string, value secret.Value) error {
	if n := len(value.Reveal()); n > maxValue {
		return fmt.Errorf("%w: %s has %d bytes, and the vault takes %d", secretstore.ErrDenied, what, n, maxValue)
	}
	return nil
}

// digest tells whether a value is the one on record, in this very secret. It tells nothing
// else: values are long random keys.
func digest(identity string, value secret.Value) string {
	if value.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte(identity + "\x00" + value.Reveal()))
	return hex.EncodeToString(sum[:16])
}

// written is a state as it is written down.
type written struct {
	PendingValue string `json:"pending_value,omitempty"`
	state
}

// encode gives the value of the second secret.
func (st state) encode() (secret.Value, error) {
	w := written{state: st}
	if !st.pending.IsZero() {
		w.PendingValue = st.pending.Reveal()
	}
	text, err := document.Encode(w, "")
	if err != nil {
		return secret.Value{}, err
	}
	value := secret.New(string(text))
	return value, fits("the state", value)
}

// decodeState reads a state and believes nothing that is in it.
func decodeState(value secret.Value) (state, error) {
	const remedy = "disable that version and set an older one's value again, or delete and purge that secret, and every value counts as put by hand"
	w, err := document.Decode[written]([]byte(value.Reveal()), remedy)
	if err != nil {
		return state{}, err
	}
	st := w.state
	if w.PendingValue != "" {
		st.pending = secret.New(w.PendingValue)
	}
	st.contents, err = st.Checked(remedy)
	return st, err
}
