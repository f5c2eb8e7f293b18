package instantly_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	headerValue = "HEADERcanaryNTU0NDMzMjIx"
	hookID      = "019ffad2-5cf8-732d-8cf0-4144af749c8b"
	hookBody    = `{"id":"` + hookID + `","organization":"org","target_hook_url":"https://n8n.example:8443/hook/abc?t=1","name":null,
		"event_type":"email_sent","campaign":null,"custom_interest_value":null,"status":-1,
		"headers":{"X-Webhook-Secret":"` + headerValue + `","X-Team":"growth","X-Empty":""},
		"timestamp_created":"2026-08-13T11:11:58.201Z","timestamp_error":"2026-08-14T11:11:58.201Z"}`
)

func hookHeaders() map[string]secret.Value {
	return map[string]secret.Value{"X-Webhook-Secret": secretOf(headerValue), "X-Team": secretOf("growth"), "X-Empty": {}}
}

func wantedHook() instantly.Webhook {
	return instantly.Webhook{
		ID: hookID, Organization: "org", URL: "https://n8n.example:8443/hook/abc?t=1", EventType: "email_sent",
		Status: instantly.WebhookDisabled, Headers: hookHeaders(),
		Created: time.Date(2026, 8, 13, 11, 11, 58, 201e6, time.UTC), Failed: time.Date(2026, 8, 14, 11, 11, 58, 201e6, time.UTC),
	}
}

func TestWebhooksAreReadWithAllTheirHeaders(t *testing.T) {
	c := newClient(t, inTurn(`{"items":[`+hookBody+`,{"id":"b","target_hook_url":"","headers":null,"status":null}],"next_starting_after":"b"}`, `{"items":[`+hookBody+`]}`))
	hooks, err := c.Webhooks(t.Context())
	if diff := cmp.Diff([]instantly.Webhook{wantedHook(), {ID: "b"}}, hooks); diff != "" || err != nil {
		t.Error(diff, err)
	}
	hook, err := newClient(t, always(200, hookBody)).Webhook(t.Context(), hookID)
	if diff := cmp.Diff(wantedHook(), hook); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if o := hook.Origin(); o != "https://n8n.example:8443" {
		t.Errorf("origin %q", o)
	}
}

func TestAnAnswerAboutAnotherWebhookIsNotTaken(t *testing.T) {
	c := newClient(t, always(200, hookBody))
	_, err := c.Webhook(t.Context(), "another")
	wantIs(t, err, instantly.ErrMalformed)
	_, err = c.SetWebhookHeaders(t.Context(), "another", nil)
	wantIs(t, err, instantly.ErrMalformed, instantly.ErrOutcomeUnknown)
}

// What is sent back whole must have been read whole.
func TestAWebhookWithAHeaderThatIsNoTextIsUnreadable(t *testing.T) {
	for _, headers := range []string{`{"A":1}`, `{"A":null}`, `[]`, `"A"`, `{"A":["x"]}`, `{"A":{"B":"` + headerValue + `"}}`} {
		api := always(200, `{"id":"`+hookID+`","headers":`+headers+`}`)
		_, err := newClient(t, api).Webhook(t.Context(), hookID)
		if err == nil || err.Error() != "instantly: read webhook "+hookID+": unreadable answer (HTTP 200): a field is of the wrong type" {
			t.Errorf("%s: %v", headers, err)
		}
	}
}

func TestHeadersAreSetAsOneWholeMap(t *testing.T) {
	api := always(200, hookBody)
	hook, err := newClient(t, api).SetWebhookHeaders(t.Context(), hookID, hookHeaders())
	if diff := cmp.Diff(wantedHook(), hook); diff != "" || err != nil {
		t.Error(diff, err)
	}
	got := api.requests()[0]
	want := `{"headers":{"X-Empty":"","X-Team":"growth","X-Webhook-Secret":"` + headerValue + `"}}`
	if got.Method != http.MethodPatch || got.URL != "https://api.instantly.ai/api/v2/webhooks/"+hookID || got.Body != want {
		t.Errorf("%s %s %s", got.Method, got.URL, got.Body)
	}
	api = always(200, hookBody)
	if _, err := newClient(t, api).SetWebhookHeaders(t.Context(), hookID, nil); err != nil || api.requests()[0].Body != `{"headers":{}}` {
		t.Error(api.requests()[0].Body, err)
	}
}

