package page

import (
	"html/template"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// moment is an instant, as seen from now.
type moment struct {
	At   time.Time
	Text string
	// Count is how a script may count on: how far away it is, or how long it is ago.
	Count string
}

// functions are what templates call.
func functions() template.FuncMap {
	return template.FuncMap{
		"until": func(t any, now time.Time) moment { return momentOf(t, now, "away") },
		"ago":   func(t any, now time.Time) moment { return momentOf(t, now, "ago") },
		"for":   func(t any, now time.Time) moment { return momentOf(t, now, "long") },
		"stamp": func(t any) string {
			if at := instant(t); !at.IsZero() {
				return humantime.Stamp(at)
			}
			return "not known"
		},
		"span":    humantime.Span,
		"meaning": meaning,
		"long":    func(seconds int64) string { return humantime.Span(time.Duration(seconds) * time.Second) },
		"grade":   grade,
		"short":   short,
		"path":    targetPath,
		"tone":    tone,
		"count":   humantime.Count,
		"word": func(a status.Assured) string {
			return map[status.Assured]string{status.Working: "good", status.Broken: "bad"}[a]
		},
	}
}

func instant(t any) time.Time {
	switch t := t.(type) {
	case time.Time:
		return t
	case *time.Time:
		return value(t)
	default:
		return time.Time{}
	}
}

func momentOf(t any, now time.Time, count string) moment {
	at := instant(t)
	switch {
	case at.IsZero():
		return moment{}
	case count == "long":
		return moment{At: at.UTC(), Text: humantime.Span(max(0, now.Sub(at))), Count: count}
	case count == "ago" && now.Sub(at) < time.Second:
		return moment{At: at.UTC(), Text: "just now", Count: count}
	default:
		return moment{At: at.UTC(), Text: humantime.Until(at, now), Count: count}
	}
}

// tone is how a state is coloured; what it is stands beside the colour in words.
func tone(s status.State) string {
	switch {
	case s.Severity() == status.Trouble:
		return "bad"
	case s.Severity() == status.Notice:
		return "warn"
	default:
		return "good"
	}
}

// grade is how a finding is coloured.
func grade(s audit.Severity) string {
	switch s {
	case audit.High, audit.Medium:
		return "bad"
	case audit.Low, audit.NotKnown:
		return "warn"
	default:
		return "good"
	}
}

// meaning says what a state is, without a table.
func meaning(s status.State) string {
	text, _, _ := strings.Cut(s.Meaning(), ": see below")
	return text
}
