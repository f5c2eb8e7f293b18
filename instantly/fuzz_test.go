package instantly_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func FuzzDecodeKeys(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"items":[]}`, `{"items":[` + keyBody + `]}`, `{"items":[` + keyBody + `,` + keyBody + `],"next_starting_after":"x"}`,
		`{"items":[{"id":"a","key":1,"scopes":null,"timestamp_created":false}]}`, `{"items":"CANARY"}`, `{"items":[{"id":{"CANARY":1}}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		// The page is followed by one with a canary that is never well-formed.
		api := inTurn(body, `{"items":[{"id":"CANARY",`)
		keys, err := newClient(t, api).Keys(t.Context())
		if err == nil {
			for _, k := range keys {
				if k.ID == "" || strings.ContainsFunc(k.ID, unicode.IsSpace) {
					t.Errorf("id %q", k.ID)
				}
			}
			return
		}
		if keys != nil || !errors.Is(err, instantly.ErrMalformed) || instantly.VerdictOf(err) != instantly.Indeterminate {
			t.Errorf("%d keys, error %v", len(keys), err)
		}
		wantFixedText(t, err)
	})
}

// wantFixedText fails if the error has any text beyond the client's own.
func wantFixedText(t *testing.T, err error) {
	t.Helper()
	for _, reason := range []string{
		"not JSON", "a field is of the wrong type", "a page without items", "a key without an id, or with none that can be one",
		"the cursor repeats", "the answer is too large",
	} {
		if err.Error() == "instantly: list API keys: unreadable answer (HTTP 200): "+reason {
			return
		}
	}
	t.Errorf("a text from elsewhere: %v", err)
}

func FuzzDecodeLists(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"items":[]}`, `{"items":[` + hookBody + `]}`, `{"items":[{"id":"a","headers":{"A":1}}]}`,
		`{"items":[{"id":"a","activity_type":-1e300,"affected_count":0.5,"audit_metadata":{"a":[{"b":"c"}]}}]}`,
		`{"items":[{"id":"a","status":1e99,"status_code":-1,"response_time_ms":1e99,"name":{"first":1}}]}`,
		`{"items":[{"id":"CANARY","headers":{"CANARY":["CANARY"]},"bl_value":7}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c := newClient(t, inTurn(body, `{"items":[{"id":"CANARY",`))
		_, membersErr := c.Members(t.Context())
		_, auditErr := newClient(t, inTurn(body, `{"items":[{`)).AuditLogs(t.Context(), instantly.AuditQuery{})
		hooks, hooksErr := newClient(t, inTurn(body, `{"items":[{`)).Webhooks(t.Context())
		_, eventsErr := newClient(t, inTurn(body, `{"items":[{`)).WebhookEvents(t.Context(), instantly.WebhookEventQuery{})
		_, blockErr := newClient(t, inTurn(body, `{"items":[{`)).BlockList(t.Context())
		for _, w := range hooks {
			if w.ID == "" || strings.ContainsFunc(w.ID, unicode.IsSpace) {
				t.Errorf("id %q", w.ID)
			}
		}
		for _, err := range []error{membersErr, auditErr, hooksErr, eventsErr, blockErr} {
			if err == nil {
				continue
			}
			if !errors.Is(err, instantly.ErrMalformed) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("error %v", err)
			}
		}
	})
}

func FuzzErrorBody(f *testing.F) {
	for _, status := range []int{400, 401, 403, 404, 429, 500} {
		for _, body := range shapes(status) {
			f.Add(status, body)
		}
		for _, body := range tellingBodies(status) {
			if len(body) < 1000 {
				f.Add(status, body)
			}
		}
	}
	f.Add(401, scopeBody)
	f.Add(401, deadBody)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 300 || status > 599 {
			return
		}
		_, err := newClient(t, always(status, body)).Workspace(t.Context())
		var e *instantly.Error
		if !errors.As(err, &e) || e.Status != status {
			t.Fatalf("error %v", err)
		}
		for _, text := range append([]string{e.Code, e.Message}, e.Found...) {
			if len([]rune(text)) > 200 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("text %q", text)
			}
		}
		for i := 0; i+6 <= len(adminValue); i++ {
			if strings.Contains(fmt.Sprintf("%v %q", e, e.Found), adminValue[i:i+6]) {
				t.Fatalf("a piece of the key: %v", e)
			}
		}
		if v := instantly.VerdictOf(err); v != instantly.Indeterminate && status != 401 {
			t.Errorf("status %d is %v", status, v)
		}
	})
}
