package httpsink

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// facts are what placeholders stand for.
type facts struct {
	key, credential   secret.Value
	id, target, place string
}

// body fills in a template of JSON: each placeholder stands within a string.
func (f facts) body(template string) []byte { return []byte(f.fill(template, inJSON, true)) }

// header fills in that of a header: it has the credential, never the key.
func (f facts) header(template string) string {
	return f.fill(template, func(text string) string { return text }, false)
}

// address fills in that of an address, which has no key in it either.
func (f facts) address(template string) string {
	path, query, asks := strings.Cut(template, "?")
	filled := f.fill(path, url.PathEscape, false)
	if asks {
		filled += "?" + f.fill(query, url.QueryEscape, false)
	}
	return filled
}

func (f facts) fill(template string, escape func(string) string, withKey bool) string {
	pairs := []string{
		"{credential}", escape(f.credential.Reveal()), "{id}", escape(f.id), "{target}", escape(f.target), "{place}", escape(f.place),
	}
	if withKey {
		pairs = append(pairs, keyHolder, escape(f.key.Reveal()))
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// inJSON escapes a text as it stands between the quotes of a JSON string.
func inJSON(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text can be written down
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(b.String()), `"`), `"`)
}
