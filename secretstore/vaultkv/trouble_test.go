package vaultkv_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/wire"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

// policy reads deploy/iam/vault-policy.hcl, for the path growth/instantly.
func policy(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "iam", "vault-policy.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	granted := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?s)path "([^"]+)" \{\s*capabilities = \[([^\]]*)\]`).FindAllStringSubmatch(string(text), -1) {
		granted[m[1]] = regexp.MustCompile(`\w+`).FindAllString(m[2], -1)
	}
	if len(granted) != 4 {
		t.Fatalf("the policy has %v", granted)
	}
	return granted
}

// under gives a store on growth/instantly by a token with that policy.
func under(t *testing.T, w *world, granted map[string][]string) *vaultkv.Store {
	t.Helper()
	w.server.Policy = granted
	w.server.Admit("s.rotator")
	return w.openAs(t, "growth/instantly", vaultkv.Auth{TokenFile: tokenFile(t, "s.rotator")})
}

func TestThePolicyIsEnough(t *testing.T) {
	s := under(t, newWorld(vaulttest.NewKV()), policy(t))
	steps.Must(t, s, steps.Rotation()...)
	if p, err := s.ProbeWrites(t.Context()); err != nil || len(p.Lacking)+len(p.Unknown) > 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestEachCapabilityTakenAwayIsNamed: by the error that ends a rotation, and beforehand
// by the probe, which changes nothing. The one that only makes a path again is no loss
// where the path is there.
func TestEachCapabilityTakenAwayIsNamed(t *testing.T) {
	for path, capabilities := range policy(t) {
		for _, lost := range capabilities {
			if strings.HasSuffix(path, "-rotator") && strings.Contains(path, "/data/") && lost == "create" {
				continue // the path is there as soon as its metadata is
			}
			if strings.Contains(path, "/metadata/") && lost == "update" {
				continue // it is made once; this is for when that was cut off
			}
			granted := policy(t)
			granted[path] = slices.DeleteFunc(granted[path], func(c string) bool { return c == lost })
			w := newWorld(vaulttest.NewKV())
			s := under(t, w, granted)
			var err error
			for _, step := range steps.Rotation() {
				var snap secretstore.Snapshot
				if snap, err = s.Describe(t.Context()); err == nil {
					_, err = step.Call(t.Context(), s, snap)
				}
				if err != nil {
					break
				}
			}
			steps.WantError(t, err, secretstore.ErrDenied, lost, path)
			if strings.Contains(path, "/data/") && lost == "read" {
				continue // there is nothing to probe
			}
			calls := len(w.server.Calls())
			p, err := s.ProbeWrites(t.Context())
			if err != nil || len(p.Lacking) != 1 || p.Lacking[0] != "needs "+lost+" on "+path {
				t.Errorf("without %s on %s the probe says %+v, %v", lost, path, p, err)
			}
			for _, call := range w.server.Calls()[calls:] {
				if !strings.HasPrefix(call, "GET ") && call != "PUT sys/capabilities-self" {
					t.Errorf("the probe calls %s", call)
				}
			}
		}
	}
}

func TestWhatTheServerAnswersIsTold(t *testing.T) {
	for _, c := range []struct {
		status int
		text   string
		want   error
		says   string
	}{
		{http.StatusForbidden, "permission denied", secretstore.ErrDenied, "needs read on secret/data/"},
		{http.StatusUnauthorized, "", secretstore.ErrDenied, "does not accept the token"},
		{http.StatusServiceUnavailable, "Vault is sealed", secretstore.ErrUnavailable, "the server is sealed"},
		{http.StatusTooManyRequests, "rate limit quota exceeded", secretstore.ErrUnavailable, "429 rate limit quota exceeded"},
		{http.StatusPreconditionFailed, "required index state not present", secretstore.ErrUnavailable, "412"},
		{472, "", secretstore.ErrUnavailable, "472"},
		{473, "", secretstore.ErrUnavailable, "473"},
		{http.StatusInternalServerError, "internal error", secretstore.ErrUnavailable, "500"},
		{http.StatusBadGateway, "", secretstore.ErrUnavailable, "502"},
		{http.StatusBadRequest, "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period", secretstore.ErrUnavailable, "is being upgraded"},
		{http.StatusBadRequest, "what", secretstore.ErrDenied, "the server refuses it: 400 what"},
		{http.StatusMethodNotAllowed, "unsupported operation", secretstore.ErrUnfit, "kv enable-versioning secret"},
		{http.StatusNotFound, `no handler for route "secret/data/x". route entry not found.`, secretstore.ErrNotFound, "there is no secrets engine at secret"},
	} {
		w := newWorld(vaulttest.NewKV())
		path := w.fresh(t)
		s := w.open(t, path)
		w.server.Status, w.server.Text = c.status, c.text
		_, err := s.Describe(t.Context())
		steps.WantError(t, err, c.want, c.says, "vaultkv: describe at "+path)
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("the error has lines: %q", err)
		}
	}
}

func TestAnotherNamespaceIsSaid(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	s := w.open(t, newPath())
	w.server.Namespace = "growth"
	_, err := s.Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrNotFound, "or not in this namespace")
}

// unversioned is a KV engine of version 1: it keeps what it is given at any path.
type unversioned struct{ written map[string]map[string]any }

func (u unversioned) Do(r vaulttest.Request) (int, map[string]any, []string) {
	if r.Operation == "read" {
		if data, ok := u.written[r.Path]; ok {
			return http.StatusOK, data, nil
		}
		return http.StatusNotFound, nil, nil
	}
	u.written[r.Path] = r.Data
	return http.StatusNoContent, nil, nil
}

// heedless is one that does not compare.
type heedless struct{ *vaulttest.KV }

func (h heedless) Do(r vaulttest.Request) (int, map[string]any, []string) {
	delete(r.Data, "options")
	if r.Operation != "read" && strings.HasPrefix(r.Path, "metadata/") {
		return http.StatusNoContent, nil, nil
	}
	return h.KV.Do(r)
}

// TestAnEngineThatDoesNotCompareIsUnfit: it is found at the first write, before a key
// is issued, and not one value is in that.
func TestAnEngineThatDoesNotCompareIsUnfit(t *testing.T) {
	s := newWorld(unversioned{map[string]map[string]any{}}).open(t, newPath())
	_, err := steps.Annotating("x").Call(t.Context(), s, steps.Describe(t, s))
	steps.WantError(t, err, secretstore.ErrUnfit, "kv enable-versioning secret")

	w := newWorld(heedless{vaulttest.NewKV()})
	path := newPath()
	slow := &world{w.server, &wire.Tap{}}
	slow.tap.On(func(r *http.Request) error {
		if wire.IsWrite(r) && strings.Contains(r.URL.Path, "/data/") {
			slow.tap.On(nil, nil)
			w.put(path+"-rotator", "somebody was quicker")
		}
		return nil
	}, nil)
	s = slow.open(t, path)
	_, err = steps.Annotating("x").Call(t.Context(), s, steps.Describe(t, s))
	steps.WantError(t, err, secretstore.ErrUnfit, "only if the newest is 0")
}

// TestNoErrorShowsWhatAProxyRepeats: a page that is no answer of the server's may have
// anything in it.
func TestNoErrorShowsWhatAProxyRepeats(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	path := w.fresh(t)
	s := w.open(t, path)
	seen := steps.Describe(t, s)
	w.server.Status, w.server.Page = http.StatusBadGateway, "<html>value-of-a "+vaulttest.RootToken+"</html>"
	_, err := steps.Staging("a").Call(t.Context(), s, seen)
	steps.WantError(t, err, secretstore.ErrUnavailable, "502 Bad Gateway")
	if strings.Contains(err.Error(), "value-of-a") || strings.Contains(err.Error(), vaulttest.RootToken) {
		t.Errorf("the error shows a value: %v", err)
	}
}

// TestNoErrorShowsWhatAGatewayRepeats, which answers as the server does: with the request in
// its words.
func TestNoErrorShowsWhatAGatewayRepeats(t *testing.T) {
	for status, want := range map[int]error{
		http.StatusBadRequest: secretstore.ErrDenied, http.StatusForbidden: secretstore.ErrDenied, http.StatusBadGateway: secretstore.ErrUnavailable,
	} {
		for _, repeated := range []string{"value-of-a", "kept  by\nhand", vaulttest.RootToken} {
			w, path := newWorld(vaulttest.NewKV()), newPath()
			w.server.Put(path, map[string]any{"api_key": "old", "more": map[string]any{"list": []any{"kept  by\nhand"}}})
			s := w.open(t, path)
			steps.Must(t, s, steps.Staging("a"))
			seen := steps.Describe(t, s)
			w.tap.On(func(r *http.Request) error {
				if onState := strings.HasSuffix(r.URL.Path, "-rotator"); wire.IsWrite(r) && onState == (repeated != "kept  by\nhand") {
					w.server.Status, w.server.Text = status, `gateway policy 7: {"headers": ["`+repeated+`"]}`
				}
				return nil
			}, nil)
			_, err := steps.Promoting("a").Call(t.Context(), s, seen)
			steps.WantError(t, err, want, strconv.Itoa(status), "repeats what it was sent")
			if strings.Contains(err.Error(), repeated) {
				t.Errorf("the error shows a value: %v", err)
			}
		}
	}
}

// TestALostRaceIsKnownWhateverIsRepeated: a field that a person keeps beside the key may be
// any word, one of the server's own among them.
func TestALostRaceIsKnownWhateverIsRepeated(t *testing.T) {
	w, path := newWorld(vaulttest.NewKV()), newPath()
	w.server.Put(path, map[string]any{"api_key": "old", "mode": "check"})
	s := w.open(t, path)
	steps.Must(t, s, steps.Staging("a"))
	seen := steps.Describe(t, s)
	w.tap.On(func(r *http.Request) error {
		if wire.IsWrite(r) && strings.HasSuffix(r.URL.Path, "/data/"+path) {
			w.tap.On(nil, nil)
			w.put(path, "somebody was quicker")
		}
		return nil
	}, nil)
	_, err := steps.Promoting("a").Call(t.Context(), s, seen)
	steps.WantError(t, err, secretstore.ErrConflict)
}

// TestAWriteIsSentOnce: its second arrival would look like a lost race.
func TestAWriteIsSentOnce(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	path := w.fresh(t)
	s := w.open(t, path)
	seen := steps.Describe(t, s)
	tries := 0
	w.tap.On(nil, func(r *http.Request) error {
		if wire.IsWrite(r) {
			tries++
			return wire.ErrLostAnswer
		}
		return nil
	})
	_, err := steps.Annotating("x").Call(t.Context(), s, seen)
	steps.WantError(t, err, secretstore.ErrUnavailable)
	if tries != 1 {
		t.Errorf("the write was sent %d times", tries)
	}
}

// TestAValueThatEndsByItselfIsAdvisedOn: delete_version_after.
func TestAValueThatEndsByItselfIsAdvisedOn(t *testing.T) {
	kv := vaulttest.NewKV()
	kv.DeletesAt = "2126-01-02T03:04:05Z"
	w := newWorld(kv)
	path := w.fresh(t)
	if advice := steps.Describe(t, w.open(t, path)).Advice; len(advice) != 1 || !strings.Contains(advice[0], path+"-rotator is deleted by itself at 2126-01-02T03:04:05Z: set delete_version_after") {
		t.Errorf("advice: %q", advice)
	}
}
