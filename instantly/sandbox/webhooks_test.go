package sandbox_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const hooksPath = "/api/v2/webhooks"

type hookSeen struct {
	ID      string            `json:"id"`
	URL     string            `json:"target_hook_url"`
	Headers map[string]string `json:"headers"`
	Status  int               `json:"status"`
	Failed  *time.Time        `json:"timestamp_error"`
}

type eventSeen struct {
	Success   bool       `json:"success"`
	Status    *int       `json:"status_code"`
	Retries   int        `json:"retry_count"`
	WillRetry bool       `json:"will_retry"`
	Next      *time.Time `json:"timestamp_next_retry"`
	Problem   *string    `json:"error_message"`
}

func newHook(t *testing.T, c client, body string) hookSeen {
	t.Helper()
	a := c.send(http.MethodPost, hooksPath, body)
	wantStatus(t, a, http.StatusOK)
	return decode[hookSeen](t, a)
}

// inbox is a receiver that takes the deliveries with the secrets it knows.
type inbox struct {
	mu     sync.Mutex
	secret map[string]bool
	got    []http.Header
	bodies []map[string]any
}

func (b *inbox) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	b.got, b.bodies = append(b.got, r.Header), append(b.bodies, body)
	status := http.StatusUnauthorized
	if b.secret[r.Header.Get("X-Webhook-Secret")] {
		status = http.StatusNoContent
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
}

func (b *inbox) accept(secrets ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.secret = map[string]bool{}
	for _, s := range secrets {
		b.secret[s] = true
	}
}

func (b *inbox) count() int { b.mu.Lock(); defer b.mu.Unlock(); return len(b.got) }

func eventsOf(t *testing.T, c client, query string) []eventSeen {
	t.Helper()
	return decode[listPage[eventSeen]](t, c.get("/api/v2/webhook-events?limit=100"+query)).Items
}

func TestAPatchReplacesOrMergesHeaders(t *testing.T) {
	for patch, want := range map[sandbox.HeadersPatch]map[string]string{
		sandbox.HeadersReplaced: {"A": "2"}, sandbox.HeadersMerged: {"A": "2", "B": "1"},
	} {
		srv, admin := inProcess(t, sandbox.Options{})
		srv.SetFaults(sandbox.Faults{PatchHeaders: patch})
		h := newHook(t, admin, `{"target_hook_url":"https://a.example/h","headers":{"A":"1","B":"1"}}`)
		wantStatus(t, admin.send(http.MethodPatch, hooksPath+"/"+h.ID, `{"headers":{"A":"2"}}`), http.StatusOK)
		got := decode[hookSeen](t, admin.get(hooksPath+"/"+h.ID))
		if d := cmp.Diff(want, got.Headers); d != "" || got.URL != "https://a.example/h" {
			t.Error(patch, d)
		}
		wantStatus(t, admin.send(http.MethodPatch, hooksPath+"/"+h.ID, `{"headers":null}`), http.StatusOK)
		if got := decode[hookSeen](t, admin.get(hooksPath+"/"+h.ID)); len(got.Headers) > 0 {
			t.Error(patch, got.Headers)
		}
	}
}

func TestWebhooksThatCannotBeAreRefused(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	h := newHook(t, admin, `{"target_hook_url":"https://a.example/h"}`)
	for body, message := range map[string]string{
		`{"name":"x"}`:                                                        "body must have required property 'target_hook_url'",
		`{"target_hook_url":"ftp://a.example"}`:                               `body/target_hook_url must match pattern "^https?://"`,
		`{"target_hook_url":"https://a.example","event_type":"x"}`:            "body/event_type must be equal to one of the allowed values",
		`{"target_hook_url":"https://a.example","headers":{"A":1}}`:           "body/headers values must be string",
		`{"target_hook_url":"https://a.example","headers":["A"]}`:             "body/headers must be object",
		`{"target_hook_url":"https://a.example","status":1}`:                  "body must NOT have additional properties",
		`{"target_hook_url":"https://a.example","custom_interest_value":"1"}`: "body/custom_interest_value must be number",
	} {
		wantError(t, admin.send(http.MethodPost, hooksPath, body), http.StatusBadRequest, message)
	}
	wantStatus(t, admin.send(http.MethodPatch, hooksPath+"/"+h.ID, `{}`), http.StatusBadRequest)
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		wantStatus(t, admin.send(method, hooksPath+"/nothing", ""), http.StatusNotFound)
	}
	wantStatus(t, admin.send(http.MethodPost, hooksPath+"/nothing/test", ""), http.StatusNotFound)
}

