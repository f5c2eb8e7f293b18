package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // containers often have no time zones; schedules need them

	"github.com/robfig/cron/v3"
)

// Schedule says when a key falls due.
type Schedule interface {
	// Next gives the first tick after t, in t's location, to the second. The zero
	// time: it never ticks, as somebody wanted it; see [Never].
	Next(t time.Time) time.Time
	// String gives the schedule as it was written, and its time zone.
	String() string
}

// ParseSchedule reads the standard five cron fields (minute, hour, day of month,
// month, day of week), a descriptor such as @monthly or @quarterly, or "@every"
// with a duration as [ParseDuration] reads it, at least a second. Fields are
// meant in zone; @every counts elapsed time and has none. "never" does not tick.
//
// As in cron, if both day fields are restricted, either may match. A tick at a
// local time that daylight saving leaves out comes earlier or later by what is
// left out; one at a local time that comes twice comes once.
func ParseSchedule(spec string, zone *time.Location) (Schedule, error) {
	bad := "bad schedule " + quote(spec)
	spec = strings.TrimSpace(spec)
	if spec == "never" {
		return neverSchedule{}, nil
	}
	if strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ=") {
		return nil, &hinted{bad, "set the time zone with timezone"}
	}
	if every, ok := strings.CutPrefix(spec, "@every"); ok {
		return parseEvery(bad, spec, strings.TrimSpace(every))
	}
	fields := spec
	if spec == "@quarterly" { // cron has none
		fields = "0 0 1 */3 *"
	}
	parsed, err := parseCron(fields)
	if err != nil {
		return nil, &hinted{bad, scheduleHint(spec, err)}
	}
	ticks, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, &hinted{bad, "write five cron fields or @every with a duration"}
	}
	ticks.Location = time.UTC // see fieldSchedule.Next
	if ticks.Next(referenceTime()).IsZero() {
		return nil, &hinted{bad, "it never comes: no month has that day"}
	}
	return fieldSchedule{spec: spec, ticks: ticks, zone: zone}, nil
}

// referenceTime is where schedules are tried out, so that what is reported does
// not depend on the day on which it is.
func referenceTime() time.Time { return time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC) }

// parseCron calls the cron library, which panics on some time zone prefixes
// (refused before) and may on more.
func parseCron(fields string) (s cron.Schedule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the cron reader gave up: %v", p)
		}
	}()
	return cron.ParseStandard(fields)
}

