package instantly_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

const mayNot = `{"statusCode":401,"error":"Unauthorized","message":"Invalid scope. Required: x:read. Found: api_keys:all, leads:read"}`

func TestCheckCreateTellsWhetherKeysCouldBeCreated(t *testing.T) {
	if err := newClient(t, always(400, `{"statusCode":400,"error":"Bad Request","message":"body must have required property 'name'"}`)).CheckCreate(t.Context()); err != nil {
		t.Errorf("refused for its content alone: %v", err)
	}
	wantIs(t, newClient(t, always(401, mayNot)).CheckCreate(t.Context()), instantly.ErrScope)
	wantIs(t, newClient(t, always(503, "")).CheckCreate(t.Context()), instantly.ErrUnavailable)
}

// Were a key created all the same, it is deleted at once.
func TestCheckCreateLeavesNoKey(t *testing.T) {
	api := &fakeAPI{answer: func(int, sent) (*http.Response, error) { return reply(200, `{"id":"made","key":"abcdefgh"}`), nil }}
	if err := newClient(t, api).CheckCreate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sent []string
	for _, r := range api.requests() {
		sent = append(sent, r.Method+" "+r.URL)
	}
	if !slices.Equal(sent, []string{"POST https://api.instantly.ai/api/v2/api-keys", "DELETE https://api.instantly.ai/api/v2/api-keys/made"}) {
		t.Errorf("sent %v", sent)
	}
}

func TestAttestedScopesAreThoseThatARefusalNames(t *testing.T) {
	scopes, attested, err := newClient(t, always(401, mayNot)).AttestedScopes(t.Context())
	if err != nil || !attested || !slices.Equal(scopes, []string{"api_keys:all", "leads:read"}) {
		t.Errorf("%v, %v, %v", scopes, attested, err)
	}
	if _, attested, err := newClient(t, always(200, `{"items":[]}`)).AttestedScopes(t.Context()); attested {
		t.Errorf("a key that may read everything has attested scopes, %v", err)
	}
	_, _, err = newClient(t, always(402, "")).AttestedScopes(t.Context())
	wantIs(t, err, instantly.ErrPlan)
}

func TestAnswersTellTheTimeAndWhatIsLeftOfTheBudget(t *testing.T) {
	var seen instantly.Call
	api := always(200, `{"id":"w"}`, "Date", "Sun, 29 Nov 2026 10:00:00 GMT", "X-Ratelimit-Limit", "6000", "X-Ratelimit-Remaining", "12")
	c := newClient(t, api, func(o *instantly.Options) { o.Observe = func(c instantly.Call) { seen = c } })
	if _, err := c.Workspace(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := instantly.RateLimit{Known: true, Limit: 6000, Remaining: 12}
	if !seen.Date.Equal(time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)) || seen.RateLimit != want {
		t.Errorf("%+v", seen)
	}
}
