package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// crowd is how many writers or readers act at once.
const crowd = 8

func crowdClaims() []claim {
	return []claim{
		{"Of many annotates at once exactly one wins", checkManyAnnotate},
		{"Of many stages at once exactly one wins", checkManyStage},
		{"Of many promotes at once exactly one wins", checkManyPromote},
		{"Of many destroys at once exactly one wins", checkManyDestroy},
		{"Readers of current always find a value", checkReadersAlwaysFind},
	}
}

func checkManyAnnotate(tr *trial) {
	won := tr.race(func(n int) write { return annotateWith(fmt.Sprintf("writer %d", n)) })
	if got, want := tr.describe().Notes.Failure.Reason, fmt.Sprintf("writer %d", won); got != want {
		tr.Errorf("the notes are those of %q, but %q won", got, want)
	}
}

func checkManyStage(tr *trial) {
	won := tr.race(func(n int) write { return stageOf(numbered(n)) })
	tr.wantHeld(numbered(won), "", "")
	for n := range crowd {
		if n == won {
			tr.wantValue(numbered(n), valueOf(numbered(n)))
		} else {
			tr.wantNoValue(numbered(n))
		}
	}
}

func checkManyPromote(tr *trial) {
	tr.rotate(idA)
	tr.stage(idB)
	at := func(n int) time.Time { return promotedAt().Add(time.Duration(n) * time.Hour) }
	won := tr.race(func(n int) write { return promoteOf(idB, at(n)) })
	tr.wantHeld("", idB, idA)
	if got := tr.describe().Versions[secretstore.Current].Promoted; !got.Truncate(time.Second).Equal(at(won)) {
		tr.Errorf("Promoted is %v, but the winner said %v", got, at(won))
	}
}

func checkManyDestroy(tr *trial) {
	tr.rotate(idA, idB)
	tr.race(func(int) write { return destroyOf(idA) })
	tr.wantHeld("", idB, "")
}

// race has a crowd of writers, each with its own handle, write at once on one
// snapshot, and gives the number of the one that won.
func (tr *trial) race(writer func(n int) write) int {
	tr.Helper()
	seen := tr.describe()
	errs := make([]error, crowd)
	start := make(chan struct{})
	var done sync.WaitGroup
	for n := range crowd {
		w, store := writer(n), tr.secret.Open(tr.T)
		done.Go(func() {
			<-start
			_, errs[n] = w.call(tr, store, seen)
		})
	}
	close(start)
	done.Wait()
	winner, winners := 0, 0
	for n, err := range errs {
		if err == nil {
			winner = n
			winners++
			continue
		}
		tr.wantError(err, secretstore.ErrConflict)
	}
	if winners != 1 {
		tr.Fatalf("%d of %d writers on one snapshot won", winners, crowd)
	}
	return winner
}

func checkReadersAlwaysFind(tr *trial) {
	tr.rotate(idA)
	tr.stage(idB)
	stop := make(chan struct{})
	found := make(chan error, crowd)
	var reading sync.WaitGroup
	for range crowd {
		store := tr.secret.Open(tr.T)
		reading.Add(1)
		go func() {
			first := tr.readCurrent(store)
			reading.Done()
			found <- errors.Join(first, tr.readUntil(stop, store))
		}()
	}
	reading.Wait()
	tr.promote(idB)
	tr.destroy(idA)
	tr.stage(idC)
	close(stop)
	for range crowd {
		if err := <-found; err != nil {
			tr.Error(err)
		}
	}
}

// readUntil reads the current version again and again and reports the first
// time that something is wrong.
func (tr *trial) readUntil(stop <-chan struct{}, store secretstore.Store) error {
	for {
		if err := tr.readCurrent(store); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		default:
		}
	}
}

// readCurrent reads as an application does, in two calls, and wants the value
// that belongs to the version. That A is destroyed between the two is fair: a
// consumer then reads again.
func (tr *trial) readCurrent(store secretstore.Store) error {
	snap, err := store.Describe(tr.Context())
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	current, ok := snap.Versions[secretstore.Current]
	if !ok {
		return errors.New("there was no current version")
	}
	value, err := store.Read(tr.Context(), current.ID)
	if errors.Is(err, secretstore.ErrNotFound) && current.ID == idA {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read current version %s: %w", current.ID, err)
	}
	if !value.Equal(valueOf(current.ID)) {
		return fmt.Errorf("current version %s had another value", current.ID)
	}
	return nil
}

func numbered(n int) string { return fmt.Sprintf("0193a7c2-5a10-7c3e-9b1f-%012d", n) }