func TestWebhooksSurviveARestartAndAreLogged(t *testing.T) {
	o := sandbox.Options{StateFile: filepath.Join(t.TempDir(), "state.json"), Workspaces: []sandbox.Workspace{acme()}, Deliver: receiver(200)}
	srv, admin := reopen(t, o)
	h := newHook(t, admin, `{"target_hook_url":"https://a.example/h","event_type":"email_sent","headers":{"A":"1"}}`)
	gone := newHook(t, admin, `{"target_hook_url":"https://b.example/h"}`)
	wantStatus(t, admin.send(http.MethodDelete, hooksPath+"/"+gone.ID, ""), http.StatusOK)
	if err := srv.ChangeWebhook(h.ID, func(w *sandbox.Webhook) { w.Headers["A"] = secret.New("2") }); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.Emit(sandbox.Event{}); err != nil {
		t.Fatal(err)
	}
	if err := srv.WaitForDeliveries(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv.Close()
	_, admin = reopen(t, o)
	page := decode[listPage[hookSeen]](t, admin.get(hooksPath))
	if len(page.Items) != 1 || page.Items[0].ID != h.ID || page.Items[0].Headers["A"] != "2" {
		t.Errorf("got %+v", page.Items)
	}
	if e := eventsOf(t, admin, ""); len(e) != 1 || !e[0].Success {
		t.Errorf("deliveries %+v", e)
	}
	if d := cmp.Diff([]int{19, 18, 18}, activities(auditOf(t, admin, ""))); d != "" {
		t.Error(d)
	}
}

func TestARefusedDeliveryIsTriedThreeTimesMoreInThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &inbox{}
		srv, admin := inProcess(t, sandbox.Options{Deliver: box})
		defer srv.Close()
		newHook(t, admin, `{"target_hook_url":"https://a.example/h","event_type":"all_events","headers":{"X-Webhook-Secret":"s"}}`)
		start := time.Now()
		if n, err := srv.Emit(sandbox.Event{Type: "email_link_clicked"}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		synctest.Wait()
		if e := eventsOf(t, admin, "&success=false"); len(e) != 1 || !e[0].WillRetry || e[0].Next == nil || *e[0].Status != 401 {
			t.Errorf("after the first: %+v", e)
		}
		if err := srv.WaitForDeliveries(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("it took %s", took)
		}
		e := eventsOf(t, admin, "")
		if len(e) != 4 || e[0].Retries != 3 || e[0].WillRetry || e[0].Next != nil || *e[0].Problem != "Request failed with status code 401" {
			t.Errorf("deliveries %+v", e)
		}
		if box.bodies[0]["event_type"] != "link_clicked" || box.got[0].Get("Content-Type") != "application/json" {
			t.Errorf("got %v %v", box.bodies[0], box.got[0])
		}
	})
}

// Whoever destroys the old value too early is found out.
func TestARetryCarriesTheHeadersThatTheEventBeganWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &inbox{}
		srv, admin := inProcess(t, sandbox.Options{Deliver: box})
		defer srv.Close()
		h := newHook(t, admin, `{"target_hook_url":"https://a.example/h","event_type":"email_sent","headers":{"X-Webhook-Secret":"old"}}`)
		box.accept("new")
		if _, err := srv.Emit(sandbox.Event{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wantStatus(t, admin.send(http.MethodPatch, hooksPath+"/"+h.ID, `{"headers":{"X-Webhook-Secret":"new"}}`), http.StatusOK)
		time.Sleep(6 * time.Second)
		if n := box.count(); n != 2 {
			t.Fatalf("%d attempts", n)
		}
		box.accept("new", "old")
		if err := srv.WaitForDeliveries(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e := eventsOf(t, admin, ""); len(e) != 3 || !e[0].Success || e[0].Retries != 2 {
			t.Errorf("deliveries %+v", e)
		}
	})
}

func TestAWebhookThatFailsIsDisabledUntilItIsResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &inbox{}
		srv, admin := inProcess(t, sandbox.Options{Deliver: box})
		defer srv.Close()
		srv.SetFaults(sandbox.Faults{DisableAfter: 2})
		h := newHook(t, admin, `{"target_hook_url":"https://a.example/h","event_type":"email_sent","headers":{"X-Webhook-Secret":"s"}}`)
		emit := func() int {
			n, err := srv.Emit(sandbox.Event{})
			if err := errors.Join(err, srv.WaitForDeliveries(t.Context())); err != nil {
				t.Fatal(err)
			}
			return n
		}
		emit()
		if s := decode[hookSeen](t, admin.get(hooksPath+"/"+h.ID)).Status; s != 1 {
			t.Errorf("status %d after one failure", s)
		}
		emit()
		if got := decode[hookSeen](t, admin.get(hooksPath+"/"+h.ID)); got.Status != -1 || got.Failed == nil {
			t.Errorf("got %+v", got)
		}
		if n := emit(); n != 0 {
			t.Error("a disabled webhook is delivered to")
		}
		wantStatus(t, admin.send(http.MethodPost, hooksPath+"/"+h.ID+"/resume", ""), http.StatusOK)
		box.accept("s")
		if n := emit(); n != 1 {
			t.Error("a resumed webhook is not delivered to")
		}
		if d := cmp.Diff([]int{21, 20, 18}, activities(auditOf(t, admin, ""))); d != "" {
			t.Error(d)
		}
	})
}

