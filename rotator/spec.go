package rotator

import (
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// specOf is what stores keep of the scopes that a key is issued with: each once,
// sorted, with commas between them, so that two specs are equal if and only if
// they name the same scopes.
func specOf(scopes []string) secretstore.Spec {
	return secretstore.Spec(strings.Join(slices.Compact(slices.Sorted(slices.Values(scopes))), ","))
}

// scopesOf reads specOf's text back.
func scopesOf(spec secretstore.Spec) []string {
	if spec == "" {
		return nil
	}
	return strings.Split(string(spec), ",")
}
