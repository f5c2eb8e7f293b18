package gcpsecretmanager_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

func wantVersions(t testing.TB, server *gcptest.Server, want int) {
	t.Helper()
	if got := len(server.Versions(id)); got != want {
		t.Errorf("the secret has %d versions, want %d", got, want)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want one that wraps %q", err, want)
	}
}

func TestAddWhoseAnswerIsLostIsFoundOut(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	inject(server, "AddSecretVersion", 1, gcptest.LostAnswer)
	must(t, s, staging("a"))
	wantVersions(t, server, 1)
	must(t, s, promoting("a"))
	wantServed(t, server, "a")
}

func TestAddThatNeverArrivedChangesNothing(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	seen := must(t, s, staging("a"), promoting("a"), reserving("b"))
	inject(server, "AddSecretVersion", 1, gcptest.LostRequest)
	_, err := staging("b").call(t, s, seen)
	wantError(t, err, secretstore.ErrUnavailable)
	wantHeld(t, s, "/a/")
	if got := describe(t, s).Notes.Intent.Nonce; got != "nonce-b" {
		t.Errorf("the intent is %q: nothing would refer to the key if it arrives yet", got)
	}
	must(t, s, staging("b"), promoting("b"))
	wantVersions(t, server, 2)
	wantServed(t, server, "b")
}

func TestAddThatArrivesLateIsFoundByItsAnnouncement(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	seen := must(t, s, staging("a"), promoting("a"), reserving("b"))
	inject(server, "AddSecretVersion", 1, gcptest.Late)
	_, err := staging("b").call(t, s, seen)
	wantError(t, err, secretstore.ErrUnavailable)
	server.Arrive()
	other := open(t, server)
	wantHeld(t, other, "b/a/")
	must(t, other, promoting("b"))
	wantHeld(t, other, "/b/a")
	wantVersions(t, server, 2)
	wantServed(t, server, "b")
}

func TestAddThatArrivesAfterItsRepetitionIsTheSameVersion(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	seen := must(t, s, staging("a"), promoting("a"), reserving("b"))
	inject(server, "AddSecretVersion", 1, gcptest.Late)
	_, err := staging("b").call(t, s, seen)
	wantError(t, err, secretstore.ErrUnavailable)
	must(t, s, staging("b"))
	server.Arrive()
	wantHeld(t, s, "b/a/")
	must(t, s, promoting("b"), destroying("a"), staging("c"), promoting("c"), destroying("b"))
	for _, v := range server.Versions(id)[:3] {
		if v.Value != "" {
			t.Errorf("version %d was forgotten but still has its value", v.Number)
		}
	}
	wantServed(t, server, "c")
}

func TestTheFirstKeyGivenUpAndNotYetDestroyedIsSaidToBeThere(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	seen := must(t, s, staging("a"))
	inject(server, "DestroySecretVersion", 1, gcptest.LostRequest)
	_, err := destroying("a").call(t, s, seen)
	wantError(t, err, secretstore.ErrUnavailable)
	if got := server.Served(id, "latest"); got != valueOf("a").Reveal() {
		t.Fatalf("latest serves %q: nothing is left to be told", got)
	}
	if !describe(t, open(t, server)).Unfinished {
		t.Error("readers of the latest version get a key that is given up, and the snapshot does not say so")
	}
	must(t, s, annotating("x"))
	if describe(t, s).Unfinished || server.Served(id, "latest") != "" {
		t.Error("the next write did not finish it")
	}
}

// TestUpdateFailingAtEachCallOfEachWrite makes a write, loses one of its
// UpdateSecret calls or its answer, and makes the write again.
func TestUpdateFailingAtEachCallOfEachWrite(t *testing.T) {
	past := []write{staging("a"), promoting("a"), staging("b"), promoting("b"), staging("c")}
	for _, w := range []write{annotating("x"), staging("d"), promoting("c"), destroying("c"), destroying("a")} {
		for nth := 1; nth <= 2; nth++ {
			for _, fault := range []gcptest.Fault{gcptest.LostRequest, gcptest.LostAnswer} {
				server := newServer(t)
				s := open(t, server)
				seen := must(t, s, past...)
				undisturbed := len(methods(server, func() {}))
				inject(server, "UpdateSecret", nth, fault)
				_, err := w.call(t, s, seen)
				if err == nil && nth == 1 {
					t.Errorf("%s: an UpdateSecret without an answer went unnoticed", w.name)
				}
				server.Before = nil
				again, err := w.call(t, s, describe(t, s))
				if err != nil && !errors.Is(err, secretstore.ErrNotFound) && !errors.Is(err, secretstore.ErrConflict) {
					t.Errorf("%s, made again: %v", w.name, err)
				}
				if latest := server.Served(id, "latest"); latest == "" || w.name == "destroy c" && latest != valueOf("b").Reveal() {
					t.Errorf("%s failing at UpdateSecret %d: latest serves %q, held %s", w.name, nth, latest, held(again))
				}
				if n := len(server.Versions(id)); n > 4 {
					t.Errorf("%s failing at UpdateSecret %d: %d versions, one was added twice (%d)", w.name, nth, n, undisturbed)
				}
			}
		}
	}
}

