package gcpsecretmanager_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

func inGrace() []write {
	return []write{staging("a"), promoting("a"), staging("b"), promoting("b")}
}

func TestVersionPutByHandInTheGracePeriodWaitsForItsEnd(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, inGrace()...)
	server.Put(id, "by hand")
	wantHeld(t, s, "gcp-version-3/b/a")
	must(t, s, annotating("x"))
	wantHeld(t, s, "gcp-version-3/b/a")
	must(t, s, destroying("a"))
	wantHeld(t, s, "/gcp-version-3/b")
	if got := server.Served(id, "latest"); got != "by hand" {
		t.Errorf("latest serves %q", got)
	}
}

func TestWaitingVersionPutByHandIsPassedOverByTheNextKey(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, inGrace()...)
	server.Put(id, "by hand")
	must(t, s, staging("c"))
	wantHeld(t, s, "c/b/a")
	must(t, s, destroying("c"))
	wantServed(t, server, "b")
	wantHeld(t, s, "/b/a")
}

func TestDestroyOfAWaitingVersionPutsTheCurrentValueOnTop(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, inGrace()...)
	server.Put(id, "by hand")
	must(t, s, destroying("gcp-version-3"))
	wantServed(t, server, "b")
	wantHeld(t, s, "/b/a")
	if v := server.Versions(id)[2]; v.Value != "by hand" {
		t.Error("a version that the rotator did not add was destroyed")
	}
}

func TestGoingBackToThePreviousValueByHandMakesItCurrent(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, inGrace()...)
	server.Put(id, valueOf("a").Reveal())
	wantHeld(t, s, "/a/b")
	if got := describe(t, s).Versions[secretstore.Current]; !got.Promoted.IsZero() || got.Intent.Nonce != "nonce-a" {
		t.Errorf("current version %+v: want its record and no promotion time", got)
	}
	must(t, s, promoting("a"))
	wantHeld(t, s, "/a/b")
	if got := server.Served(id, "current"); got != valueOf("a").Reveal() {
		t.Errorf("the alias current serves %q", got)
	}
}

func TestSameValuePutAgainByHandIsTheSameVersion(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, inGrace()...)
	server.Put(id, valueOf("b").Reveal())
	wantHeld(t, s, "/b/a")
	must(t, s, destroying("a"), staging("c"), promoting("c"), destroying("b"))
	for _, v := range server.Versions(id) {
		if v.Value == valueOf("b").Reveal() {
			t.Errorf("version %d still holds a destroyed key", v.Number)
		}
	}
}

func TestDeadValuePutByHandIsReplacedByTheCurrentOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Begin("retirement")
		w.Settle()
		dead := valueOf(rotatortest.KeyID(1)).Reveal()
		if w.Instantly.Alive(dead) {
			t.Fatal("the first key should be revoked by now")
		}
		w.server.Put(id, dead)
		w.Start().Run(rotator.Request{})
		w.Forgive()
		if got := w.server.Served(id, "latest"); got != valueOf(rotatortest.KeyID(2)).Reveal() || w.Instantly.Creates != 2 {
			t.Errorf("latest serves %q after %d keys, want the second one back on top", got, w.Instantly.Creates)
		}
		w.Settle()
		w.Check("after a dead value was put by hand")
	})
}

func TestAliasOfTheCurrentVersionStaysWhileItsValueGoesBackOnTop(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, append(inGrace(), destroying("a"))...)
	server.Put(id, valueOf("a").Reveal())
	wantHeld(t, s, "b//")
	must(t, s, annotating("x"))
	wantAliases(t, server, map[string]int64{"current": 2, "pending": 2})
	must(t, s, promoting("b"))
	wantHeld(t, s, "/b/")
	wantServed(t, server, "b")
	wantAliases(t, server, map[string]int64{"current": 4})
	if v := server.Versions(id)[2]; v.State != secretmanagerpb.SecretVersion_DESTROYED {
		t.Errorf("the dead value put by hand is %s", v.State)
	}
}

