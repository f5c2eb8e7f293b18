// Package humantime writes times, spans and counts as people read them.
package humantime

import (
	"fmt"
	"strings"
	"time"
)

// Stamp prints an instant in UTC, so that it reads the same everywhere.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }

// Until says how far away t is, one way or the other.
func Until(t, now time.Time) string {
	if d := t.Sub(now); d >= 0 {
		return "in " + Span(d)
	}
	return Span(now.Sub(t)) + " ago"
}

// Span prints a duration with its two largest units.
func Span(d time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	var parts []string
	for _, u := range units {
		if n := d / u.size; n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", n, u.name))
			d -= n * u.size
		} else if len(parts) > 0 {
			break
		}
		if len(parts) == 2 {
			break
		}
	}
	if len(parts) == 0 {
		return "0s"
	}
	return strings.Join(parts, "")
}

// Times says how often.
func Times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// Optional leaves out what is not known.
func Optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Count says how many of what, in the singular or the plural.
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
