package daemon_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// An epoch is a stretch in which one process ran one configuration.
type epoch struct {
	from time.Time
	zone string // of the schedules; empty while no process ran
}

// TestRestartsAndReloadsNeitherRotateNorSkip: two years in which the daemon is
// stopped, is down for minutes or weeks, is started and is reloaded with other
// time zones, all at random instants. Each quarter has one rotation, and each
// rotation is at its tick or, if that passed while no daemon ran or by the clock
// of another zone, at the instant at which the next one took over.
func TestRestartsAndReloadsNeitherRotateNorSkip(t *testing.T) {
	lives := 4
	if testing.Short() {
		lives = 1
	}
	for i := range lives {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("life ", i), func(t *testing.T) {
			t.Logf("seed %d", seed)
			synctest.Test(t, func(t *testing.T) { randomLife(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func randomLife(t *testing.T, random *rand.Rand) {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}
	w, names := newWorld(t), []string{"a", "b", "c"}
	configured := func(zone string) (wishes []wish) {
		for _, name := range names {
			wishes = append(wishes, scheduled(t, name, "0 3 1 */3 *", zone))
		}
		return wishes
	}
	zone := zones[0]
	epochs := []epoch{{time.Now(), zone}}
	p := w.start(w.fleet(configured(zone)...))
	end, stops, reloads := time.Now().Add(2*366*day), 0, 0
	for time.Now().Before(end) {
		time.Sleep(time.Duration(random.Int64N(int64(20 * day))))
		if random.IntN(3) == 0 {
			zone = zones[random.IntN(len(zones))]
		}
		if reloads++; random.IntN(2) == 0 {
			p.replace(w.fleet(configured(zone)...))
			epochs = append(epochs, epoch{time.Now(), zone})
			continue
		}
		stops++
		p.stop()
		epochs = append(epochs, epoch{time.Now(), ""})
		time.Sleep(time.Duration(random.Int64N(int64([]time.Duration{time.Minute, day, 40 * day}[random.IntN(3)]))))
		p = w.start(w.fleet(configured(zone)...))
		epochs = append(epochs, epoch{time.Now(), zone})
	}
	time.Sleep(day) // for what is left to be made up for
	p.stop()
	for _, name := range names {
		wantExplained(t, name, w.rotations(name), epochs)
	}
	t.Logf("%d stops and %d reloads; %s was rotated %d times", stops, reloads-stops, names[0], len(w.rotations(names[0])))
	w.wantServed()
}

// wantExplained wants each rotation where a tick was, or the first moment after it
// at which a process with that tick behind it ran; and one for each tick.
func wantExplained(t *testing.T, name string, got []time.Time, epochs []epoch) {
	t.Helper()
	for i, at := range got {
		e := epochs[0]
		for _, next := range epochs {
			if !next.from.After(at) {
				e = next
			}
		}
		tick := lastQuarter(at, e.zone)
		if at.Sub(tick) > slack && (e.from.Before(tick) || at.Sub(e.from) > slack) {
			t.Errorf("%s: rotated at %s, neither at its tick %s nor when the daemon of %s took over", name, at, tick, e.from)
		}
		if i > 0 && at.Sub(got[i-1]) < 30*day {
			t.Errorf("%s: rotated at %s and again at %s", name, got[i-1], at)
		}
	}
	begun, last := epochs[0].from, time.Now()
	for quarter := time.Date(begun.Year(), 4, 1, 0, 0, 0, 0, time.UTC); quarter.Before(last.Add(-2 * day)); quarter = quarter.AddDate(0, 3, 0) {
		until := quarter.AddDate(0, 3, -1)
		n := 0
		for _, at := range got {
			if at.After(quarter.AddDate(0, 0, -1)) && at.Before(until) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s: %d rotations for the tick of %s: %v", name, n, quarter.Format(time.DateOnly), got)
		}
	}
}

// lastQuarter gives the last first of a quarter at 3:00 before at, or then.
func lastQuarter(at time.Time, zone string) time.Time {
	location, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	local := at.In(location)
	tick := time.Date(local.Year(), (local.Month()-1)/3*3+1, 1, 3, 0, 0, 0, location)
	if tick.After(at) {
		tick = time.Date(tick.Year(), tick.Month()-3, 1, 3, 0, 0, 0, location)
	}
	return tick
}

// TestMissedTicksAreCaughtUpOnce: down for half a year, over two ticks.
func TestMissedTicksAreCaughtUpOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, sending := newWorld(t), scheduled(t, "sending", "@quarterly", "Europe/Berlin")
		p := w.start(w.fleet(sending))
		time.Sleep(day)
		p.stop()
		time.Sleep(200 * day)
		p, up := w.start(w.fleet(sending)), time.Now()
		time.Sleep(2 * day)
		p.stop()
		if got := w.rotations("sending"); len(got) != 1 || got[0].Sub(up) > slack {
			t.Errorf("rotated at %v, want once, at the start on %s", got, up)
		}
		w.wantServed()
	})
}

// TestFreezeMovesRotationsToItsEnd, over the turn of the year; and a restart in
// the freeze changes nothing about it.
func TestFreezeMovesRotationsToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, sending := newWorld(t), scheduled(t, "sending", "0 3 1 */3 *", "Europe/Berlin")
		cfg, _, err := config.Parse("config.yaml", []byte(`
workspaces: {main: {admin_key: {env: ADMIN}}}
stores: {local: {kind: file, path: ./store}}
keys: [{name: k, scopes: [campaigns:read], stores: [{store: local}], timezone: Europe/Berlin, freeze: ["12-20/01-06"]}]
`))
		if err != nil {
			t.Fatal(err)
		}
		sending.policy.Freeze = *cfg.Keys[0].Freeze
		time.Sleep(30 * day) // out of the freeze that the clock begins in
		p := w.start(w.fleet(sending))
		time.Sleep(time.Until(time.Date(2001, 1, 3, 0, 0, 0, 0, time.UTC)))
		p.stop()
		p = w.start(w.fleet(sending))
		time.Sleep(30 * day)
		p.stop()
		berlin, _ := time.LoadLocation("Europe/Berlin")
		var want []time.Time
		for _, month := range []time.Month{4, 7, 10} {
			want = append(want, time.Date(2000, month, 1, 3, 0, 0, 0, berlin))
		}
		want = append(want, time.Date(2001, 1, 7, 0, 0, 0, 0, berlin))
		wantRotatedAt(t, w.rotations("sending"), want)
	})
}

