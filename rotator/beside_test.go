package rotator_test

import (
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

// besides starts an instance that reads side by side, as daemons and commands do.
func besides(w *world) *instance {
	in := &instance{w.StartWith(rotator.Options{Trail: &told{}})} // judged by no ledger: the next one writes none
	in.Rotator = rotator.New(rotator.Options{})
	return in
}

// Who is the first to be answered waits here for the others: read one after the
// other, nobody would ever go on.
func TestARotationThatWasAskedForReadsSideBySide(t *testing.T) {
	story(t, 2, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(time.Hour)
		var all sync.WaitGroup
		all.Add(3)
		var mu sync.Mutex
		waited := map[string]bool{}
		in := besides(w)
		in.Hook = func(op string, when rotatortest.When) error {
			mu.Lock()
			first := when == rotatortest.Before && (op == "keys" || op == "check" || op == "describe@1") && !waited[op]
			if first {
				waited[op] = true
				all.Done()
			}
			mu.Unlock()
			if first {
				all.Wait()
			}
			return nil
		}
		if res := mustSettle(t, in.Run(rotator.Request{RotateSince: time.Now()})); !res.Rotated {
			t.Error("not rotated")
		}
		w.Settle()
	})
}

// Another instance makes a key after this one read the store, and before it
// listed the keys: nothing that was seen refers to the key, and yet it is about to
// be stored.
func TestAKeyIsNotSweptOnAReadingMadeBesideTheList(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		mustSettle(t, w.Start().Run(rotator.Request{}))
		time.Sleep(due)
		read := make(chan struct{})
		var once sync.Once
		var theirs rotator.Result
		other, stored := w.leasing("other"), make(chan struct{})
		in, issued := besides(w), make(chan struct{})
		other.Hook = func(op string, when rotatortest.When) error {
			if op == "create" && when == rotatortest.After {
				close(issued)
				time.Sleep(time.Minute) // the key is in its hand
			}
			return nil
		}
		in.Hook = func(op string, when rotatortest.When) error {
			switch {
			case op == "describe@0" && when == rotatortest.After:
				once.Do(func() { close(read) })
			case op == "keys" && when == rotatortest.Before:
				<-read
				select {
				case <-issued:
				default:
					go func() {
						defer close(stored)
						theirs = other.Run(rotator.Request{})
					}()
					<-issued
				}
			}
			return nil
		}
		res := in.Run(rotator.Request{RotateSince: time.Now()})
		<-stored
		if len(res.Swept) > 0 {
			t.Errorf("swept %v, which another instance has in hand", res.Swept)
		}
		if !theirs.Rotated {
			t.Errorf("the other instance did not rotate: %v", theirs.Err)
		}
		w.Settle()
	})
}
