package vaultkv_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/wire"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

// TestConsumersReadTheKeyAndNothingElse: no note, no value under test and no value
// before, and a new version only when there is a new key.
func TestConsumersReadTheKeyAndNothingElse(t *testing.T) {
	kv := vaulttest.NewKV()
	w := newWorld(kv)
	path := w.fresh(t)
	s, keys := w.open(t, path), map[string]bool{}
	for _, step := range steps.Rotation() {
		steps.Must(t, s, step)
		object := w.server.Object(path)
		key := w.server.Field(path, "api_key")
		if key == "" {
			continue
		}
		keys[key] = true
		if diff := cmp.Diff(map[string]any{"api_key": key}, object); diff != "" {
			t.Errorf("after %s consumers read (-want +got):\n%s", step.Name, diff)
		}
		_, data, _ := w.server.Do(vaulttest.Request{Operation: "read", Path: "data/" + path})
		if n := data["metadata"].(map[string]any)["version"].(int); n != len(keys) {
			t.Errorf("after %s the path is at version %d, and had %d keys", step.Name, n, len(keys))
		}
	}
	if diff := cmp.Diff(map[string]bool{"value-of-a": true, "value-of-b": true}, keys); diff != "" {
		t.Errorf("consumers read (-want +got):\n%s", diff)
	}
}

