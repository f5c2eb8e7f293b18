package program

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// input is what a program reads the value from: the value and nothing else.
func input(value secret.Value) io.Reader { return strings.NewReader(value.Reveal()) }

// repeats tells whether a text has a part of the value in it, in clear or in a form in
// which programs print bytes: what somebody else's program says may be anything.
func repeats(text string, value secret.Value) bool {
	plain := value.Reveal()
	const ends, within = 4, 6
	if len(plain) < ends {
		return value.IsIn(text)
	}
	if value.IsIn(text) || strings.Contains(text, plain[:ends]) || strings.Contains(text, plain[len(plain)-ends:]) {
		return true
	}
	for _, form := range []string{plain, hex.EncodeToString([]byte(plain)), base64.StdEncoding.EncodeToString([]byte(plain))} {
		for i := 0; i+within <= len(form); i++ {
			if strings.Contains(text, form[i:i+within]) {
				return true
			}
		}
	}
	return false
}