// A late second request could undo what was done meanwhile; a second test is a second
// delivery.
func TestWhatChangesAWebhookIsAskedForOnce(t *testing.T) {
	for _, tc := range answerCases() {
		for name, call := range map[string]func(context.Context, *instantly.Client) error{
			"set headers": func(ctx context.Context, c *instantly.Client) error {
				_, err := c.SetWebhookHeaders(ctx, hookID, hookHeaders())
				return err
			},
			"test": func(ctx context.Context, c *instantly.Client) error {
				_, err := c.TestWebhook(ctx, wantedHook())
				return err
			},
			"resume": func(ctx context.Context, c *instantly.Client) error { return c.ResumeWebhook(ctx, hookID) },
		} {
			if name == "resume" && tc.status == 200 {
				continue // any success will do
			}
			synctest.Test(t, func(t *testing.T) {
				api := always(tc.status, tc.body, tc.header...)
				err := call(t.Context(), newClient(t, api, withRetries))
				wantIs(t, err, tc.class)
				refused := tc.status >= 400 && tc.status < 500
				if errors.Is(err, instantly.ErrOutcomeUnknown) == refused {
					t.Errorf("%s, %s: error %v: outcome unknown: %v", name, tc.name, err, !refused)
				}
				if n := len(api.requests()); n != 1 {
					t.Errorf("%s, %s: asked %d times", name, tc.name, n)
				}
			})
		}
	}
}

func TestATestDeliveryThatIsRefusedIsNoError(t *testing.T) {
	for body, want := range map[string]instantly.WebhookTest{
		`{"success":true,"message":"ok","response_time_ms":12.5,"status_code":204}`: {Success: true, Status: 204, Message: "ok", Took: 12500 * time.Microsecond},
		`{"success":false,"status_code":401,"error":"Request failed with status code 401"}`: {
			Status: 401, Problem: "Request failed with status code 401",
		},
		`{"success":false,"error":"got ` + headerValue + ` of x","response_time_ms":-1}`: {Problem: "got [redacted] of x"},
	} {
		api := always(200, body)
		got, err := newClient(t, api).TestWebhook(t.Context(), wantedHook())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if r := api.requests()[0]; r.Method != http.MethodPost || r.Body != "" || !strings.HasSuffix(r.URL, hookID+"/test") {
			t.Errorf("%s %s %q", r.Method, r.URL, r.Body)
		}
	}
	_, err := newClient(t, always(200, `{"error":"ACC_NOT_FOUND"}`)).TestWebhook(t.Context(), wantedHook())
	wantIs(t, err, instantly.ErrMalformed, instantly.ErrOutcomeUnknown)
}

func TestIDsThatCannotBeAreNotAskedFor(t *testing.T) {
	api := always(200, hookBody)
	c := newClient(t, api)
	for _, id := range []string{"", "../x", "a b", "a?b"} {
		_, getErr := c.Webhook(t.Context(), id)
		_, setErr := c.SetWebhookHeaders(t.Context(), id, nil)
		_, testErr := c.TestWebhook(t.Context(), instantly.Webhook{ID: id})
		for _, err := range []error{getErr, setErr, testErr, c.ResumeWebhook(t.Context(), id), c.DeleteMember(t.Context(), id)} {
			wantIs(t, err, instantly.ErrBadRequest)
		}
	}
	if n := len(api.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestNoTextTellsAHeader(t *testing.T) {
	for name, api := range faults() {
		if strings.HasPrefix(name, "transport") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			c := newClient(t, api)
			set, setErr := c.SetWebhookHeaders(t.Context(), hookID, map[string]secret.Value{"A": secretOf(keyValue)})
			test, testErr := c.TestWebhook(t.Context(), instantly.Webhook{ID: hookID, Headers: map[string]secret.Value{"A": secretOf(keyValue)}})
			wantNone(t, piecesOf(adminValue, keyValue), set, setErr, test, testErr)
		})
	}
}