func TestATestDeliveryTellsWhatTheReceiverSaid(t *testing.T) {
	type tested struct {
		Success bool   `json:"success"`
		Status  int    `json:"status_code"`
		Error   string `json:"error"`
	}
	box := &inbox{}
	_, admin := inProcess(t, sandbox.Options{Deliver: box})
	h := newHook(t, admin, `{"target_hook_url":"https://a.example/h","headers":{"X-Webhook-Secret":"s"}}`)
	for _, want := range []tested{{false, 401, "Request failed with status code 401"}, {true, 204, ""}} {
		a := admin.send(http.MethodPost, hooksPath+"/"+h.ID+"/test", "")
		wantStatus(t, a, http.StatusOK)
		if d := cmp.Diff(want, decode[tested](t, a)); d != "" {
			t.Error(d)
		}
		box.accept("s")
	}
	if e := eventsOf(t, admin, ""); len(e) != 0 {
		t.Errorf("deliveries %+v", e)
	}
}

// A receiver that asks the API meanwhile is not kept waiting.
func TestDeliveriesDoNotHoldUpCalls(t *testing.T) {
	var admin client
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(admin.get("/api/v2/workspaces/current").status)
	}))
	defer hooks.Close()
	srv, c := inProcess(t, sandbox.Options{})
	defer srv.Close()
	admin = c
	h := newHook(t, admin, `{"target_hook_url":"`+hooks.URL+`","event_type":"all_events"}`)
	a := admin.send(http.MethodPost, hooksPath+"/"+h.ID+"/test", "")
	wantStatus(t, a, http.StatusOK)
	if _, err := srv.Emit(sandbox.Event{}); err != nil {
		t.Fatal(err)
	}
	if err := srv.WaitForDeliveries(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := eventsOf(t, admin, ""); len(e) != 1 || !e[0].Success {
		t.Errorf("deliveries %+v, test %s", e, a.text)
	}
}

func TestEventsReachTheWebhooksThatAreForThem(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{Deliver: receiver(200)})
	defer srv.Close()
	for _, body := range []string{
		`{"target_hook_url":"https://all.example","event_type":"all_events"}`,
		`{"target_hook_url":"https://sent.example","event_type":"email_sent"}`,
		`{"target_hook_url":"https://label.example","custom_interest_value":1}`,
		`{"target_hook_url":"https://one.example","event_type":"email_sent","campaign":"c"}`,
	} {
		newHook(t, admin, body)
	}
	for want, e := range map[int]sandbox.Event{
		1: {Type: "lead_closed"}, 2: {Type: "email_sent"}, 3: {Type: "email_sent", Campaign: "c"},
	} {
		if n, err := srv.Emit(e); n != want || err != nil {
			t.Errorf("%+v: %d, %v", e, n, err)
		}
	}
	for _, e := range []sandbox.Event{{Type: "all_events"}, {Type: "x"}, {WorkspaceID: "nowhere"}} {
		if _, err := srv.Emit(e); err == nil {
			t.Errorf("%+v is emitted", e)
		}
	}
}

func TestWebhooksAndEventsOverHTTP(t *testing.T) {
	srv, c := inProcess(t, sandbox.Options{Deliver: receiver(200)})
	defer srv.Close()
	wantStatus(t, c.send(http.MethodPost, "/_sandbox/webhooks", `{"target_hook_url":"https://a.example/h","headers":{"X-Webhook-Secret":"canary"}}`), http.StatusOK)
	wantStatus(t, c.send(http.MethodPost, "/_sandbox/webhooks", `{"target_hook_url":"a.example"}`), http.StatusBadRequest)
	a := c.get("/_sandbox/webhooks")
	type hook struct {
		ID      string   `json:"id"`
		Headers []string `json:"headers"`
	}
	hooks := decode[[]hook](t, a)
	if d := cmp.Diff([]string{"X-Webhook-Secret"}, hooks[0].Headers); d != "" {
		t.Error(d)
	}
	if a := c.send(http.MethodPost, "/_sandbox/events", `{"event_type":"email_sent"}`); a.text != `{"deliveries":1}` {
		t.Errorf("got %s", a.text)
	}
	wantStatus(t, c.send(http.MethodPost, "/_sandbox/events", `{"event_type":"x"}`), http.StatusBadRequest)
	if err := srv.WaitForDeliveries(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := c.get("/_sandbox/deliveries"); a.text != `{"pending":0}` {
		t.Errorf("got %s", a.text)
	}
	wantStatus(t, c.send(http.MethodDelete, "/_sandbox/webhooks/"+hooks[0].ID, ""), http.StatusNoContent)
	wantStatus(t, c.send(http.MethodDelete, "/_sandbox/webhooks/"+hooks[0].ID, ""), http.StatusNotFound)
}

func TestWebhookFaultsThatCannotBe(t *testing.T) {
	for _, f := range []sandbox.Faults{{PatchHeaders: "some"}, {WebhookHeaders: "half"}, {DisableAfter: -1}, {RetryWithin: -1}} {
		if f.Check() == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
}
