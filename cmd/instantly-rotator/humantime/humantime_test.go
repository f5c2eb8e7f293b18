package humantime_test

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

func TestSpanHasTheTwoLargestUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                              "0s",
		999 * time.Millisecond:         "0s",
		time.Second:                    "1s",
		59*time.Second + 999:           "59s",
		61 * time.Second:               "1m1s",
		time.Hour:                      "1h",
		time.Hour + time.Second:        "1h",
		25*time.Hour + 59*time.Second:  "1d1h",
		40*24*time.Hour + 4*time.Hour:  "40d4h",
		24*time.Hour + 30*time.Minute:  "1d",
		400*24*time.Hour + time.Minute: "400d",
	} {
		if got := humantime.Span(d); got != want {
			t.Errorf("Span(%s) is %q, want %q", d, got, want)
		}
	}
}

func TestUntilLooksBothWays(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"in 2h": now.Add(2 * time.Hour), "in 0s": now, "5m ago": now.Add(-5 * time.Minute),
	} {
		if got := humantime.Until(at, now); got != want {
			t.Errorf("until %s is %q, want %q", at, got, want)
		}
	}
}

func TestStampIsInUTC(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 30, 0, 0, time.FixedZone("east", 2*60*60))
	if got := humantime.Stamp(at); got != "2025-12-31 22:30Z" {
		t.Errorf("stamp is %q", got)
	}
}

func TestCountsReadAsPeopleSayThem(t *testing.T) {
	for got, want := range map[string]string{
		humantime.Count(0, "key"): "0 keys", humantime.Count(1, "key"): "1 key", humantime.Count(2, "store"): "2 stores",
		humantime.Times(1): "once", humantime.Times(2): "2 times",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestUnknownTimesAreLeftOut(t *testing.T) {
	if humantime.Optional(time.Time{}) != nil {
		t.Error("the zero time is shown")
	}
	if at := humantime.Optional(time.Date(2026, 1, 1, 1, 0, 0, 0, time.FixedZone("east", 3600))); at == nil || at.Location() != time.UTC {
		t.Errorf("shown as %v, want it in UTC", at)
	}
}