// scheduleHint says in plain words what to write instead.
func scheduleHint(spec string, cause error) string {
	descriptors := []string{"@yearly", "@annually", "@quarterly", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
	if !strings.HasPrefix(spec, "@") {
		n := len(strings.Fields(spec))
		if strings.EqualFold(spec, "never") {
			return `did you mean "never"?`
		}
		if near, ok := Nearest("@"+strings.ToLower(spec), descriptors); ok && n == 1 {
			return fmt.Sprintf("did you mean %q?", near)
		}
		if every := strings.TrimSpace(strings.TrimPrefix(spec, "every")); n <= 2 {
			if _, err := ParseDuration(every); err == nil {
				return fmt.Sprintf("did you mean %q?", "@every "+every)
			}
		}
		if n != 5 {
			return fmt.Sprintf(`want five fields (minute, hour, day, month, weekday), found %d`, n)
		}
		return cause.Error()
	}
	if near, ok := Nearest(strings.ToLower(spec), descriptors); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known are " + strings.Join(descriptors, ", ") + ", @every DURATION"
}

func parseEvery(bad, spec, every string) (Schedule, error) {
	period, err := ParseDuration(every)
	var h *hinted
	switch {
	case errors.As(err, &h):
		return nil, &hinted{bad, h.hint}
	case period < time.Second:
		return nil, &hinted{bad, "want at least a second"}
	}
	return everySchedule{spec: spec, period: period}, nil
}

// A fieldSchedule ticks when the clock on the wall matches.
type fieldSchedule struct {
	spec  string
	ticks *cron.SpecSchedule
	zone  *time.Location
}

// Next implements [Schedule]. The cron library is asked about the clock on the
// wall as if it were UTC, because it drops ticks where daylight saving begins at
// midnight and never returns where a zone left out a whole day.
func (s fieldSchedule) Next(t time.Time) time.Time {
	wall := sameClock(t.In(s.zone), time.UTC)
	for {
		wall = s.nextOnWall(wall)
		if next := sameClock(wall, s.zone); next.After(t) {
			return next.In(t.Location())
		}
	}
}

// onEitherDay tells whether both day fields are restricted: a day that matches one of
// them is enough, which many do not expect.
func (s fieldSchedule) onEitherDay() bool {
	const star = 1 << 63 // the cron library's mark for a field that is not restricted
	return s.ticks.Dom&star == 0 && s.ticks.Dow&star == 0
}

// nextOnWall gives the next tick of a schedule that is known to tick. The cron
// library searches five years only, which is not enough for 29 February
// around the year 2100.
func (s fieldSchedule) nextOnWall(wall time.Time) time.Time {
	for {
		if next := s.ticks.Next(wall); !next.IsZero() {
			return next
		}
		wall = wall.AddDate(5, 0, 0)
	}
}

// sameClock gives the time at which the clock in zone shows what t shows.
func sameClock(t time.Time, zone *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}

// String implements [Schedule].
func (s fieldSchedule) String() string { return s.spec + " (" + s.zone.String() + ")" }

// An everySchedule ticks a fixed time after the last event.
type everySchedule struct {
	spec   string
	period time.Duration
}

// Next implements [Schedule].
func (s everySchedule) Next(t time.Time) time.Time { return t.Add(s.period).Truncate(time.Second) }

// String implements [Schedule].
func (s everySchedule) String() string { return s.spec }

// A neverSchedule leaves it to others when the key is rotated: to somebody who asks for it,
// or to the schedule of what keeps the secret.
type neverSchedule struct{}

// Next implements [Schedule].
func (neverSchedule) Next(time.Time) time.Time { return time.Time{} }

// String implements [Schedule].
func (neverSchedule) String() string { return "never (only when asked)" }

// Never tells whether a key falls due at no time, whatever its age.
func Never(s Schedule) bool { return s == Schedule(neverSchedule{}) }

// ParseTimezone reads an IANA time zone name. "Local" is refused: a schedule
// must mean the same on every machine.
func ParseTimezone(name string) (*time.Location, error) {
	bad := "bad time zone " + quote(name)
	if name == "" || strings.EqualFold(name, "local") {
		return nil, &hinted{bad, "name one, such as UTC or Europe/Berlin"}
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		return zone, nil
	}
	if near := canonicalZone(name); near != name {
		if _, err := time.LoadLocation(near); err == nil {
			return nil, &hinted{bad, fmt.Sprintf("did you mean %q?", near)}
		}
	}
	return nil, &hinted{bad, "want an IANA name, such as UTC, Europe/Berlin or America/New_York"}
}

// canonicalZone writes a zone as most IANA names are: europe/berlin as
// Europe/Berlin, "new york" with an underscore, utc in capitals.
func canonicalZone(name string) string {
	if !strings.Contains(name, "/") {
		return strings.ToUpper(name)
	}
	out := []byte(strings.ToLower(strings.ReplaceAll(name, " ", "_")))
	for i := range out {
		if i == 0 || out[i-1] == '/' || out[i-1] == '_' {
			out[i] = strings.ToUpper(string(out[i]))[0]
		}
	}
	return string(out)
}

// tried is how many ticks of a schedule are compared.
const tried = 200

// gaps are the times between two ticks in a row.
type gaps struct{ shortest, longest time.Duration }

// gapsOf compares a schedule's first ticks.
func gapsOf(s Schedule) (g gaps) {
	t := s.Next(referenceTime())
	for i := range tried {
		next := s.Next(t)
		gap := next.Sub(t)
		if i == 0 || gap < g.shortest {
			g.shortest = gap
		}
		g.longest = max(g.longest, gap)
		t = next
	}
	return g
}
