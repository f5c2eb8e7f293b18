package main_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whoever tries out a receiver gets deliveries from the binary's own sandbox, and sees
// there what became of them.
func TestTheSandboxDeliversToAReceiver(t *testing.T) {
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Webhook-Secret") != "right" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer hooks.Close()
	box := sandboxFor(t, "--state", filepath.Join(t.TempDir(), "state.json"), "--admin-scopes", "api_keys:all,webhooks:all,webhook_events:read")
	for _, call := range [][3]string{
		{http.MethodPut, "faults", `{"retry_within": "10ms"}`},
		{http.MethodPost, "webhooks", `{"target_hook_url": "` + hooks.URL + `", "headers": {"X-Webhook-Secret": "right"}}`},
		{http.MethodPost, "webhooks", `{"target_hook_url": "` + hooks.URL + `/wrong", "headers": {"X-Webhook-Secret": "wrong"}}`},
		{http.MethodPost, "events", `{"event_type": "reply_received"}`},
	} {
		if _, err := box.control(call[0], call[1], call[2]); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(waitLimit); ; time.Sleep(5 * time.Millisecond) {
		pending, err := box.control(http.MethodGet, "deliveries", "")
		if err != nil || time.Now().After(end) {
			t.Fatalf("deliveries under way: %s, %v", pending, err)
		}
		if string(pending) == `{"pending":0}` {
			break
		}
	}
	events, err := box.call(http.MethodGet, "/api/v2/webhook-events?limit=100", "", box.adminKey)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(events), `"success":true`); got != 1 {
		t.Errorf("%d deliveries were accepted: %s", got, events)
	}
	if got := strings.Count(string(events), `"status_code":401`); got != 4 {
		t.Errorf("%d deliveries were refused: %s", got, events)
	}
}
