//go:build linux && amd64

package crash

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// scenesOfAnAdoption is that of a key that somebody made by hand, and put into both stores:
// it is taken over, and then rotated like any other.
func scenesOfAnAdoption() []scene {
	adopt := []string{"adopt", "sending"}
	return []scene{{
		name: "adoption", args: adopt, born: (*world).madeByHand, row: "adoption", kinds: fewKinds(), chosen: withEffect,
		meets: func(_ call, col column) bool { return col.name == "killed after" },
		after: func(w *world) {
			was := w.judge.given()
			w.repeat(dueNow()...) // a run goes by, and finishes it or leaves it
			w.repeat(adopt...)
			if now := w.judge.given(); now != was {
				w.Errorf("consumers read another value for an adoption")
			}
			w.repeat(rotation()...) // in the grace period of what the put has left, where that is not known to be the same
		},
	}}
}

// madeByHand puts a key into both stores that a person has made.
func (w *world) madeByHand() {
	w.Helper()
	k, err := w.box.AddKey(w.space.ID, "our sending key", "campaigns:read")
	if err != nil {
		w.Fatal(err)
	}
	w.judge.prove(k.Value.Reveal()) // that person did
	for _, p := range places() {
		if err := w.site.Service.(storetest.Hands).Put(w.Context(), p, k.Value.Reveal()); err != nil {
			w.Fatal(err)
		}
	}
	w.byHand = w.remains()
	w.judge.check("a person's put")
}

// repeat runs the binary until it ends well, as a person does who types it again.
func (w *world) repeat(args ...string) {
	w.Helper()
	const tries = 8
	pause := 50 * time.Millisecond
	for tried := 1; w.run(args...) != 0; tried++ {
		if tried == tries {
			w.Fatalf("%v does not end well: %s", args, w.runs[len(w.runs)-1].text())
		}
		time.Sleep(pause)
		pause *= 2
	}
}
