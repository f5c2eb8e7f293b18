package page

import (
	"html/template"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// moment is an instant, as seen from now.
type moment struct {
	At    time.Time
	Text  string
	Count bool // a script may count on
}

// functions are what templates call.
func functions() template.FuncMap {
	return template.FuncMap{
		"until": func(t any, now time.Time) moment { return momentOf(t, now, true) },
		"ago":   func(t any, now time.Time) moment { return momentOf(t, now, true) },
		"stamp": func(t any) string {
			if at := instant(t); !at.IsZero() {
				return humantime.Stamp(at)
			}
			return "not known"
		},
		"span":  humantime.Span,
		"short": short,
		"path":  targetPath,
		"tone":  tone,
		"count": humantime.Count,
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

func momentOf(t any, now time.Time, count bool) moment {
	at := instant(t)
	if at.IsZero() {
		return moment{}
	}
	return moment{At: at.UTC(), Text: humantime.Until(at, now), Count: count}
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
