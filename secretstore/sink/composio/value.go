package composio

import (
	"encoding/json"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// credentialPatch is the body that replaces one field of an account's credential, and
// nothing else of it.
func credentialPatch(scheme, field string, value secret.Value) ([]byte, error) {
	return json.Marshal(map[string]any{
		"connection": map[string]any{
			"state": map[string]any{"authScheme": scheme, "val": map[string]string{field: value.Reveal()}},
		},
	})
}

// masked is how many bytes of a value Composio shows.
const masked = 4

// isShown tells whether what Composio shows of a credential can be this value: in full, or
// its first bytes and something in place of the others. Nothing, or REDACTED as before
// December 2025, can be any value.
func isShown(shown string, value secret.Value) bool {
	text := value.Reveal()
	switch {
	case shown == "" || shown == "REDACTED" || shown == text:
		return true
	case len(shown) < masked || len(text) < masked || strings.Trim(shown[masked:], "*.…•x") != "":
		return false
	default:
		return shown[:masked] == text[:masked]
	}
}

// authorization is the header in which Composio takes its key.
func authorization(key secret.Value) (name, text string) { return "x-api-key", key.Reveal() }
