package daemon

import "time"

// maxDrift is by how much the clock may differ from the time that passed: it is
// steered, a little at a time.
const maxDrift = 10 * time.Second

// A clockWatch notices that the machine's clock was set, or stood still while the
// machine slept. Instants that were reckoned with before are then worth nothing: some
// are by the clock and some by the time that passed, and they no longer compare.
type clockWatch struct {
	began, shown time.Time
}

// wasSet tells whether the clock, which shows that time now, was set since it was
// last asked so. now has Go's monotonic reading, which no setting of the clock moves.
func (w *clockWatch) wasSet(now, shows time.Time) bool {
	shows = shows.Round(0) // the clock alone
	if w.began.IsZero() {
		w.began, w.shown = now, shows
		return false
	}
	drift := shows.Sub(w.shown) - now.Sub(w.began)
	if drift.Abs() <= maxDrift {
		return false
	}
	w.began, w.shown = now, shows
	return true
}
