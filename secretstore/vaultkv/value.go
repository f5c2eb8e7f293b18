package vaultkv

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// stateObject is the second path as it travels.
type stateObject struct {
	State    string `json:"state"`
	Pending  string `json:"pending,omitempty"`
	Current  string `json:"current,omitempty"`
	Previous string `json:"previous,omitempty"`
}

// encodeState gives the object of the second path.
func encodeState(st state, known values) (secret.Value, error) {
	text, err := document.Encode(st, "")
	if err != nil {
		return secret.Value{}, err
	}
	at := st.byStage(known)
	object, err := json.Marshal(stateObject{
		State: string(text), Pending: at[secretstore.Pending].Reveal(),
		Current: at[secretstore.Current].Reveal(), Previous: at[secretstore.Previous].Reveal(),
	})
	if err != nil {
		return secret.Value{}, fmt.Errorf("encode the values: %w", secretstore.ErrCorrupt)
	}
	return secret.New(string(object)), nil
}

// decodeState reads what encodeState wrote.
func decodeState(object secret.Value) (state, map[secretstore.Stage]secret.Value, error) {
	const remedy = "restore it, or destroy it, and the value that consumers read counts as put by hand"
	var o stateObject
	if json.Unmarshal([]byte(object.Reveal()), &o) != nil { // what is wrong might repeat a value
		return state{}, nil, document.Unreadable("a field is no text", remedy)
	}
	st, err := document.Decode[state]([]byte(o.State), remedy)
	if err != nil {
		return state{}, nil, err
	}
	st.records, err = st.Checked(remedy)
	byStage := map[secretstore.Stage]secret.Value{}
	for stage, text := range map[secretstore.Stage]string{
		secretstore.Pending: o.Pending, secretstore.Current: o.Current, secretstore.Previous: o.Previous,
	} {
		if text != "" {
			byStage[stage] = secret.New(text)
		}
	}
	return st, byStage, err
}

// wire is the body of a write that is made only over version cas.
func wire(object secret.Value, cas int) ([]byte, error) {
	return json.Marshal(map[string]any{
		"options": map[string]int{"cas": cas},
		"data":    json.RawMessage(object.Reveal()),
	})
}

// unwire wraps an object that was read.
func unwire(data map[string]any) (secret.Value, error) {
	text, err := json.Marshal(data)
	if err != nil {
		return secret.Value{}, fmt.Errorf("encode the answer: %w", secretstore.ErrCorrupt)
	}
	return secret.New(string(text)), nil
}

// texts are what an object holds, however deep: a field that a person keeps beside the key
// may be secret too.
func texts(object secret.Value) (out []secret.Value) {
	var whole any
	if json.Unmarshal([]byte(object.Reveal()), &whole) != nil {
		return []secret.Value{object}
	}
	for rest := []any{whole}; len(rest) > 0; {
		last := rest[len(rest)-1]
		rest = rest[:len(rest)-1]
		switch v := last.(type) {
		case string:
			out = append(out, secret.New(v))
		case []any:
			rest = append(rest, v...)
		case map[string]any:
			rest = slices.AppendSeq(rest, maps.Values(v))
		}
	}
	return out
}

// setToken has the client send a token with each request.
func (c *Client) setToken(token secret.Value) { c.api.SetToken(token.Reveal()) }

// credential is a secret in the body of a login.
func credential(value secret.Value) string { return value.Reveal() }

// digest tells values put by hand at a place from one another.
func digest(place string, value secret.Value) string {
	sum := sha256.Sum256([]byte(place + "\x00" + value.Reveal()))
	return hex.EncodeToString(sum[:4])
}