func TestVersionDisabledOrDestroyedByHandIsNotFound(t *testing.T) {
	for _, state := range []secretmanagerpb.SecretVersion_State{secretmanagerpb.SecretVersion_DISABLED, secretmanagerpb.SecretVersion_DESTROYED} {
		server := newServer(t)
		s := open(t, server)
		must(t, s, inGrace()...)
		server.Set(id, 2, state)
		wantHeld(t, s, "/b/a")
		_, err := s.Read(t.Context(), "b")
		wantError(t, err, secretstore.ErrNotFound)
		if !strings.Contains(fmt.Sprint(err), state.String()) || !strings.Contains(fmt.Sprint(err), "versions/2") {
			t.Errorf("error %v does not say which version is in which state", err)
		}
		must(t, s, destroying("a"), staging("c"), promoting("c"), destroying("b"))
		wantServed(t, server, "c")
	}
}

func TestVersionPutAndDisabledByHandIsIgnored(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, staging("a"), promoting("a"))
	n := server.Put(id, "by hand")
	server.Set(id, n, secretmanagerpb.SecretVersion_DISABLED)
	must(t, s, annotating("x"))
	wantHeld(t, s, "/a/")
	server.Set(id, n, secretmanagerpb.SecretVersion_ENABLED)
	wantHeld(t, s, "/gcp-version-2/a")
	server.Set(id, n, secretmanagerpb.SecretVersion_DISABLED)
	must(t, s, staging("b"), promoting("b"))
	wantServed(t, server, "b")
}

func TestValueSlippedInBeforeAnAddIsFoundByTheGapInTheNumbers(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	seen := must(t, s, staging("a"), promoting("a"), reserving("b"))
	server.Put(id, "by hand")
	if _, err := staging("b").call(t, s, seen); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, s, "b/gcp-version-2/a")
	must(t, s, promoting("b"))
	wantHeld(t, s, "/b/a")
	wantServed(t, server, "b")
}

func TestForeignVersionsAreNeverDestroyed(t *testing.T) {
	server := newServer(t)
	server.Put(id, "made by terraform")
	s := open(t, server)
	must(t, s, staging("a"), promoting("a"), destroying("gcp-version-1"), staging("b"), promoting("b"))
	if v := server.Versions(id)[0]; v.Value != "made by terraform" || v.State != secretmanagerpb.SecretVersion_ENABLED {
		t.Errorf("version 1 is %+v", v)
	}
}

func TestAliasesMirrorTheStages(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	server.Put(id, "by hand")
	server.Edit(id, func(sec *secretmanagerpb.Secret) { sec.VersionAliases = map[string]int64{"blue": 1} })
	must(t, s, staging("a"))
	wantAliases(t, server, map[string]int64{"blue": 1, "current": 1, "pending": 2})
	must(t, s, promoting("a"))
	wantAliases(t, server, map[string]int64{"blue": 1, "current": 2, "previous": 1})
	server.Edit(id, func(sec *secretmanagerpb.Secret) { sec.VersionAliases = map[string]int64{"current": 1, "green": 1} })
	wantHeld(t, s, "/a/gcp-version-1")
	must(t, s, annotating("x"))
	wantAliases(t, server, map[string]int64{"green": 1, "current": 2, "previous": 1})
}

func wantAliases(t *testing.T, server *gcptest.Server, want map[string]int64) {
	t.Helper()
	if diff := cmp.Diff(want, server.Aliases(id)); diff != "" {
		t.Errorf("aliases (-want +got):\n%s", diff)
	}
}

func TestVersionThatSomebodysAliasNamesStaysUntilTheAliasMoves(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, inGrace()...)
	server.Edit(id, func(sec *secretmanagerpb.Secret) { sec.VersionAliases["pinned"] = 1 })
	must(t, s, destroying("a"), annotating("x"))
	if v := server.Versions(id)[0]; v.State != secretmanagerpb.SecretVersion_ENABLED {
		t.Errorf("version 1 is %s though an alias names it", v.State)
	}
	server.Edit(id, func(sec *secretmanagerpb.Secret) { delete(sec.VersionAliases, "pinned") })
	must(t, s, annotating("y"))
	if v := server.Versions(id)[0]; v.State != secretmanagerpb.SecretVersion_DESTROYED {
		t.Errorf("version 1 is %s after the alias moved", v.State)
	}
}

