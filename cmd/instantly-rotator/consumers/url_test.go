package consumers_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/consumers"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// A hook is a server that is told of new keys.
type hook struct {
	*httptest.Server
	status int
	heard  []string
}

func newHook(t *testing.T) *hook {
	h := &hook{status: http.StatusOK}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.heard = append(h.heard, fmt.Sprintf("%s %s %s %s", r.Method, r.URL, r.Header.Get("Content-Type"), body))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(h.status)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) gate(t *testing.T) *consumers.URL {
	t.Helper()
	gate, err := consumers.NewURL("sending", h.URL+"/canary?token=canary")
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

func TestStatusSaysWhetherConsumersHaveMoved(t *testing.T) {
	h := newHook(t)
	for status := 200; status <= 599; status++ {
		h.status = status
		err := h.gate(t).Pass(t.Context(), rotator.Move{KeyID: "k1"})
		switch {
		case status == 202 || status == 425 || status == 429 || status == 503:
			wantOpen(t, err, fmt.Sprintf("it answers %d", status))
		case status <= 299:
			wantPassed(t, err)
		case status <= 399:
			wantUnknown(t, err, "redirects are not followed")
		default:
			wantUnknown(t, err, fmt.Sprintf("it answers %d", status))
		}
	}
	if len(h.heard) != 400 {
		t.Errorf("%d requests for 400 calls: a redirect was followed, or a call repeated", len(h.heard))
	}
}

func TestServerIsToldOnceOfEachKey(t *testing.T) {
	h := newHook(t)
	gate := h.gate(t)
	h.status = http.StatusAccepted
	wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k1"}))
	h.status = http.StatusNoContent
	for _, key := range []string{"k1", "k1", "k2"} {
		wantPassed(t, gate.Pass(t.Context(), rotator.Move{KeyID: key}))
	}
	again := rotator.Move{KeyID: "k2", Since: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} // a store had another one meanwhile
	wantPassed(t, gate.Pass(t.Context(), again))
	wantPassed(t, gate.Pass(t.Context(), again))
	told := func(key, since string) string {
		return `POST /canary?token=canary application/json {"key_id":"` + key + `","since":"` + since + `","target":"sending"}`
	}
	if diff := cmp.Diff([]string{told("k1", ""), told("k1", ""), told("k2", ""), told("k2", "2026-11-01T12:00:00Z")}, h.heard); diff != "" {
		t.Errorf("what it was told (-want +got):\n%s", diff)
	}
}

func TestAddressIsInNoMessage(t *testing.T) {
	h := newHook(t)
	gate := h.gate(t)
	h.Close()
	err := gate.Pass(t.Context(), rotator.Move{KeyID: "k1"})
	wantUnknown(t, err, "refused")
	if strings.Contains(gate.Name()+err.Error(), "canary") {
		t.Errorf("%s: %v", gate.Name(), err)
	}
}
