package config_test

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

func freezeOf(t *testing.T, zone string, windows ...string) config.Freeze {
	t.Helper()
	data := `
defaults: {timezone: ` + zone + `, freeze: [`
	for _, w := range windows {
		data += `"` + w + `",`
	}
	data += `]}
workspaces: {main: {admin_key: {env: INSTANTLY_ADMIN_KEY}}}
stores: {local: {kind: file, path: ./store}}
keys: [{name: sending, scopes: [campaigns:read], stores: [{store: local}]}]
`
	cfg, _, err := config.Parse("freeze.yaml", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return *cfg.Keys[0].Freeze
}

func TestAFreezeEndsWhenItSays(t *testing.T) {
	for _, c := range []struct{ windows, at, until string }{
		{"2026-12-20/2027-01-06", "2026-12-19T23:59:59", ""},
		{"2026-12-20/2027-01-06", "2026-12-20T00:00:00", "2027-01-07T00:00:00"},
		{"2026-12-20/2027-01-06", "2027-01-06T23:59:59", "2027-01-07T00:00:00"},
		{"2026-12-20/2027-01-06", "2027-12-25T00:00:00", ""},
		{"12-20/01-06", "2030-12-24T18:00:00", "2031-01-07T00:00:00"},
		{"12-20/01-06", "2031-01-03T18:00:00", "2031-01-07T00:00:00"},
		{"12-20/01-06", "2031-01-07T00:00:00", ""},
		{"11-23/11-30", "2026-11-30T10:00:00", "2026-12-01T00:00:00"},
		{"02-29/02-29", "2027-02-28T10:00:00", ""},
		{"Fri 16:00/Mon 08:00", "2026-11-20T15:59:00", ""},
		{"Fri 16:00/Mon 08:00", "2026-11-20T16:00:00", "2026-11-23T08:00:00"},
		{"Fri 16:00/Mon 08:00", "2026-11-23T07:59:59", "2026-11-23T08:00:00"},
		{"Fri 16:00/Mon 08:00", "2026-11-23T08:00:00", ""},
		{"friday 16:00/Friday 24:00", "2026-11-20T20:00:00", "2026-11-21T00:00:00"},
		// Over the night in which clocks go forward in Berlin (28 March 2027).
		{"Sat 12:00/Sun 12:00", "2027-03-28T01:30:00", "2027-03-28T12:00:00"},
	} {
		zone, _ := time.LoadLocation("Europe/Berlin")
		at, err := time.ParseInLocation("2006-01-02T15:04:05", c.at, zone)
		if err != nil {
			t.Fatal(err)
		}
		got := freezeOf(t, "Europe/Berlin", c.windows).FreezeWindowEnd(at)
		shown := ""
		if !got.IsZero() {
			shown = got.In(zone).Format("2006-01-02T15:04:05")
		}
		if shown != c.until {
			t.Errorf("%s at %s: until %q, want %q", c.windows, c.at, shown, c.until)
		}
	}
}

func TestWindowsThatTouchAreOneFreeze(t *testing.T) {
	f := freezeOf(t, "UTC", "Fri 16:00/Mon 08:00", "2026-11-23/2026-11-27")
	got := f.FreezeWindowEnd(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	if want := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("until %s, want %s", got, want)
	}
}
