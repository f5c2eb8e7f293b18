package demo_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/demo"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// screen takes what is told, and tells on when a text appears in it.
type screen struct {
	mu    sync.Mutex
	told  bytes.Buffer
	await string
	seen  func() // called once, when await has been told
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.told.Write(p)
	if s.seen != nil && strings.Contains(s.told.String(), s.await) {
		s.seen()
		s.seen = nil
	}
	return n, err
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told.String()
}

func TestDemonstration(t *testing.T) {
	t.Parallel()
	out, dir := &screen{}, t.TempDir()
	begun := time.Now()
	played, err := demo.Play(t.Context(), demo.Options{Out: out, TempDir: dir})
	took := time.Since(begun)

	t.Run("keeps every promise", func(t *testing.T) {
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
	t.Run("takes under 15 seconds", func(t *testing.T) {
		if took >= 15*time.Second {
			t.Errorf("took %s", took)
		}
	})
	t.Run("accounts for what the sandbox saw", func(t *testing.T) { checkAccount(t, played) })
	t.Run("tells its story and its account", func(t *testing.T) { checkTold(t, out.String()) })
	t.Run("tells no secret", func(t *testing.T) { checkSecrets(t, out.String(), played.Sandbox) })
	t.Run("is without colour unless asked", func(t *testing.T) { checkColor(t, out.String(), false) })
	t.Run("is what the README's recording shows", func(t *testing.T) { checkRecording(t, out.String()) })
	t.Run("leaves no folder", func(t *testing.T) { checkEmpty(t, dir) })
}

// checkAccount reckons from the sandbox's own records and compares.
func checkAccount(t *testing.T, p demo.Played) {
	got := demo.Reckon(p.Facts)
	want := got // for what the sandbox knows nothing of
	calls := p.Sandbox.Calls()
	want.Requests = calls["GET /api/v2/lead-lists"]
	want.Issued = calls["POST /api/v2/api-keys"]
	want.Revoked, want.Dead, want.Orphans = 0, 0, 0
	for _, k := range p.Sandbox.Keys(sandbox.DefaultWorkspaceID) {
		switch {
		case !strings.HasPrefix(k.Name, p.Owner+"/"):
			continue
		case k.Deleted.IsZero() && k.ID != got.Stored[secretstore.Current]:
			want.Orphans++
		case !k.Deleted.IsZero():
			want.Revoked++
		}
		if !k.Deleted.IsZero() && !p.Sandbox.Alive(k.Value) {
			want.Dead++
		}
	}
	want.Rotations, want.Refused, want.Failed = 4, 0, 0
	want.CrashMended, want.OutageMended, want.StrangerSafe = true, true, true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("account (-sandbox +account):\n%s", diff)
	}
	if got.Issued != 5 || got.Revoked != 4 || got.Unavailable == 0 || got.Late == 0 || got.Setbacks != 2 {
		t.Errorf("the story did not go as it should: %+v", got)
	}
}

func checkTold(t *testing.T, told string) {
	for _, want := range []string{
		"1. The first key", "2. A rotation by schedule", "3. A crash between issue and stage", "4. An outage of the API",
		"only in its memory", "not live yet", "revocation takes effect late", "503", "The account", "made good",
		"promises were kept", "untouched", "instantly-rotator sandbox", "config.example.yaml",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("nothing is told of %q", want)
		}
	}
}

// checkSecrets searches for any eight characters in a row of any value.
func checkSecrets(t *testing.T, told string, s *sandbox.Server) {
	keys := s.Keys(sandbox.DefaultWorkspaceID)
	if len(keys) < 5 {
		t.Fatalf("only %d keys to search for", len(keys))
	}
	for _, k := range keys {
		value := k.Value.Reveal()
		for i := range len(value) - 8 {
			if strings.Contains(told, value[i:i+8]) {
				t.Errorf("a part of the value of %q is told", k.Name)
				break
			}
		}
	}
	if strings.Contains(told, "AGE-SECRET-KEY") {
		t.Error("the identity of the store is told")
	}
}

func checkEmpty(t *testing.T, dir string) {
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		t.Errorf("%s is left behind", e.Name())
	}
}

func checkColor(t *testing.T, told string, want bool) {
	if got := strings.Contains(told, "\x1b["); got != want {
		t.Errorf("colours: %t, want %t", got, want)
	}
}

// The app that goes on for a minute with the first key it read still has it when
// it is revoked.
func TestAppThatCachesBeyondTheGraceBreaksARule(t *testing.T) {
	t.Parallel()
	out, dir := &screen{}, t.TempDir()
	played, err := demo.PlayCaching(t.Context(), demo.Options{Out: out, Color: true, TempDir: dir}, time.Minute)

	t.Run("which is the error", func(t *testing.T) {
		if !errors.Is(err, demo.ErrRuleBroken) {
			t.Errorf("error %v, want %v", err, demo.ErrRuleBroken)
		}
	})
	t.Run("and is counted", func(t *testing.T) {
		if demo.Reckon(played.Facts).Refused == 0 {
			t.Error("no request was refused")
		}
	})
	t.Run("and is told", func(t *testing.T) {
		for _, want := range []string{"was REFUSED", "BROKEN: no request was refused"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("nothing is told of %q", want)
			}
		}
	})
	t.Run("in colour if asked", func(t *testing.T) { checkColor(t, out.String(), true) })
	t.Run("and tells no secret", func(t *testing.T) { checkSecrets(t, out.String(), played.Sandbox) })
	t.Run("and leaves no folder", func(t *testing.T) { checkEmpty(t, dir) })
}

func TestCtrlCStopsAtOnceAndLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, moment := range map[string]string{
		"before anything":    "How an Instantly",
		"with a key in hand": " issue ",
		"while it waits":     " wait ",
		"at the crash":       "dies here",
		"in the outage":      "answers 503 to everybody",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var pressed time.Time
			dir, out := t.TempDir(), &screen{await: moment}
			out.seen = func() { pressed = time.Now(); cancel() }

			err := demo.Run(ctx, demo.Options{Out: out, TempDir: dir})
			if took := time.Since(pressed); took > time.Second {
				t.Errorf("took %s to stop", took)
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want %v", err, context.Canceled)
			}
			if strings.Contains(out.String(), "The account") {
				t.Error("an account is shown though the story was not over")
			}
			checkEmpty(t, dir)
		})
	}
}

func TestNoFolderIsAnError(t *testing.T) {
	t.Parallel()
	err := demo.Run(t.Context(), demo.Options{Out: &screen{}, TempDir: t.TempDir() + "/missing"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want %v", err, os.ErrNotExist)
	}
}