func wantRotatedAt(t *testing.T, got, want []time.Time) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(g, w time.Time) bool { late := g.Sub(w); return late >= 0 && late <= slack }) {
		t.Errorf("rotated at %v, want %v", got, want)
	}
}

// TestRelatedKeysAreKeptApart: five keys of one group with one schedule rotate
// one after the other, and none is left out. Restarts do not bring them closer.
func TestRelatedKeysAreKeptApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, random := newWorld(t), rand.New(rand.NewPCG(1, 0))
		const apart = 2 * hour
		var wishes []wish
		for i := range 5 {
			k := scheduled(t, fmt.Sprint("key-", i), "0 3 1 * *", "UTC")
			k.policy.Apart, k.group = apart, "crm"
			wishes = append(wishes, k)
		}
		p := w.start(w.fleet(wishes...))
		time.Sleep(20 * day)
		for range 60 {
			time.Sleep(time.Duration(random.Int64N(int64(30 * hour))))
			p.stop()
			p = w.start(w.fleet(wishes...))
		}
		time.Sleep(7 * day)
		p.stop()
		var all []time.Time
		months := map[string]int{}
		for _, k := range wishes {
			for _, at := range w.rotations(k.name) {
				all = append(all, at)
				months[k.name+at.Format(" 2006-01")]++
			}
		}
		slices.SortFunc(all, time.Time.Compare)
		for i := 1; i < len(all); i++ {
			if gap := all[i].Sub(all[i-1]); gap < apart {
				t.Errorf("rotated at %s and %s, %s apart", all[i-1], all[i], gap)
			}
		}
		for _, k := range wishes {
			for at := time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC); at.Before(time.Now().Add(-day)); at = at.AddDate(0, 1, 0) {
				if n := months[k.name+at.Format(" 2006-01")]; n != 1 {
					t.Errorf("%s: %d rotations in %s", k.name, n, at.Format("2006-01"))
				}
			}
		}
		t.Logf("%d rotations, none of them closer than %s", len(all), apart)
	})
}

