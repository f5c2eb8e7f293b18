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

func secretOf(s string) secret.Value    { return secret.New(s) }
func sameSecret(a, b secret.Value) bool { return a.Equal(b) }

func TestCreateSendsNameAndScopesOnly(t *testing.T) {
	api := always(201, keyBody)
	if _, err := newClient(t, api).CreateKey(t.Context(), "a name", []string{"leads:read", "new_thing:peek"}); err != nil {
		t.Fatal(err)
	}
	r := api.requests()[0]
	if r.Method != "POST" || r.URL != "https://api.instantly.ai/api/v2/api-keys" {
		t.Errorf("%s %s", r.Method, r.URL)
	}
	if want := `{"name":"a name","scopes":["leads:read","new_thing:peek"]}`; r.Body != want {
		t.Errorf("body %s, want %s", r.Body, want)
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
}

func TestCreateWithoutScopesSendsAnEmptyList(t *testing.T) {
	api := always(200, keyBody)
	_, _ = newClient(t, api).CreateKey(t.Context(), "n", nil)
	if want := `{"name":"n","scopes":[]}`; api.requests()[0].Body != want {
		t.Errorf("body %s, want %s", api.requests()[0].Body, want)
	}
}

func TestCreateWithoutUsableKeyIsMalformedAndUnknown(t *testing.T) {
	for name, body := range map[string]string{
		"empty":            ``,
		"html":             `<html>`,
		"truncated":        keyBody[:40],
		"no id":            `{"key":"abc"}`,
		"no key":           `{"id":"a"}`,
		"empty key":        `{"id":"a","key":""}`,
		"null key":         `{"id":"a","key":null}`,
		"key not a string": `{"id":"a","key":["abc"]}`,
		"key not printed":  `{"id":"a","key":"ab\ncd"}`,
		"key with a space": `{"id":"a","key":"ab cd"}`,
		"key not ASCII":    `{"id":"a","key":"abcé"}`,
		"an error":         `{"error":"nope"}`,
		"error and a key":  `{"id":"a","key":"abc","error":"nope"}`,
		"id of a path":     `{"id":"../../workspaces/current","key":"abc"}`,
		"id with a query":  `{"id":"a?b","key":"abc"}`,
		"id of dots":       `{"id":"..","key":"abc"}`,
		"id with a space":  `{"id":"a b","key":"abc"}`,
		"id not ASCII":     `{"id":"é","key":"abc"}`,
		"id too long":      `{"id":"` + strings.Repeat("a", 129) + `","key":"abc"}`,
	} {
		t.Run(name, func(t *testing.T) {
			key, err := newClient(t, always(200, body)).CreateKey(t.Context(), "n", nil)
			wantIs(t, err, instantly.ErrMalformed, instantly.ErrOutcomeUnknown)
			if key.ID != "" || !key.Secret.IsZero() {
				t.Errorf("a key beside an error: %+v", key)
			}
		})
	}
}

func TestIDMayBeAnyPlainToken(t *testing.T) {
	for _, id := range []string{"a", "7", "019ffad2-9b7d-7279-a70d-81e4b5ba7965", "Key_1-b", strings.Repeat("a", 128)} {
		key, err := newClient(t, always(200, `{"id":"`+id+`","key":"abc"}`)).CreateKey(t.Context(), "n", nil)
		if err != nil || key.ID != id {
			t.Errorf("%q: id %q, error %v", id, key.ID, err)
		}
	}
}

func TestCreateThatWasNeverSentHasAKnownOutcome(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	api := always(200, keyBody)
	_, err := newClient(t, api).CreateKey(ctx, "n", nil)
	wantIs(t, err, context.Canceled)
	if errors.Is(err, instantly.ErrOutcomeUnknown) || len(api.requests()) != 0 {
		t.Errorf("%d requests, error %v", len(api.requests()), err)
	}
}

func TestCreateThatTimesOutHasAnUnknownOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, silent{})
		_, err := c.CreateKey(t.Context(), "n", nil)
		wantIs(t, err, instantly.ErrOutcomeUnknown, instantly.ErrUnavailable, context.DeadlineExceeded)
	})
}

