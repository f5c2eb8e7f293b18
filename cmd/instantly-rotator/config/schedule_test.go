package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := config.ParseTimezone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

func TestScheduleTicks(t *testing.T) {
	for _, c := range []struct{ spec, zone, after, want string }{
		{"0 3 1 */3 *", "UTC", "2026-02-10T00:00:00Z", "2026-04-01T03:00:00Z"},
		{"0 3 1 */3 *", "Europe/Berlin", "2026-02-10T00:00:00Z", "2026-04-01T01:00:00Z"},
		{"@quarterly", "UTC", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"@monthly", "America/New_York", "2026-01-15T00:00:00Z", "2026-02-01T05:00:00Z"},
		{" @weekly ", "UTC", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
		{"@every 90d", "UTC", "2026-01-01T12:34:56.7Z", "2026-04-01T12:34:56Z"},
		{"@every 1s", "UTC", "2026-01-01T00:00:00.9Z", "2026-01-01T00:00:01Z"},
		{"0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},               // 2100 is no leap year
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"},     // 02:30 does not exist on that day
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T01:30:00Z"},     // 02:30 comes twice on that day …
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},     // … and counts once
		{"30 1 * * *", "America/New_York", "2026-11-01T06:10:00Z", "2026-11-02T06:30:00Z"},  // the clock shows 01:10 for the second time
		{"0 0 6 9 *", "America/Santiago", "2026-09-01T00:00:00Z", "2026-09-06T03:00:00Z"},   // midnight does not exist on that day
		{"0 5 30 * *", "Pacific/Apia", "2011-12-19T00:00:00Z", "2011-12-29T15:00:00Z"},      // nor does that day
		{"0 4 31 * *", "UTC", "2026-03-31T04:00:00Z", "2026-05-31T04:00:00Z"},               // April has none
		{"30 1 * * *", "Europe/London", "2026-10-24T12:00:00Z", "2026-10-25T01:30:00Z"},     // 01:30 comes twice on that day …
		{"30 1 * * *", "Europe/London", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},     // … and counts once
		{"0 12 1,15 * MON", "UTC", "2026-01-02T00:00:00Z", "2026-01-05T12:00:00Z"},          // either day field
		{"15 10 ? JAN-MAR FRI", "UTC", "2026-03-31T00:00:00Z", "2027-01-01T10:15:00Z"},      // names
		{"0 3 1 1 *", "Pacific/Kiritimati", "2026-06-01T00:00:00Z", "2026-12-31T13:00:00Z"}, // UTC+14
	} {
		got := schedule(t, c.spec, zone(t, c.zone)).Next(instant(t, c.after))
		if want := instant(t, c.want); !got.Equal(want) {
			t.Errorf("%q in %s after %s: %s, want %s", c.spec, c.zone, c.after, got, want)
		}
	}
}

func TestScheduleKeepsTheLocationItIsAskedIn(t *testing.T) {
	got := schedule(t, "@daily", zone(t, "Asia/Tokyo")).Next(instant(t, "2026-01-01T00:00:00Z"))
	if got.Location() != time.UTC {
		t.Errorf("location %s", got.Location())
	}
}

func TestScheduleIsNamedAsWrittenWithItsZone(t *testing.T) {
	for want, s := range map[string]config.Schedule{
		"@quarterly (Asia/Tokyo)": schedule(t, "@quarterly", zone(t, "Asia/Tokyo")),
		"@every 90d":              schedule(t, "@every 90d", zone(t, "Asia/Tokyo")),
	} {
		if s.String() != want {
			t.Errorf("%q, want %q", s.String(), want)
		}
	}
}

// The cron library panics on a time zone without anything behind it.
func TestSchedulePrefixThatPanicsIsRefused(t *testing.T) {
	for _, spec := range []string{"TZ=UTC", "CRON_TZ=UTC", "TZ=", " TZ=0", "CRON_TZ=Europe/Berlin 0 3 1 * *"} {
		_, err := config.ParseSchedule(spec, time.UTC)
		if err == nil || !strings.Contains(err.Error(), "set the time zone with timezone") {
			t.Errorf("%q: %v", spec, err)
		}
	}
}

func TestScheduleWithoutItsSignIsUnderstoodAndNamed(t *testing.T) {
	for spec, want := range map[string]string{
		"quarterly": `did you mean "@quarterly"?`, "quaterly": `did you mean "@quarterly"?`, "Monthly": `did you mean "@monthly"?`,
		"@Daily": `did you mean "@daily"?`, "90d": `did you mean "@every 90d"?`, "every 90d": `did you mean "@every 90d"?`,
		"fortnightly": "want five fields", "0 3 1": "want five fields",
	} {
		_, err := config.ParseSchedule(spec, time.UTC)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", spec, err, want)
		}
	}
}

func TestScheduleThatNeverComesIsRefused(t *testing.T) {
	for _, spec := range []string{"0 0 30 2 *", "0 0 31 2,4,6,9,11 *"} {
		_, err := config.ParseSchedule(spec, time.UTC)
		if err == nil || !strings.Contains(err.Error(), "never comes") {
			t.Errorf("%q: %v", spec, err)
		}
	}
}

func TestTimezoneMustMeanTheSameEverywhere(t *testing.T) {
	for _, name := range []string{"", "Local", "local", "../UTC", "/etc/localtime", "Europe", "CEST", "UTC+2"} {
		if z, err := config.ParseTimezone(name); err == nil {
			t.Errorf("%q is taken as %s", name, z)
		}
	}
}

func TestTimezoneSuggestsTheUsualSpelling(t *testing.T) {
	for name, want := range map[string]string{
		"america/new york": "America/New_York", "EUROPE/BERLIN": "Europe/Berlin", "utc": "UTC",
	} {
		_, err := config.ParseTimezone(name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want a mention of %s", name, err, want)
		}
	}
}

func TestDurationsAddUp(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"24h": day, "7d": 7 * day, "2w": 14 * day, "1w2d3h4m5s6ms": 9*day + 3*time.Hour + 4*time.Minute + 5*time.Second + 6*time.Millisecond,
		"1.5d": 36 * time.Hour, "0s": 0, "106751d": 106751 * day,
	} {
		got, err := config.ParseDuration(text)
		if err != nil || got != want {
			t.Errorf("%q: %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestDurationsThatAreNoneAreRefused(t *testing.T) {
	for _, text := range []string{
		"", "24", "h", "-1h", "+1h", "1 h", "1y", "1us", "1h ", "1..5h", ".5h", "1e3s", "106752d", "9999999w", "100000d100000d", "١h",
	} {
		if got, err := config.ParseDuration(text); err == nil {
			t.Errorf("%q is taken as %s", text, got)
		}
	}
}