func TestAWebhookPrintsNoHeader(t *testing.T) {
	w := wantedHook()
	wantNone(t, piecesOf(headerValue), w, &w, []instantly.Webhook{w})
}

func TestDeliveriesAreRead(t *testing.T) {
	body := `{"items":[
		{"id":"1","timestamp_created":"2026-08-01T10:00:00.000Z","organization_id":"org","success":false,"retry_count":1,"will_retry":true,
		 "webhook_url":"https://a.example/h","status_code":401,"error_message":"` + hidden + `","payload":{"a":"` + hidden + `"},
		 "timestamp_next_retry":"2026-08-01T10:00:15.000Z","retry_group_id":"g","lead_email":"l@x.example","response_time_ms":150},
		{"id":"2","timestamp_created":"2026-08-01T10:00:01.000Z","success":true,"retry_count":0,"will_retry":false,"webhook_url":"https://a.example/h","status_code":200},
		{"id":"3","timestamp_created":"2026-07-31T23:00:00.000Z","success":false,"webhook_url":"https://a.example/h","status_code":null}]}`
	api := inTurn(body)
	got, err := newClient(t, api).WebhookEvents(t.Context(), instantly.WebhookEventQuery{
		Since: time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC), FailedOnly: true,
	})
	want := []instantly.WebhookEvent{{
		ID: "1", At: time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC), Organization: "org", URL: "https://a.example/h",
		Status: 401, Retries: 1, WillRetry: true, NextRetry: time.Date(2026, 8, 1, 10, 0, 15, 0, time.UTC),
		Group: "g", Took: 150 * time.Millisecond,
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if u := api.requests()[0].URL; u != "https://api.instantly.ai/api/v2/webhook-events?from=2026-07-31&limit=100&success=false" {
		t.Error(u)
	}
	wantNone(t, piecesOf(), got)
}

// A busy webhook has more pages than the rate limit allows for.
func TestDeliveriesAreReadUntilTheyAreTooOld(t *testing.T) {
	page := func(next string, times ...string) string {
		var items []string
		for _, at := range times {
			items = append(items, `{"id":"`+at+`","timestamp_created":"2026-08-01T`+at+`:00:00Z","webhook_url":"u"}`)
		}
		return pageOf(next, items...)
	}
	for name, tc := range map[string]struct {
		pages []string
		asked int
		got   int
	}{
		"newest first": {[]string{page("1", "13", "12"), page("2", "11", "09"), page("", "08")}, 2, 3},
		"oldest first": {[]string{page("1", "08", "09"), page("2", "11", "12"), page("", "13")}, 3, 3},
		"one a page":   {[]string{page("1", "08"), page("2", "12"), page("", "13")}, 3, 2},
		"no order":     {[]string{page("1", "13", "09", "12"), page("2", "08"), page("", "11")}, 3, 3},
		"no time":      {[]string{page("1", "13", "x", "09"), page("", "11")}, 2, 3},
	} {
		api := inTurn(tc.pages...)
		got, err := newClient(t, api).WebhookEvents(t.Context(), instantly.WebhookEventQuery{Since: time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC)})
		if n := len(api.requests()); err != nil || n != tc.asked || len(got) != tc.got {
			t.Errorf("%s: %d of %d deliveries after %d pages of %d: %v", name, len(got), tc.got, n, tc.asked, err)
		}
	}
}
