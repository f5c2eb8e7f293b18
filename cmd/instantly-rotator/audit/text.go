package audit

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

// Named is the subject with its id.
func (f Finding) Named() string {
	if f.ID == "" || strings.Contains(f.Subject, f.ID) {
		return f.Subject
	}
	return f.Subject + " (" + f.ID + ")"
}

// Said is the text, with the exception that has ended.
func (f Finding) Said() string {
	if f.Ended == nil {
		return f.Text
	}
	return fmt.Sprintf("%s; it was accepted until %s: %s", f.Text, humantime.Stamp(f.Ended.Until), f.Ended.Reason)
}

// Text is what a check came to.
func (o Outcome) Text() string {
	switch o.State {
	case Skipped:
		return "not asked: " + o.Skipped
	case Passed:
		return "passed"
	default:
		return cmp.Or(CountText(o.Open), "not known, as said elsewhere")
	}
}

// CountText writes how many there are of each severity; empty if there are none.
func CountText(counts map[Severity]int) string {
	var said []string
	for _, s := range Severities() {
		if n := counts[s]; n > 0 {
			said = append(said, fmt.Sprintf("%d %s", n, s.Text()))
		}
	}
	return strings.Join(said, ", ")
}

// Summary says in one line what was found.
func (r Report) Summary() string {
	accepted, skipped := 0, 0
	for _, f := range r.Findings {
		if f.Accepted != nil {
			accepted++
		}
	}
	for _, c := range r.Checks {
		if c.State == Skipped {
			skipped++
		}
	}
	text := humantime.Count(len(r.Checks)-skipped, "check") + ": " + cmp.Or(CountText(r.Open()), "nothing found")
	if accepted > 0 {
		text += fmt.Sprintf(", %d accepted", accepted)
	}
	if skipped > 0 {
		text += fmt.Sprintf("; %d not asked for", skipped)
	}
	return text + "."
}

// Text says how much was searched.
func (s Scanned) Text() string {
	text := fmt.Sprintf("%s of %s in %s", humantime.Count(int(s.Files), "file"), size(s.Bytes), s.Dir)
	if s.Objects > 0 {
		text += ", with " + humantime.Count(int(s.Objects), "object") + " of git"
	}
	return text
}

// size writes a number of bytes.
func size(n int64) string {
	const kilo = 1000
	units := []string{"B", "kB", "MB", "GB", "TB"}
	x, i := float64(n), 0
	for ; x >= kilo && i < len(units)-1; i++ {
		x /= kilo
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", x, units[i])
}
