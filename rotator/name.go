package rotator

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// A keyName is what our keys are called at Instantly: owner/target/store/nonce.
// The name is all that is left of a key whose create was never answered, so it
// says who may revoke it.
type keyName struct {
	Owner  string // of the configuration
	Target string
	Store  string // fingerprint of the primary store's identity
	Nonce  string // of the intent
}

// String gives the name in its one form. The API documents no limit on a
// name's length and no uniqueness.
func (n keyName) String() string {
	return strings.Join([]string{n.Owner, n.Target, n.Store, n.Nonce}, "/")
}

// parseKeyName reads a name back; ok is false for a name that is not of our form.
func parseKeyName(s string) (n keyName, ok bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 4 || slices.Contains(parts, "") {
		return keyName{}, false
	}
	return keyName{parts[0], parts[1], parts[2], parts[3]}, true
}

// issuedFor names a target of an owner, whichever store its keys are kept in.
func issuedFor(owner, target string) string { return owner + "/" + target }

// fingerprint shortens a store's identity for key names: two deployments that
// are configured alike have stores of different identity, so that neither takes
// the other's keys for its own orphans.
func fingerprint(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:6])
}
