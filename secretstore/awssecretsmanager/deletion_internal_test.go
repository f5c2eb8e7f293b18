package awssecretsmanager

import (
	"testing"
	"time"
)

// A secret "scheduled for deletion since" a date that is to come reads like a mistake.
func TestDeletionIsToldAsOfItsDate(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"it will be deleted on 2026-12-04":                                       now.Add(7 * 24 * time.Hour),
		"it was deleted on 2026-11-20 and is gone when its recovery window ends": now.Add(-7 * 24 * time.Hour),
	} {
		if got := deletion(at, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
