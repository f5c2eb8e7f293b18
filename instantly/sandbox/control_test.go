package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestFaultsAreSetOverHTTP(t *testing.T) {
	srv, c := inProcess(t, sandbox.Options{})
	wantStatus(t, c.send(http.MethodPut, "/_sandbox/faults", `{"latency":"1.5s","list_key":"masked"}`), http.StatusOK)
	want := sandbox.Faults{Latency: 1500 * time.Millisecond, ListKey: sandbox.KeyMasked,
		ListOrder: sandbox.OldestFirst, DeleteBody: sandbox.DeleteObject, PageSize: 10, AuditLog: sandbox.AuditFull,
		PatchHeaders: sandbox.HeadersReplaced, WebhookHeaders: sandbox.KeyFull, RetryWithin: 30 * time.Second}
	if d := cmp.Diff(want, srv.Faults()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, decode[sandbox.Faults](t, c.get("/_sandbox/faults"))); d != "" {
		t.Error(d)
	}
}

func TestFaultsThatCannotBeAreRefusedOverHTTP(t *testing.T) {
	srv, c := inProcess(t, sandbox.Options{})
	before := srv.Faults()
	for body, part := range map[string]string{
		`{"lost_response":true}`: `unknown field "lost_response"`,
		`{"list_key":"half"}`:    `list_key is "half": full, masked or empty`,
		`{"latency":"soon"}`:     `invalid duration "soon"`,
		`{"latency":5}`:          `latency`,
		`{"truncate":true} {}`:   `more than one JSON value`,
		`{"truncate":`:           `unexpected EOF`,
	} {
		a := c.send(http.MethodPut, "/_sandbox/faults", body)
		wantStatus(t, a, http.StatusBadRequest)
		if message := decode[apiError](t, a).Message; !strings.Contains(message, part) {
			t.Errorf("%s: got %q", body, message)
		}
	}
	if d := cmp.Diff(before, srv.Faults()); d != "" {
		t.Error(d)
	}
}

func TestRulesAreInjectedAndTakenBackOverHTTP(t *testing.T) {
	_, c := inProcess(t, sandbox.Options{})
	const rule = `{"method":"GET","route":"/api/v2/accounts","kind":"status","status":500,"times":-1}`
	wantStatus(t, c.send(http.MethodPost, "/_sandbox/inject", rule), http.StatusOK)
	wantStatus(t, c.get("/api/v2/accounts"), http.StatusInternalServerError)
	wantStatus(t, c.send(http.MethodDelete, "/_sandbox/inject", ""), http.StatusNoContent)
	wantStatus(t, c.get("/api/v2/accounts"), http.StatusOK)
}

func TestRulesThatCannotBeAreRefusedOverHTTP(t *testing.T) {
	_, c := inProcess(t, sandbox.Options{})
	for body, part := range map[string]string{
		`{"kind":"drop","count":1}`:                       `unknown field "count"`,
		`{"kind":"drop","method":"GET","route":"/wrong"}`: `no route "GET" "/wrong"`,
	} {
		a := c.send(http.MethodPost, "/_sandbox/inject", body)
		wantStatus(t, a, http.StatusBadRequest)
		if message := decode[apiError](t, a).Message; !strings.Contains(message, part) {
			t.Errorf("%s: got %q", body, message)
		}
	}
}

func TestKeysAreShownWithoutValues(t *testing.T) {
	_, c := inProcess(t, sandbox.Options{})
	k := c.create("worker", "all:read")
	c.del(k.ID)
	a := c.get("/_sandbox/keys")
	wantStatus(t, a, http.StatusOK)
	type shown struct {
		Name  string
		Alive bool
	}
	if d := cmp.Diff([]shown{{"admin", true}, {"worker", false}}, decode[[]shown](t, a)); d != "" {
		t.Error(d)
	}
	if strings.Contains(a.text, adminText) || strings.Contains(a.text, k.Key) {
		t.Error("the answer has a key's value")
	}
}

func TestKeyIsDeletedByHandOverHTTP(t *testing.T) {
	srv, c := inProcess(t, sandbox.Options{})
	k := c.create("worker")
	wantStatus(t, c.send(http.MethodDelete, "/_sandbox/keys/"+k.ID, ""), http.StatusNoContent)
	if srv.Alive(secret.New(k.Key)) {
		t.Error("the key is alive")
	}
	wantStatus(t, c.send(http.MethodDelete, "/_sandbox/keys/"+k.ID, ""), http.StatusNotFound)
}

func TestCallsAreCountedByRoute(t *testing.T) {
	srv, c := inProcess(t, sandbox.Options{})
	c.del(c.create("worker").ID)
	c.as("guess").del("nothing")
	c.get("/nowhere")
	want := map[string]int{
		"POST /api/v2/api-keys": 1, "DELETE /api/v2/api-keys/{id}": 2, "GET (unknown route)": 1,
	}
	if d := cmp.Diff(want, srv.Calls()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, decode[map[string]int](t, c.get("/_sandbox/calls"))); d != "" {
		t.Error(d)
	}
}

func TestControlTokenIsAsked(t *testing.T) {
	_, c := inProcess(t, sandbox.Options{ControlToken: secret.New("hold-the-switch")})
	for _, wrong := range []string{"", adminText, "hold-the-switch-not"} {
		wantStatus(t, c.as(wrong).get("/_sandbox/faults"), http.StatusUnauthorized)
	}
	wantStatus(t, c.as("hold-the-switch").get("/_sandbox/faults"), http.StatusOK)
	wantStatus(t, c.get(keysPath), http.StatusOK)
}

func TestControlStaysOpenDuringAnOutage(t *testing.T) {
	srv, c := inProcess(t, sandbox.Options{})
	srv.SetFaults(sandbox.Faults{Unavailable: true, EdgeBlock: true, Truncate: true})
	wantStatus(t, c.send(http.MethodPut, "/_sandbox/faults", `{}`), http.StatusOK)
	wantStatus(t, c.get(keysPath), http.StatusOK)
}