// heldUp has a writer stage b, be held up before its AddSecretVersion for longer
// than the lease, while another writer gives b up.
func heldUp(t *testing.T, past ...write) (server *gcptest.Server, err error) {
	t.Helper()
	server = newServer(t)
	c := newClock()
	other := openTapped(t, server, untapped, at(c))
	var held bool
	s := openTapped(t, server, func(method string, after bool) error {
		if method != "AddSecretVersion" || after || !held {
			return nil
		}
		held = false
		must(t, other) // a read
		_, err := annotating("too early").call(t, other, describe(t, other))
		wantError(t, err, secretstore.ErrConflict)
		c.advance(time.Hour)
		_, err = other.Annotate(t.Context(), describe(t, other), secretstore.Notes{})
		if err != nil {
			t.Errorf("after the lease: %v", err)
		}
		return nil
	}, at(c))
	seen := must(t, s, append(past, reserving("b"))...)
	held = true
	_, err = staging("b").call(t, s, seen)
	return server, err
}

// TestWriterThatWasSuspendedAddsNothing lets time go by, as a suspended machine
// does, between the announcement and what was announced.
func TestWriterThatWasSuspendedAddsNothing(t *testing.T) {
	server, c := newServer(t), newClock()
	armed := false
	s := openTapped(t, server, func(method string, after bool) error {
		if method == "UpdateSecret" && after && armed {
			armed = false
			c.advance(30 * time.Second)
		}
		return nil
	}, at(c))
	seen := must(t, s, staging("a"), promoting("a"), reserving("b"))
	armed = true
	_, err := staging("b").call(t, s, seen)
	wantError(t, err, secretstore.ErrUnavailable)
	wantServed(t, server, "a")
	must(t, openTapped(t, server, untapped, at(c)), annotating("nobody need wait"), staging("b"), promoting("b"))
	wantServed(t, server, "b")
}

func TestWriterHeldUpBeyondItsLeasePutsTheCurrentValueBack(t *testing.T) {
	server, err := heldUp(t, staging("a"), promoting("a"))
	wantError(t, err, secretstore.ErrConflict)
	wantServed(t, server, "a")
	s := open(t, server)
	wantHeld(t, s, "/a/")
	must(t, s, annotating("x"))
	if v := server.Versions(id)[1]; v.Value != "" {
		t.Error("the version that came too late still has its value")
	}
}

func TestWriterHeldUpBeyondItsLeaseTakesAFirstVersionAway(t *testing.T) {
	server, err := heldUp(t)
	wantError(t, err, secretstore.ErrConflict)
	wantServed(t, server, "")
	wantHeld(t, open(t, server), "//")
}

// TestVersionOfAKilledWriterThatComesFarTooLateIsReplaced is the one case in
// which the latest version may hold a dead key: a request on the way for longer
// than the lease, whose sender was killed. The next run sees a current version
// put by hand, finds that it does not work, and replaces it.
func TestVersionOfAKilledWriterThatComesFarTooLateIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Begin("rotation")
		killed := w.Start()
		killed.Hook = dyingAt("AddSecretVersion@0")
		inject(w.server, "AddSecretVersion", 1, gcptest.Late)
		killed.Run(rotator.Request{})
		w.server.Before = nil
		time.Sleep(time.Hour)
		if res := w.Start().Run(rotator.Request{}); res.Err != nil || !res.Rotated || len(res.Swept) != 1 {
			t.Fatalf("the next run: %+v", res)
		}
		w.server.Arrive()
		w.Forgive()
		res := w.Start().Run(rotator.Request{})
		if res.Err != nil || !res.Rotated {
			t.Errorf("the run after the late arrival: %+v", res)
		}
		if latest := w.server.Served(id, "latest"); latest != valueOf(res.KeyID).Reveal() || !w.Instantly.Alive(latest) {
			t.Errorf("latest serves %q, current is %s", latest, res.KeyID)
		}
		w.Forgive()
		time.Sleep(graceOver)
		w.Settle()
		w.Check("after the late arrival")
	})
}

// dyingAt lets a call out, and is the death of the process.
func dyingAt(call string) rotatortest.Hook {
	dead := false
	return func(c string, _ rotatortest.When) error {
		if dead {
			return rotatortest.ErrInjected
		}
		dead = c == call
		return nil
	}
}

func TestReadsAreSentAgainAndAddsAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for method, want := range map[string]int{
			"GetSecret": 3, "GetSecretVersion": 3, "AccessSecretVersion": 3, "AddSecretVersion": 1, "UpdateSecret": 1,
		} {
			server := newServer(t)
			tries, armed := 0, false
			s := openTapped(t, server, func(m string, after bool) error {
				if m != method || after || !armed {
					return nil
				}
				tries++
				return status.Error(codes.Unavailable, "down")
			})
			must(t, s, staging("a"))
			armed = true
			switch method {
			case "GetSecret", "GetSecretVersion":
				_, _ = s.Describe(t.Context())
			case "AccessSecretVersion":
				_, _ = s.Read(t.Context(), "a")
			default:
				armed = false
				seen := describe(t, s)
				armed = true
				_, _ = staging("b").call(t, s, seen)
			}
			if tries != want {
				t.Errorf("%s was tried %d times, want %d", method, tries, want)
			}
		}
	})
}
