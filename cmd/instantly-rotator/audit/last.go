package audit

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// wholeVerb is that of the event that tells how many findings an audit of everything had.
// Each of its names is "SEVERITY NUMBER".
const wholeVerb = "audited"

// Last is what is known of the last audit of everything.
type Last struct {
	// At is when it was made; nil: there was none, or Error says why that is not known.
	At *time.Time `json:"at,omitempty"`
	// Open counts the findings that are somebody's to see to, by severity.
	Open  map[Severity]int `json:"open,omitempty"`
	Error string           `json:"error,omitempty"`
}

// Last gives what is told of an audit later on.
func (r Report) Last() *Last { return &Last{At: &r.At, Open: r.Open()} }

// Recorded finds the last audit in the logs of a trail's folder.
func Recorded(dir string) *Last {
	logs, err := trail.Logs(dir)
	var last trail.Entry
	for _, log := range logs {
		var e trail.Entry
		if e, err = trail.LastEvent(log, wholeVerb); err != nil {
			break
		}
		if e.Time.After(last.Time) {
			last = e
		}
	}
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist): // else nothing was done yet
		return &Last{Error: err.Error()}
	case last.Time.IsZero():
		return &Last{}
	}
	at := last.Time.UTC()
	l := &Last{At: &at, Open: map[Severity]int{}}
	for _, name := range last.Names {
		severity, number, _ := strings.Cut(name, " ")
		if n, err := strconv.Atoi(number); err == nil {
			l.Open[Severity(severity)] = n
		}
	}
	return l
}

// names are those of the event.
func (r Report) names() (all []string) {
	open := r.Open()
	for _, s := range Severities() {
		if n := open[s]; n > 0 {
			all = append(all, fmt.Sprintf("%s %d", s, n))
		}
	}
	return all
}

// Text says it in one line.
func (l Last) Text(now time.Time) string {
	const see = "instantly-rotator audit"
	switch {
	case l.Error != "":
		return "the last one is not known: " + l.Error
	case l.At == nil:
		return "none is recorded yet: " + see
	default:
		return fmt.Sprintf("%s, %s ago: %s", cmp.Or(CountText(l.Open), "nothing found"), humantime.Span(now.Sub(*l.At)), see)
	}
}