func TestOtherFieldsAreKept(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	path := newPath()
	w.server.Put(path, map[string]any{"host": "api.instantly.ai", "token": "old"})
	form, err := payload.NewJSON(map[string]string{"token": "{key}", "about": "{id} {name}"})
	if err != nil {
		t.Fatal(err)
	}
	s := w.open(t, path, func(o *vaultkv.Options) { o.Payload = form })
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
	want := map[string]any{"host": "api.instantly.ai", "token": "value-of-a", "about": "a name-of-a"}
	if diff := cmp.Diff(want, w.server.Object(path)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAForgottenKeyIsInNoOldVersion(t *testing.T) {
	kv := vaulttest.NewKV()
	w := newWorld(kv)
	path := w.fresh(t)
	steps.Must(t, w.open(t, path), steps.Rotation()...)
	if err := onlyCurrentIn(kv, path); err != nil {
		t.Error(err)
	}
	if left := kv.Holding(path); !slices.Equal(left, []int{2}) {
		t.Errorf("versions %v of the path are held, want the newest", left)
	}
}

// errKilled is what a process gets that is dead.
var errKilled = errors.New("killed")

// killedAt has the process die at its n-th call, before its effect or after it, and
// tells how many it made.
func killedAt(w *world, n int, after bool) *int {
	made := new(int)
	die := func(at bool) wire.Hook {
		return func(*http.Request) error {
			if !at {
				*made++
			}
			if *made > n || *made == n && at == after {
				return errKilled
			}
			return nil
		}
	}
	w.tap.On(die(false), die(true))
	return made
}

// TestKilledAtEachCallTheStoreIsAsBeforeOrAsAfter: each write of a life of keys is cut
// off at each of its calls. What another process finds is the state before or after,
// and what it says is current is what consumers read; and the write can be made then.
func TestKilledAtEachCallTheStoreIsAsBeforeOrAsAfter(t *testing.T) {
	for i, step := range steps.Rotation() {
		for call, more := 1, true; more; call++ {
			for _, after := range []bool{false, true} {
				w := newWorld(vaulttest.NewKV())
				path := newPath()
				steps.Must(t, w.open(t, path), steps.Rotation()[:i]...)
				before := steps.Describe(t, w.open(t, path))
				dying := &world{w.server, &wire.Tap{}}
				made := killedAt(dying, call, after)
				_, err := step.Call(t.Context(), dying.open(t, path), before)
				if more = *made >= call; !more {
					break
				}
				at := fmt.Sprintf("%s killed at call %d, after its effect: %t", step.Name, call, after)
				if err == nil {
					t.Fatalf("%s: it does not fail", at)
				}
				found := steps.Describe(t, w.open(t, path))
				whole := newWorld(vaulttest.NewKV())
				steps.Must(t, whole.open(t, path), steps.Rotation()[:i+1]...)
				done := steps.Describe(t, whole.open(t, path))
				if got := steps.Held(found); got != steps.Held(before) && got != steps.Held(done) {
					t.Errorf("%s: %s, want %s or %s", at, got, steps.Held(before), steps.Held(done))
				}
				if current, ok := found.Versions[secretstore.Current]; ok && w.server.Field(path, "api_key") != "value-of-"+current.ID {
					t.Errorf("%s: %s is current, consumers read %s", at, current.ID, w.server.Field(path, "api_key"))
				}
				if steps.Held(found) == steps.Held(before) {
					steps.Must(t, w.open(t, path), step)
				}
				steps.WantHeld(t, w.open(t, path), steps.Held(done))
			}
		}
	}
}

// TestAnAnnouncedPromotionCannotArriveLate: a process announces a promotion and is held
// up; another one does something else meanwhile. The write of the first must fail, or
// consumers would read a key that was discarded.
func TestAnAnnouncedPromotionCannotArriveLate(t *testing.T) {
	for _, first := range []bool{true, false} {
		for name, meanwhile := range map[string][]steps.Write{
			"discarded": {steps.Destroying("b")}, "noted": {steps.Annotating("hold")}, "another one staged": {steps.Staging("c")},
			"promoted and replaced": {steps.Promoting("b"), steps.Staging("c"), steps.Promoting("c")},
		} {
			w := newWorld(vaulttest.NewKV())
			path := w.fresh(t)
			begin := []steps.Write{steps.Staging("a"), steps.Promoting("a"), steps.Staging("b")}
			if first {
				begin = begin[2:]
			}
			steps.Must(t, w.open(t, path), begin...)
			slow := &world{w.server, &wire.Tap{}}
			var wantHeld string
			slow.tap.On(func(r *http.Request) error {
				if wire.IsWrite(r) && strings.HasSuffix(r.URL.Path, "/data/"+path) {
					slow.tap.On(nil, nil)
					steps.Must(t, w.open(t, path), meanwhile...)
					wantHeld = steps.Held(steps.Describe(t, w.open(t, path)))
				}
				return nil
			}, nil)
			s := slow.open(t, path)
			_, err := steps.Promoting("b").Call(t.Context(), s, steps.Describe(t, s))
			if !errors.Is(err, secretstore.ErrConflict) || wantHeld == "" {
				t.Errorf("first key %t, %s: error %v, want ErrConflict", first, name, err)
			}
			steps.WantHeld(t, w.open(t, path), wantHeld)
			if got := w.server.Field(path, "api_key"); name == "discarded" && got == "value-of-b" {
				t.Errorf("first key %t: consumers read a key that was discarded", first)
			}
		}
	}
}

// TestAKeyThatWasCurrentIsNeverPendingAgain: somebody puts a value over it right behind
// its promotion, or two, or the engine keeps no version but the newest.
func TestAKeyThatWasCurrentIsNeverPendingAgain(t *testing.T) {
	for _, keep := range []int{0, 1} {
		for _, puts := range []int{1, 2} {
			w := newWorld(vaulttest.NewKV())
			path := w.fresh(t)
			w.server.Do(vaulttest.Request{Operation: "update", Path: "metadata/" + path, Data: map[string]any{"max_versions": keep}})
			s := w.open(t, path)
			steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"), steps.Staging("b"), steps.Promoting("b"))
			for n := range puts {
				w.put(path, fmt.Sprint("by hand ", n))
			}
			steps.WantHeld(t, s, "/?/b")
			steps.WantValue(t, s, "b", steps.ValueOf("b"))
			steps.Must(t, s, steps.Annotating("put down"))
			steps.WantHeld(t, s, "/?/b")
		}
	}
}

// TestHands: what people do to the path that consumers read.
func TestHands(t *testing.T) {
	deleted := func(w *world, path string) {
		w.server.Do(vaulttest.Request{Operation: "delete", Path: "data/" + path})
	}
	for name, c := range map[string]struct {
		hand func(w *world, path string)
		want string
	}{
		"puts another value":         {func(w *world, path string) { w.put(path, "mine") }, "c/?/b"},
		"puts the previous one back": {func(w *world, path string) { w.put(path, "value-of-a") }, "c/a/b"},
		"puts the pending one":       {func(w *world, path string) { w.put(path, "value-of-c") }, "/c/b"},
		"adds a field": {func(w *world, path string) {
			w.server.Put(path, map[string]any{"api_key": "value-of-b", "host": "h"})
		}, "c/b/a"},
		"takes the field away": {func(w *world, path string) { w.server.Put(path, map[string]any{"x": "y"}) }, "c/b/a"},
		"deletes it":           {deleted, "c/b/a"},
		"deletes all of it": {func(w *world, path string) {
			w.server.Do(vaulttest.Request{Operation: "delete", Path: "metadata/" + path})
		}, "c/b/a"},
	} {
		w := newWorld(vaulttest.NewKV())
		path := w.fresh(t)
		s := w.open(t, path)
		steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"), steps.Staging("b"), steps.Promoting("b"), steps.Staging("c"))
		stale := steps.Describe(t, s)
		c.hand(w, path)
		steps.WantHeld(t, s, c.want)
		if _, err := steps.Annotating("x").Call(t.Context(), s, stale); !errors.Is(err, secretstore.ErrConflict) {
			t.Errorf("who %s: a write on the snapshot before: %v, want ErrConflict", name, err)
		}
		// Whatever it was, it is put down as it was shown.
		steps.Must(t, s, steps.Annotating("put down"))
		steps.WantHeld(t, s, c.want)
	}
}

func TestAKeyThatWasTakenAwayCannotBeRead(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	path := w.fresh(t)
	s := w.open(t, path)
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"), steps.Staging("b"), steps.Promoting("b"))
	w.server.Put(path, map[string]any{"x": "y"})
	_, err := s.Read(t.Context(), "b")
	steps.WantError(t, err, secretstore.ErrNotFound)
	if advice := steps.Describe(t, s).Advice; len(advice) != 1 || !strings.Contains(advice[0], "put it back, or rotate") {
		t.Errorf("advice: %q", advice)
	}
	steps.Must(t, s, steps.Destroying("a"))
	steps.WantHeld(t, s, "//b")
	steps.Must(t, s, steps.Staging("c"), steps.Promoting("c"))
	steps.WantHeld(t, s, "/c/b")
}

func TestADeletedStateIsNotTakenForNone(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	path := w.fresh(t)
	s := w.open(t, path)
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
	w.server.Do(vaulttest.Request{Operation: "delete", Path: "data/" + path + "-rotator"})
	_, err := s.Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrScheduledForDeletion, "kv undelete -mount=secret -versions=3 "+path+"-rotator")
	w.server.Do(vaulttest.Request{Operation: "update", Path: "undelete/" + path + "-rotator", Data: map[string]any{"versions": []any{3}}})
	steps.WantHeld(t, s, "/a/")
	// One that was destroyed cannot be had back: the value is somebody's.
	w.server.Do(vaulttest.Request{Operation: "update", Path: "destroy/" + path + "-rotator", Data: map[string]any{"versions": []any{3}}})
	steps.WantHeld(t, s, "/?/")
	steps.Must(t, s, steps.Staging("b"), steps.Promoting("b"))
	steps.WantHeld(t, s, "/b/?")
}

func TestACopyOfTheStateIsNotBelieved(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	path, other := w.fresh(t), newPath()
	s := w.open(t, path)
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
	w.server.Put(other, w.server.Object(path))
	w.server.Put(other+"-rotator", w.server.Object(path+"-rotator"))
	copied := w.open(t, other)
	steps.WantHeld(t, copied, "/?/")
	steps.Must(t, copied, steps.Annotating("mine"))
	if a, b := steps.Describe(t, s).Identity, steps.Describe(t, copied).Identity; a == b || b == "" {
		t.Errorf("identities %q and %q", a, b)
	}
}

func TestAnotherOwnersSecretIsRefused(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	path := w.fresh(t)
	_, err := w.open(t, path, func(o *vaultkv.Options) { o.Owner = "staging" }).Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrDenied, `"prod"`, `"staging"`)
}

