package instantly

import (
	"slices"
	"strings"
)

// NearestScope gives the known scope that s is most likely meant to be: itself
// if it is known; the one meant by a name that circulates in guides; else the
// one with the fewest letters changed, at most a quarter of them. False if none
// is near.
func NearestScope(s string) (string, bool) {
	known := KnownScopes()
	if meant, ok := circulating(s); ok {
		s = meant
	}
	best, least := "", max(2, len(s)/4)+1
	for _, k := range known {
		if d := distance(s, k); d < least {
			best, least = k, d
		}
	}
	return best, best != ""
}

// circulating knows two names that a widely read guide has and the vendor has
// not. Which scope the analytics calls need is not documented; they report on
// campaigns.
func circulating(s string) (string, bool) {
	if action, ok := strings.CutPrefix(s, "inbox_tests:"); ok {
		return "inbox_placement_tests:" + action, true
	}
	if s == "analytics:read" {
		return "campaigns:read", true
	}
	return "", false
}

// distance counts the letters to insert, remove or replace to make b from a
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = slices.Min([]int{replaced, row[j] + 1, row[j+1] + 1})
		}
	}
	return row[len(b)]
}
