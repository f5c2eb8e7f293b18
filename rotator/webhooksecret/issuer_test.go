package webhooksecret_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/webhooksecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestASecretHas256RandomBitsAndFitsIntoAHeader(t *testing.T) {
	issuer := webhooksecret.Issuer{Now: time.Now}
	seen := map[string]bool{}
	for range 100 {
		key, err := issuer.Issue(t.Context(), "name", webhooksecret.Spec)
		if err != nil || key.Spec != webhooksecret.Spec || len(key.ID) != 36 {
			t.Fatal(key.ID, err)
		}
		b, err := base64.RawURLEncoding.DecodeString(key.Value.Reveal())
		if err != nil || len(b) != 32 || seen[string(b)] || seen[key.ID] {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		seen[string(b)], seen[key.ID] = true, true
		if got := issuer.Test(t.Context(), key.Value, key.Spec); got.Verdict != rotator.Valid {
			t.Error(got.Err)
		}
	}
	for _, odd := range []string{" ", "two words", "ümlaut", "line\nbreak", string(make([]byte, 5000))} {
		if got := issuer.Test(t.Context(), secret.New(odd), webhooksecret.Spec); got.Verdict != rotator.Invalid || !errors.Is(got.Err, rotator.ErrNoKey) {
			t.Errorf("%q is taken for one", odd)
		}
	}
}