// silent never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestDeleteIsDoneWhateverThe2xxSays(t *testing.T) {
	for name, resp := range map[string]func() *http.Response{
		"documented": func() *http.Response { return reply(200, keyBody) },
		"empty":      func() *http.Response { return reply(200, "") },
		"204":        func() *http.Response { return reply(204, "") },
		"html":       func() *http.Response { return reply(200, "<html>") },
		"broken off": func() *http.Response { return replyFrom(200, breaksOff("{")) },
		"huge":       func() *http.Response { return reply(200, strings.Repeat("x", 2<<20)) },
		"gone":       func() *http.Response { return reply(404, `{"message":"Resource not found"}`) },
		"gone, mute": func() *http.Response { return reply(404, "") },
	} {
		t.Run(name, func(t *testing.T) {
			api := &fakeAPI{answer: func(int, sent) (*http.Response, error) { return resp(), nil }}
			if err := newClient(t, api).DeleteKey(t.Context(), keyID); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDeleteThatIsAnsweredWithAnErrorIsNotDone(t *testing.T) {
	c := newClient(t, always(200, `{"error":"ACC_NOT_FOUND"}`))
	wantIs(t, c.DeleteKey(t.Context(), keyID), instantly.ErrMalformed)
	wantIs(t, c.CheckDelete(t.Context()), instantly.ErrMalformed)
}

func TestDeleteFailsOnAnythingElse(t *testing.T) {
	for _, tc := range answerCases() {
		if tc.class == instantly.ErrNotFound || tc.status < 300 {
			continue
		}
		err := newClient(t, always(tc.status, tc.body, tc.header...)).DeleteKey(t.Context(), keyID)
		if !errors.Is(err, tc.class) {
			t.Errorf("%s: error %v", tc.name, err)
		}
	}
}

func TestDeleteSendsNoBodyAndNoContentType(t *testing.T) {
	api := always(200, "")
	if err := newClient(t, api).DeleteKey(t.Context(), keyID); err != nil {
		t.Fatal(err)
	}
	r := api.requests()[0]
	if _, has := r.Header["Content-Type"]; has || r.Body != "" {
		t.Errorf("body %q, header %v", r.Body, r.Header)
	}
}

func TestDeleteRefusesAnIDThatIsNone(t *testing.T) {
	for _, id := range []string{"", ".", "..", "../../workspaces/current", "a b", "a?b", "a%2fb", strings.Repeat("a", 129)} {
		api := always(200, "")
		err := newClient(t, api).DeleteKey(t.Context(), id)
		wantIs(t, err, instantly.ErrBadRequest)
		if len(api.requests()) != 0 {
			t.Errorf("%q: sent", id)
		}
	}
}

func TestDeleteWhoseAnswerWasLostIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
			if n == 0 {
				return nil, errors.New("lost")
			}
			return reply(404, `{"message":"Resource not found"}`), nil
		}}
		if err := newClient(t, api, withRetries).DeleteKey(t.Context(), keyID); err != nil {
			t.Error(err)
		}
	})
}

