package config

import (
	"strconv"
	"strings"
	"time"
)

// Freeze is a calendar of freeze windows, in which no rotation starts by itself, in
// its time zone.
type Freeze struct {
	windows []window
	zone    *time.Location
}

// maxWindows is how many windows in a row are followed: more than there are in
// any calendar that ever leaves its windows.
const maxWindows = 100

// FreezeWindowEnd gives the end of the freeze window that t is in; the zero time if it is
// in none. Windows that touch are one.
func (f Freeze) FreezeWindowEnd(t time.Time) time.Time {
	until := t
	for range maxWindows {
		end := f.endAt(until)
		if end.IsZero() {
			break
		}
		until = end
	}
	if until.Equal(t) {
		return time.Time{}
	}
	return until
}

// endAt gives the latest end of the windows that t is in.
func (f Freeze) endAt(t time.Time) (latest time.Time) {
	for _, w := range f.windows {
		if end := w.endAt(t.In(f.zone)); end.After(latest) {
			latest = end
		}
	}
	return latest
}

// A window is a stretch of time that may come again. endAt gives its end if t, in
// the freeze's zone, is in it; the zero time otherwise.
type window interface{ endAt(t time.Time) time.Time }

// parseFreeze reads one window: two dates ("2026-12-20/2027-01-06", both days
// included), two days of any year ("12-20/01-06"), or two instants of any week
// ("Fri 16:00/Mon 08:00").
func parseFreeze(spec string) (window, error) {
	from, to, ok := strings.Cut(spec, "/")
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	bad := "bad freeze " + quote(spec)
	if !ok {
		return nil, &hinted{bad, freezeWant}
	}
	if w, ok := parseDates(from, to); ok {
		if w.last.Before(w.first) {
			return nil, &hinted{bad, "the first day comes after the last"}
		}
		return w, nil
	}
	if w, ok := parseYearly(from, to); ok {
		return w, nil
	}
	if w, ok := parseWeekly(from, to); ok {
		if w.from == w.to {
			return nil, &hinted{bad, "it has no length"}
		}
		return w, nil
	}
	return nil, &hinted{bad, freezeWant}
}

const freezeWant = `write "2026-12-20/2027-01-06", "12-20/01-06" or "Fri 16:00/Mon 08:00"`

// dates is a window from one day to another, both included.
type dates struct{ first, last time.Time }

func parseDates(from, to string) (w dates, ok bool) {
	first, errFirst := time.Parse(time.DateOnly, from)
	last, errLast := time.Parse(time.DateOnly, to)
	return dates{first, last}, errFirst == nil && errLast == nil
}

func (d dates) endAt(t time.Time) time.Time {
	start := sameClock(d.first, t.Location())
	end := sameClock(d.last.AddDate(0, 0, 1), t.Location())
	if t.Before(start) || !t.Before(end) {
		return time.Time{}
	}
	return end
}

// yearly is a window between two days of a year, both included; it may go over
// the turn of the year.
type yearly struct {
	firstMonth, lastMonth time.Month
	firstDay, lastDay     int
}

func parseYearly(from, to string) (w yearly, ok bool) {
	const leap = "2024-" // so that 02-29 can be written
	first, errFirst := time.Parse(time.DateOnly, leap+from)
	last, errLast := time.Parse(time.DateOnly, leap+to)
	return yearly{first.Month(), last.Month(), first.Day(), last.Day()}, errFirst == nil && errLast == nil
}

func (y yearly) endAt(t time.Time) time.Time {
	for _, year := range []int{t.Year() - 1, t.Year()} { // the one that started last year, this year's
		start := time.Date(year, y.firstMonth, y.firstDay, 0, 0, 0, 0, t.Location())
		end := time.Date(year, y.lastMonth, y.lastDay+1, 0, 0, 0, 0, t.Location())
		if !end.After(start) {
			end = time.Date(year+1, y.lastMonth, y.lastDay+1, 0, 0, 0, 0, t.Location())
		}
		if !t.Before(start) && t.Before(end) {
			return end
		}
	}
	return time.Time{}
}

// weekly is a window between two instants of a week, each as the time since
// Sunday at midnight by the clock on the wall; it may go over the turn of the week.
type weekly struct{ from, to time.Duration }

const weekInstant = `^(?i)(sun|mon|tue|wed|thu|fri|sat)[a-z]*\s+([01]?\d|2[0-4]):([0-5]\d)$`

const day, week = 24 * time.Hour, 7 * 24 * time.Hour

func parseWeekly(from, to string) (w weekly, ok bool) {
	w.from, ok = parseWeekInstant(from)
	if !ok {
		return w, false
	}
	w.to, ok = parseWeekInstant(to)
	return w, ok
}

func parseWeekInstant(s string) (time.Duration, bool) {
	m := pattern(weekInstant).FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	days := strings.Index("sunmontuewedthufrisat", strings.ToLower(m[1])) / len("sun")
	hours, errHours := strconv.Atoi(m[2])
	minutes, errMinutes := strconv.Atoi(m[3])
	if errHours != nil || errMinutes != nil || hours*60+minutes > 24*60 {
		return 0, false
	}
	return time.Duration(days)*day + time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute, true
}

func (w weekly) endAt(t time.Time) time.Time {
	now := time.Duration(t.Weekday())*day + time.Duration(t.Hour())*time.Hour +
		time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	length := (w.to - w.from + week) % week
	into := (now - w.from + week) % week
	if into >= length {
		return time.Time{}
	}
	left := length - into
	wall := sameClock(t, time.UTC).Add(left)
	if end := sameClock(wall, t.Location()); end.After(t) {
		return end
	}
	return t.Add(left) // where daylight saving swallowed the end
}
