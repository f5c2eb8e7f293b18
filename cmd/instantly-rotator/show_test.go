package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
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
		if got := span(d); got != want {
			t.Errorf("span(%s) is %q, want %q", d, got, want)
		}
	}
}

func TestUntilLooksBothWays(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"in 2h": now.Add(2 * time.Hour), "in 0s": now, "5m ago": now.Add(-5 * time.Minute),
	} {
		if got := until(at, now); got != want {
			t.Errorf("until %s is %q, want %q", at, got, want)
		}
	}
}

func TestStampIsInUTC(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 30, 0, 0, time.FixedZone("east", 2*60*60))
	if got := stamp(at); got != "2025-12-31 22:30Z" {
		t.Errorf("stamp is %q", got)
	}
}

func TestShortIDKeepsWhatTellsKeysApart(t *testing.T) {
	for id, want := range map[string]string{
		"":                                     "-",
		"short":                                "short",
		"thirteenchars":                        "thirteenchars",
		"01a2003d-6220-704f-bfa3-602ff22b657a": "01a2003d…657a",
		"01a2003d-6220-704f-bfa3-602ff22b657b": "01a2003d…657b",
	} {
		if got := shortID(id); got != want {
			t.Errorf("shortID(%q) is %q, want %q", id, got, want)
		}
	}
}

func TestCountsReadAsPeopleSayThem(t *testing.T) {
	for got, want := range map[string]string{
		count(0, "key"): "0 keys", count(1, "key"): "1 key", count(2, "store"): "2 stores",
		times(1): "once", times(2): "2 times",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestUnknownTimesAreLeftOut(t *testing.T) {
	if optional(time.Time{}) != nil {
		t.Error("the zero time is shown")
	}
	if at := optional(time.Date(2026, 1, 1, 1, 0, 0, 0, time.FixedZone("east", 3600))); at == nil || at.Location() != time.UTC {
		t.Errorf("shown as %v, want it in UTC", at)
	}
}

func TestStatusAndPlanTellWhatAStoreAdvises(t *testing.T) {
	o := rotator.Outlook{Target: "sending", Stores: []rotator.StoreState{
		{Name: "local"}, {Name: "aws", Snapshot: secretstore.Snapshot{Advice: []string{"look at version 1"}}},
	}}
	var out strings.Builder
	a := &app{stdout: &out, now: time.Now}
	a.planTable([]plannedStep{planned(o)}, 0)
	if !strings.Contains(out.String(), "sending: store aws: look at version 1\n") {
		t.Errorf("plan says\n%s", out.String())
	}
	if hints := a.hintsOf(o); !slices.Contains(hints, "store aws: look at version 1") {
		t.Errorf("status says %q", hints)
	}
}