// TestJitterIsTheTargetsOwn: each target has its delay after every tick, on every
// instance the same.
func TestJitterIsTheTargetsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var wishes []wish
		for i := range 10 {
			k := scheduled(t, fmt.Sprint("key-", i), "0 3 1 * *", "UTC")
			k.policy.Jitter = 6 * hour
			wishes = append(wishes, k)
		}
		for range 6 {
			p := w.start(w.fleet(wishes...))
			time.Sleep(31 * day)
			p.stop()
		}
		delays := map[time.Duration]bool{}
		for _, k := range wishes {
			first := time.Duration(-1)
			for _, at := range w.rotations(k.name) {
				delay := at.Sub(time.Date(at.Year(), at.Month(), 1, 3, 0, 0, 0, time.UTC)).Truncate(time.Second)
				if first < 0 {
					first = delay
				}
				if delay != first || delay < 0 || delay >= 6*hour {
					t.Errorf("%s: rotated %s after its tick, before %s after it", k.name, delay, first)
				}
			}
			delays[first] = true
		}
		if len(delays) < len(wishes)-1 {
			t.Errorf("%d keys have only %d delays", len(wishes), len(delays))
		}
	})
}

// TestBackoffIsKeptOverRestarts: a key that can never be created is tried 1 min,
// 2 min, 4 min … 6 h after the last time, however often the daemon is restarted.
// The others are rotated at their ticks meanwhile.
func TestBackoffIsKeptOverRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, random := newWorld(t), rand.New(rand.NewPCG(2, 0))
		broken, sound := scheduled(t, "broken", "0 3 * * *", "UTC"), scheduled(t, "sound", "30 * * * *", "UTC")
		sound.policy.Grace = 10 * time.Minute
		p := w.start(w.fleet(broken, sound))
		time.Sleep(time.Until(time.Date(2000, 1, 2, 2, 50, 0, 0, time.UTC)))
		p.stop()
		w.intercept = func(_, key string) error {
			if strings.Contains(key, "broken") {
				return instantly.ErrBadRequest
			}
			return nil
		}
		begun := time.Now()
		for time.Since(begun) < 2*day {
			p = w.start(w.fleet(broken, sound))
			time.Sleep(time.Duration(random.Int64N(int64(20 * time.Minute))))
			p.stop()
		}
		var tried []time.Time
		for _, a := range w.created {
			if a.at.After(begun) && strings.Contains(a.key, "broken") {
				tried = append(tried, a.at)
			}
		}
		for i := 1; i < len(tried); i++ {
			least := min(time.Minute<<(i-1), 6*hour)
			if gap := tried[i].Sub(tried[i-1]); gap < least {
				t.Errorf("attempt %d came %s after the one before, want at least %s", i+1, gap, least)
			}
		}
		if n := len(tried); n < 8 || n > 16 {
			t.Errorf("%d attempts in two days: %v", n, tried)
		}
		if n := len(w.rotations("sound")); n < 45 {
			t.Errorf("the sound key was rotated %d times in two days, want 48", n)
		}
		t.Logf("%d attempts in two days: %v", len(tried), tried)
	})
}
