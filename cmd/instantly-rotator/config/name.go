package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// What names of keys, workspaces and stores look like, for machines and people.
const (
	namePattern = `^[a-z0-9][a-z0-9-]{0,62}$`
	nameWant    = "want lower-case letters, digits and hyphens, at most 63"
)

// pattern gives the compiled form of one of this package's regular expressions.
func pattern(expr string) *regexp.Regexp { return storekind.Pattern(expr) }

func isName(s string) bool { return pattern(namePattern).MatchString(s) }

// pathName is how a name the user chose stands in a path.
func pathName(s string) string {
	if isName(s) {
		return s
	}
	return quote(s)
}

// maxQuoted is how much of a text is repeated in a message, in bytes.
const maxQuoted = 60

// quote repeats what was written in a message, unless it might be a secret that
// was pasted into the wrong place.
func quote(s string) string {
	switch {
	case looksSecret(s):
		return "(not shown: it looks like a secret)"
	case len(s) > maxQuoted:
		return fmt.Sprintf("%q…", s[:maxQuoted])
	default:
		return fmt.Sprintf("%q", s)
	}
}

// looksSecret tells whether a text is likely a credential: a known prefix, a
// URL of shoutrrr's, or a
// long word that mixes capitals, small letters and digits. The form of
// Instantly's keys is not documented, so this is a guess; where an admin key is
// expected nothing is repeated at all.
func looksSecret(s string) bool {
	if receiverURL := strings.Contains(s, "://") && !strings.HasPrefix(s, "http"); receiverURL || hasSecretPrefix(s) {
		return true
	}
	for _, has := range []string{`^[A-Za-z0-9+/=_:.-]{20,}$`, `[A-Z]`, `[a-z]`, `[0-9]`} {
		if !pattern(has).MatchString(s) {
			return false
		}
	}
	return true
}

// hasSecretPrefix tells whether a text begins as secrets do.
func hasSecretPrefix(s string) bool {
	return strings.HasPrefix(strings.ToUpper(s), "AGE-SECRET-KEY-") || pattern(`^(?i:bearer |sk[-_])`).MatchString(s)
}

// looksLikePath tells whether a text that may look like a secret is a path all the same:
// it leads through folders, and is neither a URL nor padded.
func looksLikePath(s string) bool {
	return strings.ContainsRune(s, filepath.Separator) && !strings.Contains(s, "://") && !strings.HasSuffix(s, "=") && !hasSecretPrefix(s)
}

// Nearest gives the known name that s is likely a misspelling of, or alone the beginning of.
func Nearest(s string, known []string) (string, bool) {
	if len(s) > 63 {
		return "", false
	}
	best, least := "", max(1, len(s)/3)
	for _, k := range known {
		if d := distance(s, k); d <= least && (best == "" || d < least) {
			best, least = k, d
		}
	}
	if best == "" {
		best = onlyBeginning(s, known)
	}
	return best, best != ""
}

// onlyBeginning gives the one known name that begins with s; empty if there are several.
func onlyBeginning(s string, known []string) (only string) {
	const least = 3
	for _, k := range known {
		switch {
		case len(s) < least || !strings.HasPrefix(k, s):
		case only != "":
			return ""
		default:
			only = k
		}
	}
	return only
}

// distance counts the letters to add, drop, change, or swap with the next one,
// to get from a to b (optimal string alignment).
func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
