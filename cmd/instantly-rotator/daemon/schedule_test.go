package daemon_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// A clock on a wall shows days and times of day; wallTicks finds, without the
// schedule's own code, when it shows one on the days that match: twice where
// daylight saving ends, never where it begins.
func wallTicks(zone string, year int, matches func(day time.Time) bool, hour, minute int) (perDay map[string][]time.Time) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	perDay = map[string][]time.Time{}
	end := time.Date(year+1, 1, 1, 0, 0, 0, 0, location)
	for at := time.Date(year, 1, 1, 0, 0, 0, 0, location); at.Before(end); at = at.Add(15 * time.Minute) {
		local := at.In(location)
		if !matches(local) {
			continue
		}
		date := local.Format(time.DateOnly)
		perDay[date] = append(perDay[date], nil...)
		if local.Hour() == hour && local.Minute() == minute {
			perDay[date] = append(perDay[date], at)
		}
	}
	return perDay
}

func quarterDay(t time.Time) bool { return t.Day() == 1 && t.Month()%3 == 1 }

func sunday(t time.Time) bool { return t.Weekday() == time.Sunday }

// TestEveryTickOfTwoYearsRotatesOnce: quarterly, and on the Sunday nights on
// which clocks are changed, where a local time comes twice or not at all.
func TestEveryTickOfTwoYearsRotatesOnce(t *testing.T) {
	stories := []struct {
		zone, spec   string
		days         func(time.Time) bool
		hour, minute int
	}{
		{"Europe/Berlin", "0 3 1 */3 *", quarterDay, 3, 0},
		{"America/New_York", "0 3 1 */3 *", quarterDay, 3, 0},
		{"Australia/Lord_Howe", "0 3 1 */3 *", quarterDay, 3, 0},
		{"Europe/Berlin", "30 2 * * 0", sunday, 2, 30},
		{"America/New_York", "30 1 * * 0", sunday, 1, 30},
		{"America/New_York", "30 2 * * 0", sunday, 2, 30},
		{"Australia/Lord_Howe", "15 2 * * 0", sunday, 2, 15},
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var wishes []wish
		for i, s := range stories {
			wishes = append(wishes, scheduled(t, fmt.Sprint("key-", i), s.spec, s.zone))
		}
		p := w.start(w.fleet(wishes...))
		begun := time.Now()
		time.Sleep(2 * 366 * day)
		p.stop()
		for i, s := range stories {
			got := map[string][]time.Time{}
			location, _ := time.LoadLocation(s.zone)
			for _, at := range w.rotations(wishes[i].name) {
				date := at.In(location).Format(time.DateOnly)
				got[date] = append(got[date], at)
			}
			seen := 0
			for year := begun.Year(); year <= begun.Year()+1; year++ {
				for date, ticks := range wallTicks(s.zone, year, s.days, s.hour, s.minute) {
					if begun.In(location).AddDate(0, 0, 2).Format(time.DateOnly) > date {
						continue // its first key is of that day
					}
					seen++
					wantOneAt(t, fmt.Sprintf("%s %s on %s", s.spec, s.zone, date), got[date], ticks)
					delete(got, date)
				}
			}
			for date, at := range got {
				if date < "2002" {
					t.Errorf("%s %s: rotated on %s, which is no tick: %v", s.spec, s.zone, date, at)
				}
			}
			t.Logf("%-22s %-12s %3d ticks, each one rotation", s.zone, s.spec, seen)
		}
		w.wantServed()
	})
}

// wantOneAt wants one rotation on a day, at one of the instants at which the clock
// showed the time; if it never did, at an hour from where it would have been.
func wantOneAt(t *testing.T, tick string, got, ticks []time.Time) {
	t.Helper()
	if len(got) != 1 {
		t.Errorf("%s: rotated %d times: %v", tick, len(got), got)
		return
	}
	for _, at := range ticks {
		if late := got[0].Sub(at); late >= 0 && late <= slack {
			return
		}
	}
	if len(ticks) > 0 {
		t.Errorf("%s: rotated at %s, the ticks are %v", tick, got[0], ticks)
	}
}
