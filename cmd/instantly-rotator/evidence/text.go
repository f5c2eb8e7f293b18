package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

// stamp writes an instant in UTC, to the minute.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// exactly writes an instant for programs.
func exactly(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// span writes a duration of the policy; empty if there is none.
func span(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return humantime.Span(d)
}

// shortID cuts an id to what tells keys apart, as the other commands do.
func shortID(id string) string {
	const head, tail = 8, 4
	if len(id) <= head+tail+1 {
		return id
	}
	return id[:head] + "…" + id[len(id)-tail:]
}

// fewEntries is how many numbers are named in a table.
const fewEntries = 6

// refs writes numbers of entries; of many, the first and how many there are.
func refs(lists ...[]Ref) string {
	all := merged(lists...)
	if len(all) > fewEntries {
		return fmt.Sprintf("%s … %s, %d in all", numbers(all[:2], ", "), all[len(all)-1], len(all))
	}
	return numbers(all, ", ")
}

func numbers(all []Ref, separator string) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = n.String()
	}
	return strings.Join(texts, separator)
}

// last gives the entry of each moment that tells what came of it.
func last(moments ...Moment) string {
	var all []Ref
	for _, m := range moments {
		if n := len(m.Entries); n > 0 {
			all = append(all, m.Entries[n-1])
		}
	}
	return refs(all)
}

// moment writes one for people.
func moment(m Moment) string {
	if m.Known() {
		return stamp(m.At)
	}
	return "-"
}

// cell makes a text one that a table may have.
func cell(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "'").Replace(s)
}

// list joins names, or says that there are none.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(slices.Clone(names), ", ")
}