// TestAStandbyThatIsBehindIsUnavailable: it answers with the path as it was.
func TestAStandbyThatIsBehindIsUnavailable(t *testing.T) {
	kv := &behind{KV: vaulttest.NewKV()}
	w := newWorld(kv)
	path := w.fresh(t)
	s := w.open(t, path)
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"), steps.Staging("b"), steps.Promoting("b"), steps.Annotating("put down"))
	kv.path = "data/" + path
	_, err := s.Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrUnavailable, "a standby that is behind")
}

// behind answers for one path with its first version.
type behind struct {
	*vaulttest.KV
	path string
}

func (b *behind) Do(r vaulttest.Request) (int, map[string]any, []string) {
	if r.Operation == "read" && r.Path == b.path {
		r.Data = map[string]any{"version": 1}
	}
	return b.KV.Do(r)
}

// TestAStateThatCannotBeUnderstoodIsCorrupt, and the error shows no value.
func TestAStateThatCannotBeUnderstoodIsCorrupt(t *testing.T) {
	for _, object := range []map[string]any{
		{"state": "{"}, {"state": 1}, {}, {"state": `{"format": 9}`}, {"state": `{"format": 1, "versions": [{"stage": "x", "id": "a"}]}`},
		{"state": `{"format": 1}`, "pending": map[string]any{"canary-4711": 1}},
	} {
		w := newWorld(vaulttest.NewKV())
		path := newPath()
		w.server.Put(path+"-rotator", object)
		_, err := w.open(t, path).Describe(t.Context())
		steps.WantError(t, err, secretstore.ErrCorrupt, path+"-rotator")
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error shows a value: %v", err)
		}
	}
}

func TestAKeyThatIsNoTextIsCorrupt(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	path := w.fresh(t)
	w.server.Put(path, map[string]any{"api_key": 4711})
	_, err := w.open(t, path).Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrCorrupt, `field "api_key"`)
}

// TestTheSameValueTakenOver: what a person put there is staged under its own id. While
// its promotion is announced, the value alone does not tell whether it came true.
func TestTheSameValueTakenOver(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	path := w.fresh(t)
	w.put(path, "value-of-a")
	s := w.open(t, path)
	steps.Must(t, s, steps.Staging("a"))
	dying := &world{w.server, &wire.Tap{}}
	dying.tap.On(func(r *http.Request) error {
		if wire.IsWrite(r) && strings.HasSuffix(r.URL.Path, "/data/"+path) {
			return errKilled
		}
		return nil
	}, nil)
	if _, err := steps.Promoting("a").Call(t.Context(), dying.open(t, path), steps.Describe(t, s)); err == nil {
		t.Fatal("it is not cut off")
	}
	steps.WantHeld(t, s, "a/?/")
	_, err := steps.Annotating("x").Call(t.Context(), s, steps.Describe(t, s))
	steps.WantError(t, err, secretstore.ErrConflict)
	steps.WantHeld(t, s, "/a/?")
	steps.Must(t, s, steps.Annotating("x"))
	steps.WantHeld(t, s, "/a/?")
}
