package instantly_test

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const apiBase = "https://api.instantly.ai/api/v2"

// withoutRandom replaces the random ids in a URL.
func withoutRandom(url string) string {
	url = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`).ReplaceAllString(url, "UUID")
	return regexp.MustCompile(`[0-9a-f]{32}@example\.invalid`).ReplaceAllString(url, "ADDRESS")
}

func TestProbeMakesTheCheapestCallTheScopesAllow(t *testing.T) {
	for _, tc := range []struct{ scopes, want string }{
		{"", "GET /workspaces/current"},
		{"all:all", "GET /workspaces/current"},
		{"all:read", "GET /workspaces/current"},
		{"leads:read campaigns:all workspaces:read", "GET /workspaces/current"},
		{"leads:read campaigns:all", "GET /campaigns?limit=1"},
		{"leads:read api_keys:read", "GET /api-keys?limit=1"},
		{"ai_sdr:read leads:all", `POST /leads/list {"limit":1}`},
		{"emails:read", "GET /emails/unread/count"},
		{"block_list_entries:read", "GET /block-lists-entries?limit=1"},
		{"crm_actions:all", "GET /crm-actions/phone-numbers"},
		{"ai_sdr:read", "GET /ai-agents/UUID/analytics"},
		{"ai_sdr_replies:read", "GET /ai-agents/inbox-manager/UUID/replies"},
		{"inbox_placement_reports:read", "GET /inbox-placement-reports?limit=1&test_id=UUID"},
		{"email_verifications:read", "GET /email-verification/ADDRESS"},
		{"supersearch_enrichments:read", "GET /supersearch-enrichment/history/UUID"},
		{"leads:create", "GET /workspaces/current"},
		{"leads:update all:delete", "GET /workspaces/current"},
		{"sales_flows:read", "GET /workspaces/current"},
		{"invented:read", "GET /workspaces/current"},
	} {
		api := always(200, `{}`)
		newClient(t, api).Probe(t.Context(), secret.New(keyValue), strings.Fields(tc.scopes))
		r := api.requests()[0]
		got := strings.TrimSpace(r.Method + " " + strings.TrimPrefix(withoutRandom(r.URL), apiBase) + " " + r.Body)
		if got != tc.want {
			t.Errorf("%q: %s, want %s", tc.scopes, got, tc.want)
		}
	}
}

func TestProbeUsesTheValueAndNoOtherWorkspace(t *testing.T) {
	api := always(200, `{}`)
	c := newClient(t, api, func(o *instantly.Options) { o.AsWorkspace = "sub" })
	c.Probe(t.Context(), secret.New(keyValue), []string{"leads:read"})
	r := api.requests()[0]
	if r.Header.Get("Authorization") != "Bearer "+keyValue {
		t.Error("not made with the value")
	}
	if _, has := r.Header["X-As-Workspace"]; has {
		t.Error("made with x-as-workspace")
	}
}

func TestProbeTellsTheScopesOfALivingKey(t *testing.T) {
	p := newClient(t, always(401, scopeBody)).Probe(t.Context(), secret.New(keyValue), nil)
	want := instantly.Probe{Verdict: instantly.Valid, Found: []string{"campaigns:all", "leads:all"}}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
}

func TestProbeOfAValueThatCannotBeSentSendsNothing(t *testing.T) {
	for _, value := range []string{"", "a\nb", "a b", "é"} {
		api := always(200, `{}`)
		p := newClient(t, api).Probe(t.Context(), secret.New(value), nil)
		if p.Verdict != instantly.Indeterminate || p.Err == nil || len(api.requests()) != 0 {
			t.Errorf("%q: %v after %d requests", value, p, len(api.requests()))
		}
	}
}

// A 404 or 400 to a question for what does not exist may come before the API
// looked at the key.
func TestProbeByIDIsConfirmed(t *testing.T) {
	for name, first := range map[string]func() *http.Response{
		"not found":   func() *http.Response { return reply(404, `{"message":"Resource not found"}`) },
		"bad request": func() *http.Response { return reply(400, `{"message":"params/id must match"}`) },
		"no route":    func() *http.Response { return reply(404, `{"message":"Route GET:/x not found"}`) },
	} {
		for body, want := range map[string]instantly.Verdict{deadBody: instantly.Invalid, scopeBody: instantly.Valid} {
			api := &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
				if n == 0 {
					return first(), nil
				}
				return reply(401, body), nil
			}}
			p := newClient(t, api).Probe(t.Context(), secret.New(keyValue), []string{"ai_sdr:read"})
			r := api.requests()
			if p.Verdict != want || len(r) != 2 || r[1].URL != apiBase+"/workspaces/current" {
				t.Errorf("%s: %v after %d requests, want %v", name, p.Verdict, len(r), want)
			}
		}
	}
}

func TestProbeThatIsAnsweredNeedsNoConfirmation(t *testing.T) {
	api := always(200, `{"a":1}`)
	p := newClient(t, api).Probe(t.Context(), secret.New(keyValue), []string{"ai_sdr:read"})
	if p.Verdict != instantly.Valid || len(api.requests()) != 1 {
		t.Errorf("%v after %d requests", p.Verdict, len(api.requests()))
	}
}

func TestProbeRetriesWithinTenSeconds(t *testing.T) {
	for _, scope := range []string{"campaigns:read", "leads:read"} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			api := failing(errors.New("lost"))
			p := newClient(t, api, withRetries).Probe(t.Context(), secret.New(keyValue), []string{scope})
			if n, took := len(api.requests()), time.Since(start); p.Verdict != instantly.Indeterminate || n < 3 || took > 10*time.Second {
				t.Errorf("%s: %v after %d attempts in %s", scope, p.Verdict, n, took)
			}
		})
	}
}

func TestVerdictOfNothingAndOfStrangers(t *testing.T) {
	if v := instantly.VerdictOf(nil); v != instantly.Valid {
		t.Errorf("nil: %v", v)
	}
	if v := instantly.VerdictOf(errors.New("who knows")); v != instantly.Indeterminate {
		t.Errorf("a stranger: %v", v)
	}
}