func TestCheckDeleteAsksForAnotherIDEachTime(t *testing.T) {
	api := always(404, `{"message":"Resource not found"}`)
	c := newClient(t, api)
	for range 2 {
		if err := c.CheckDelete(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r := api.requests()
	if r[0].Method != "DELETE" || r[0].URL == r[1].URL {
		t.Errorf("%s %s, then %s", r[0].Method, r[0].URL, r[1].URL)
	}
}

func TestCheckDeleteNamesTheMissingScope(t *testing.T) {
	err := newClient(t, always(401, scopeBody)).CheckDelete(t.Context())
	wantIs(t, err, instantly.ErrScope)
	if err != nil && !strings.Contains(err.Error(), "api_keys:delete") {
		t.Error(err)
	}
}

func TestCheckDeleteTrustsNoOtherAnswer(t *testing.T) {
	for _, tc := range answerCases() {
		if tc.class == instantly.ErrNotFound || tc.status < 300 {
			continue
		}
		err := newClient(t, always(tc.status, tc.body, tc.header...)).CheckDelete(t.Context())
		if !errors.Is(err, tc.class) {
			t.Errorf("%s: error %v", tc.name, err)
		}
	}
}

func TestOrganizationIsEmptyWhereTheKeyMayNotAsk(t *testing.T) {
	for name, api := range map[string]*fakeAPI{
		"seen":       always(401, scopeBody),
		"documented": always(403, `{"message":"no"}`),
	} {
		if id, err := newClient(t, api).Organization(t.Context()); id != "" || err != nil {
			t.Errorf("%s: %q, error %v", name, id, err)
		}
	}
}

func TestOrganizationIsTheWorkspace(t *testing.T) {
	id, err := newClient(t, always(200, `{"id":"org","name":"W","plan_id":null}`)).Organization(t.Context())
	if id != "org" || err != nil {
		t.Errorf("%q, error %v", id, err)
	}
}

func TestOrganizationOfADeadKeyIsAnError(t *testing.T) {
	_, err := newClient(t, always(401, deadBody)).Organization(t.Context())
	wantIs(t, err, instantly.ErrUnauthorized)
}

func TestWorkspaceWithoutIDIsMalformed(t *testing.T) {
	_, err := newClient(t, always(200, `{"name":"W"}`)).Workspace(t.Context())
	wantIs(t, err, instantly.ErrMalformed)
}

func TestMembersAndSubWorkspacesAreRead(t *testing.T) {
	members, err := newClient(t, inTurn(`{"items":[{"id":"m","email":"a@b.c","user_id":"u","role":"admin","workspace_id":"w","accepted":true,"user_email":null}]}`)).Members(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]instantly.Member{{ID: "m", Email: "a@b.c", UserID: "u", Role: "admin", Workspace: "w", Accepted: true}}, members); diff != "" {
		t.Error(diff)
	}
	subs, err := newClient(t, inTurn(`{"items":[{"id":"g","sub_workspace_id":"s","admin_workspace_id":"w","status":"accepted","sub_workspace_name":null}]}`)).SubWorkspaces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]instantly.SubWorkspace{{ID: "s", Admin: "w", Status: "accepted"}}, subs); diff != "" {
		t.Error(diff)
	}
}

func TestAuditLogsKeepUnknownActivitiesAndTimes(t *testing.T) {
	body := `{"items":[
		{"id":"1","timestamp":"2026-08-01T10:00:00.000Z","activity_type":37,"from_api":true,"api_key_id":"k","user_id":null},
		{"id":"2","timestamp":"2026-08-01T12:00:00.000Z","activity_type":39.0,"from_api":false,"api_key_id":null},
		{"id":"3","timestamp":"?","activity_type":1234}]}`
	logs, err := newClient(t, inTurn(body)).AuditLogs(t.Context(), instantly.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	want := []instantly.AuditLog{
		{ID: "1", At: time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC), Activity: instantly.KeyCreated, FromAPI: true, KeyID: "k"},
		{ID: "2", At: time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC), Activity: 39},
		{ID: "3", Activity: 1234},
	}
	if diff := cmp.Diff(want, logs); diff != "" {
		t.Error(diff)
	}
}

func TestAuditLogsAreCutToTheTimesAsked(t *testing.T) {
	body := `{"items":[
		{"id":"before","timestamp":"2026-08-01T09:59:59.999Z","activity_type":37},
		{"id":"since","timestamp":"2026-08-01T10:00:00.000Z","activity_type":37},
		{"id":"other","timestamp":"2026-08-01T10:30:00.000Z","activity_type":38},
		{"id":"until","timestamp":"2026-08-01T11:00:00.000Z","activity_type":37},
		{"id":"after","timestamp":"2026-08-01T11:00:00.001Z","activity_type":37},
		{"id":"unknown","activity_type":37}]}`
	api := inTurn(body)
	logs, err := newClient(t, api).AuditLogs(t.Context(), instantly.AuditQuery{
		Since:    time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC),
		Until:    time.Date(2026, 8, 1, 11, 0, 0, 0, time.UTC),
		Activity: instantly.KeyCreated,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range logs {
		got = append(got, l.ID)
	}
	if diff := cmp.Diff([]string{"since", "until", "unknown"}, got); diff != "" {
		t.Error(diff)
	}
	want := "https://api.instantly.ai/api/v2/audit-logs?activity_type=37&end_date=2026-08-03&limit=1000&start_date=2026-07-31"
	if url := api.requests()[0].URL; url != want {
		t.Errorf("URL %s, want %s", url, want)
	}
}