func TestWhatElseIsOnTheSecretIsLeftAlone(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	expires := timestamppb.New(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	server.Edit(id, func(sec *secretmanagerpb.Secret) {
		sec.Labels = map[string]string{"team": "growth"}
		sec.Annotations = map[string]string{"note": "theirs"}
		sec.Topics = []*secretmanagerpb.Topic{{Name: "projects/p/topics/t"}}
		sec.Expiration = &secretmanagerpb.Secret_ExpireTime{ExpireTime: expires}
		sec.Rotation = &secretmanagerpb.Rotation{NextRotationTime: expires}
	})
	must(t, s, append(inGrace(), destroying("a"))...)
	sec := server.Secret(id)
	delete(sec.Annotations, stateKey)
	if !maps.Equal(sec.GetLabels(), map[string]string{"team": "growth"}) || !maps.Equal(sec.GetAnnotations(), map[string]string{"note": "theirs"}) ||
		len(sec.GetTopics()) != 1 || sec.GetExpireTime().AsTime() != expires.AsTime() || sec.GetRotation() == nil {
		t.Errorf("the secret is now %v", sec)
	}
}

// TestTerraformWipesAliasesBetweenAnyTwoCalls applies, before each call of a
// whole life in turn and then before all of them, what Terraform does to a
// secret: its labels as configured, no aliases.
func TestTerraformWipesAliasesBetweenAnyTwoCalls(t *testing.T) {
	n := cleanCalls(t)
	for call := 0; call <= n; call++ { // 0: before every call
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			s := rotatortest.Injector{Meanwhile: func(n int, method string, when rotatortest.When) {
				if when == rotatortest.Before && (n == call || call == 0 && method != "UpdateSecret@0") {
					applyTerraform(w.server)
				}
			}}
			for range 2 {
				in := w.Start()
				in.Hook = s.Hook
				if res := in.Run(rotator.Request{}); res.Err != nil {
					t.Errorf("terraform before call %d: %v", call, res.Err)
				}
				time.Sleep(due)
			}
			w.Settle()
			w.Check(fmt.Sprintf("terraform before call %d", call))
		})
	}
	t.Logf("an apply before each of %d calls cost nothing but the aliases, for a while", n)
}

func applyTerraform(server *gcptest.Server) {
	server.Edit(id, func(sec *secretmanagerpb.Secret) {
		sec.VersionAliases, sec.Labels = nil, map[string]string{"managed-by": "terraform"}
	})
}

// cleanCalls counts the calls of an undisturbed life.
func cleanCalls(t *testing.T) int {
	t.Helper()
	var s rotatortest.Injector
	synctest.Test(t, func(t *testing.T) { s.Live(newWorld(t).World) })
	return s.Calls()
}

// TestAValuePutByHandBetweenAnyTwoCalls has somebody put a living key of his own
// on top, before each call of a whole life in turn.
func TestAValuePutByHandBetweenAnyTwoCalls(t *testing.T) {
	n := cleanCalls(t)
	for call := 1; call <= n; call++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			mine := w.Instantly.Add("by hand")
			s := rotatortest.Injector{Meanwhile: func(n int, _ string, when rotatortest.When) {
				if when == rotatortest.Before && n == call {
					w.server.Put(id, mine.Value)
				}
			}}
			s.Live(w.World)
			for range 3 {
				time.Sleep(graceOver)
				if res := w.Start().Run(rotator.Request{}); res.Err != nil {
					t.Errorf("by hand before call %d: does not settle: %v", call, res.Err)
				}
			}
			w.Check(fmt.Sprintf("by hand before call %d", call))
			if w.server.Served(id, "latest") == "" {
				t.Errorf("by hand before call %d: latest serves nothing", call)
			}
		})
	}
	t.Logf("a value put by hand before each of %d calls: latest and current always gave a living key", n)
}

func TestRecreatedSecretIsAnotherOne(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	seen := must(t, s, staging("a"))
	server.Remove(id)
	_, err := s.Describe(t.Context())
	wantError(t, err, secretstore.ErrNotFound)
	server.Make(id)
	if describe(t, s).Identity == seen.Identity {
		t.Error("a secret that was made anew has the identity of the old one")
	}
	_, err = promoting("a").call(t, s, seen)
	wantError(t, err, secretstore.ErrConflict)
}
