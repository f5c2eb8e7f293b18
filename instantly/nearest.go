package instantly

import "strings"

// NearestScope gives the known scope that s is most likely meant to be: itself
// if it is known, or the one meant by a name that circulates in guides. Else each
// half must be a misspelling of one that is known: another action, or another
// resource, would be another permission. False if none is near, or if two are.
func NearestScope(s string) (string, bool) {
	halves := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(":./ ", r) })
	if len(halves) != 2 {
		return "", false
	}
	resource, action := halves[0], halves[1]
	if resource == "inbox_tests" { // a widely read guide has it
		resource = "inbox_placement_tests"
	}
	resource, knownResource := nearestWord(resource, resources())
	action, knownAction := nearestWord(action, actions())
	meant := Scope{Resource: resource, Action: action}
	if !knownResource || !knownAction || !meant.isListed() {
		return "", false
	}
	return meant.String(), true
}

// nearestWord gives the known word that w is, or is a misspelling of: a quarter of
// its letters changed, two at most. False if two words are as near.
func nearestWord(w string, known []string) (string, bool) {
	best, least, unique := "", min(2, max(1, len(w)/4))+1, false
	for _, k := range known {
		switch d := distance(w, k); {
		case d < least:
			best, least, unique = k, d, true
		case d == least:
			unique = false
		}
	}
	return best, unique && best != ""
}

// distance counts the letters to insert, remove or replace to make b from a
// (Levenshtein); two that changed places count as one.
func distance(a, b string) int {
	var before, row []int
	for i := range len(a) + 1 {
		next := make([]int, len(b)+1)
		for j := range next {
			switch {
			case i == 0 || j == 0:
				next[j] = i + j
				continue
			case a[i-1] == b[j-1]:
				next[j] = row[j-1]
			default:
				next[j] = 1 + min(row[j-1], row[j], next[j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], 1+before[j-2])
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
