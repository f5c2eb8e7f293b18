package azurekeyvault_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

// TestTwoWritersAtEachPairOfSteps has one writer make a step after the read of another, for
// each two steps: the later one finds that it is late.
func TestTwoWritersAtEachPairOfSteps(t *testing.T) {
	for n := range rotation() {
		for _, late := range append(rotation(), steps.Promoting("c"), steps.Staging("d")) {
			w := newWorld()
			one, two := w.open(t), w.open(t)
			steps.Must(t, one, rotation()[:n]...)
			stale := steps.Describe(t, two)
			steps.Must(t, one, rotation()[n])
			want := steps.Describe(t, one)
			_, err := late.Call(t.Context(), two, stale)
			if err == nil {
				t.Errorf("%s after a concurrent %s succeeded", late.Name, rotation()[n].Name)
			}
			if got := steps.Describe(t, two); got.Revision != want.Revision {
				t.Errorf("%s after a concurrent %s: the secret is %s", late.Name, rotation()[n].Name, steps.Held(got))
			}
		}
	}
}

// before has somebody else act when a call is on its way that the test chooses.
func (w *world) before(chosen func(*http.Request) bool, act func()) {
	w.hook = func(r *http.Request, after bool) error {
		if !after && chosen(r) {
			w.hook = nil
			act()
		}
		return nil
	}
}

func (w *world) isSetOfValue(r *http.Request) bool {
	return r.Method == http.MethodPut && !strings.Contains(r.URL.Path, w.state())
}

// TestAPromotionThatComesLateGivesWay: a writer is held up between its read and its set while
// another one delivers a newer key and the old one is revoked. What it has put on top by
// then, a dead key, goes again.
func TestAPromotionThatComesLateGivesWay(t *testing.T) {
	w := newWorld()
	late := w.open(t)
	steps.Must(t, late, steps.Staging("a"), steps.Promoting("a"), steps.Staging("b"))
	seen := steps.Describe(t, late)
	w.before(w.isSetOfValue, func() {
		steps.Must(t, w.open(t), steps.Promoting("b"), steps.Staging("c"), steps.Destroying("a"), steps.Promoting("c"), steps.Destroying("b"))
	})
	_, err := steps.Promoting("b").Call(t.Context(), late, seen)
	steps.WantError(t, err, secretstore.ErrConflict)
	if got := w.server.Served(w.secret); got != "value-of-c" {
		t.Errorf("consumers read %s", got)
	}
	steps.WantHeld(t, w.open(t), "/c/")
}

// TestAPromotionThatComesLateAndDiesIsSeen is the window that there is: nobody lives who
// would give way. The next read shows a value of unknown origin, so that nothing is revoked
// and the primary's key is brought again.
func TestAPromotionThatComesLateAndDiesIsSeen(t *testing.T) {
	w := newWorld()
	late := w.open(t)
	steps.Must(t, late, steps.Staging("a"), steps.Promoting("a"), steps.Staging("b"))
	seen := steps.Describe(t, late)
	w.before(w.isSetOfValue, func() {
		steps.Must(t, w.open(t), steps.Promoting("b"), steps.Staging("c"), steps.Destroying("a"), steps.Promoting("c"), steps.Destroying("b"))
		w.hook = func(*http.Request, bool) error { return errLost } // it dies with the set on its way
	})
	if _, err := steps.Promoting("b").Call(t.Context(), late, seen); err == nil {
		t.Error("a promotion by a dead process succeeded")
	}
	w.hook = nil
	steps.WantHeld(t, w.open(t), "/?/c")
	steps.Must(t, w.open(t), steps.Destroying("c"), steps.Staging("d"), steps.Promoting("d"))
	steps.WantHeld(t, w.open(t), "/d/?")
}

// TestTwoDeliveriesOfOneKeyDoNoHarm: two instances bring the primary's key at once.
func TestTwoDeliveriesOfOneKeyDoNoHarm(t *testing.T) {
	for _, step := range []steps.Write{steps.Staging("b"), steps.Promoting("b")} {
		w := newWorld()
		one := w.open(t)
		steps.Must(t, one, steps.Staging("a"), steps.Promoting("a"))
		if step.Name == "promote b" {
			steps.Must(t, one, steps.Staging("b"))
		}
		seen := steps.Describe(t, one)
		w.before(func(r *http.Request) bool { return r.Method == http.MethodPut }, func() { steps.Must(t, w.open(t), step) })
		if _, err := step.Call(t.Context(), one, seen); err != nil {
			steps.WantError(t, err, secretstore.ErrConflict)
		}
		steps.Must(t, w.open(t), steps.Promoting("b"))
		steps.WantHeld(t, w.open(t), "/b/a")
		if got := w.server.Served(w.secret); got != "value-of-b" {
			t.Errorf("%s twice: consumers read %s", step.Name, got)
		}
	}
}

// TestAWriteThatSleptIsNotSent: the machine stood still between the read and the write.
func TestAWriteThatSleptIsNotSent(t *testing.T) {
	for _, step := range []steps.Write{steps.Staging("b"), steps.Promoting("a")} {
		w := newWorld()
		now := time.Now()
		s := w.open(t, func(o *azurekeyvault.Options) { o.Now = func() time.Time { return now } })
		steps.Must(t, s, steps.Staging("a"))
		seen, sent := steps.Describe(t, s), 0
		w.hook = func(r *http.Request, after bool) error {
			if r.Method == http.MethodPut {
				sent++
			}
			if after { // a read
				now = now.Add(11 * time.Second)
			}
			return nil
		}
		_, err := step.Call(t.Context(), s, seen)
		steps.WantError(t, err, secretstore.ErrUnavailable, "too much time went by")
		if sent > 0 {
			t.Errorf("%s was sent", step.Name)
		}
	}
}

// TestABusyVaultIsNotAskedTwiceToWrite is about the SDK's own retries: each set that arrives
// is a version more.
func TestABusyVaultIsNotAskedTwiceToWrite(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	seen, sent := steps.Describe(t, s), 0
	w.hook = func(r *http.Request, after bool) error {
		if r.Method == http.MethodPut && after {
			sent++
			return errLost
		}
		return nil
	}
	_, err := steps.Staging("a").Call(t.Context(), s, seen)
	steps.WantError(t, err, secretstore.ErrUnavailable)
	if n := len(w.server.Versions(w.state())); sent != 1 || n != 1 {
		t.Errorf("sent %d times, %d versions", sent, n)
	}
	w.hook = nil
	steps.WantHeld(t, s, "a//")
	steps.Must(t, s, steps.Annotating("tired"))
}
