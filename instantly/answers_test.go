package instantly_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// answerCase is a row of the table of answers: what the API sent, and what that
// is for the client.
type answerCase struct {
	name    string
	status  int
	body    string
	header  []string
	class   error
	verdict instantly.Verdict
	retried bool
}

// shapes are the forms that a body of any status may have.
func shapes(status int) map[string]string {
	return map[string]string{
		"documented":   fmt.Sprintf(`{"statusCode":%d,"error":"E","message":"M"}`, status),
		"error only":   `{"error":"E"}`,
		"message only": `{"message":"M"}`,
		"empty":        ``,
		"html":         `<!DOCTYPE html><html><body>sorry</body></html>`,
		"text":         `sorry`,
		"null":         `null`,
		"array":        `[]`,
		"truncated":    `{"statusCode":`,
		"wrong types":  `{"statusCode":"x","error":1,"message":{"a":[]}}`,
		"contradicts":  `{"statusCode":200,"error":"E","message":"M"}`,
		"edge code":    `error code: 1010`,
		"edge json":    `{"type":"about:blank","title":"Access denied","error_code":1010,"cloudflare_error":true}`,
	}
}

// isReadable names the shapes in which the API is heard.
func isReadable(shape string) bool {
	return slices.Contains([]string{"documented", "error only", "message only"}, shape)
}

func answerCases() []answerCase {
	var cases []answerCase
	for _, status := range []int{300, 302, 307, 308, 400, 401, 402, 403, 404, 405, 408, 409, 413, 418, 422, 429, 500, 502, 503, 504, 520, 599} {
		for shape, body := range shapes(status) {
			class := classWanted(status, shape)
			verdict := instantly.Indeterminate
			if class == instantly.ErrUnauthorized {
				verdict = instantly.Invalid
			}
			cases = append(cases, answerCase{
				name: fmt.Sprint(status, " ", shape), status: status, body: body, class: class, verdict: verdict,
				retried: class == instantly.ErrRateLimited || class == instantly.ErrUnavailable,
			})
		}
	}
	return append(cases, specialAnswers()...)
}

// classWanted is the table in the facts' own words.
func classWanted(status int, shape string) error {
	switch {
	case status < 400:
		return instantly.ErrRedirect
	case status == 401 && isReadable(shape):
		return instantly.ErrUnauthorized
	case status == 401 && shape == "edge code":
		return instantly.ErrBlocked
	case status == 401:
		return instantly.ErrMalformed
	case status == 402:
		return instantly.ErrPlan
	case status == 403 && isReadable(shape):
		return instantly.ErrForbidden
	case status == 403:
		return instantly.ErrBlocked
	case status == 404 && (isReadable(shape) || shape == "empty"):
		return instantly.ErrNotFound
	case status == 404:
		return instantly.ErrMalformed
	case status == 429:
		return instantly.ErrRateLimited
	case status == 408 || status >= 500:
		return instantly.ErrUnavailable
	default:
		return instantly.ErrBadRequest
	}
}

func specialAnswers() []answerCase {
	edge := []string{"Server", "cloudflare", "Cf-Ray", "8f0-AMS"}
	return []answerCase{
		{name: "scope denial", status: 401, body: scopeBody, class: instantly.ErrScope, verdict: instantly.Valid},
		{name: "scope denial in another case", status: 401, body: `{"message":"INVALID SCOPE"}`, class: instantly.ErrScope, verdict: instantly.Valid},
		{name: "scope denial as error only", status: 401, body: `{"error":"Invalid scope. Found: a:b"}`, class: instantly.ErrScope, verdict: instantly.Valid},
		{name: "scope denial that is not JSON", status: 401, body: `Invalid scope`, class: instantly.ErrMalformed},
		{name: "dead key through the edge", status: 401, body: deadBody, header: edge, class: instantly.ErrUnauthorized, verdict: instantly.Invalid},
		{name: "the edge's own 401", status: 401, body: `<html>`, header: edge, class: instantly.ErrBlocked},
		{name: "an empty 401 of the edge", status: 401, header: edge, class: instantly.ErrBlocked},
		{name: "forbidden through the edge", status: 403, body: `{"message":"campaign not shared"}`, header: edge, class: instantly.ErrForbidden},
		{name: "the edge's code in JSON", status: 403, body: `{"error":"error code: 1020"}`, class: instantly.ErrBlocked},
		{name: "scope text with 403", status: 403, body: `{"message":"Invalid scope"}`, class: instantly.ErrForbidden},
		{name: "unknown route", status: 404, body: `{"message":"Route GET:/api/v2/x not found","error":"Not Found","statusCode":404}`, class: instantly.ErrBadRequest},
		{name: "success that is not JSON", status: 200, body: `<html>`, class: instantly.ErrMalformed},
		{name: "empty success", status: 200, class: instantly.ErrMalformed},
	}
}

func TestEveryAnswerHasItsClassAndVerdict(t *testing.T) {
	for _, tc := range answerCases() {
		t.Run(tc.name, func(t *testing.T) {
			c := newClient(t, always(tc.status, tc.body, tc.header...))
			_, err := c.Workspace(t.Context())
			var got []error
			for _, class := range allClasses() {
				if errors.Is(err, class) {
					got = append(got, class)
				}
			}
			if len(got) != 1 || got[0] != tc.class {
				t.Errorf("classes %q, want %q", got, tc.class)
			}
			if v := instantly.VerdictOf(err); v != tc.verdict {
				t.Errorf("verdict %v, want %v", v, tc.verdict)
			}
		})
	}
}

func TestProbeAgreesWithVerdictOf(t *testing.T) {
	for _, tc := range answerCases() {
		t.Run(tc.name, func(t *testing.T) {
			c := newClient(t, always(tc.status, tc.body, tc.header...))
			p := c.Probe(t.Context(), secret.New(keyValue), []string{"campaigns:read"})
			if p.Verdict != tc.verdict {
				t.Errorf("verdict %v, want %v (%v)", p.Verdict, tc.verdict, p.Err)
			}
			if (p.Err == nil) != (p.Verdict == instantly.Valid) {
				t.Errorf("verdict %v with error %v", p.Verdict, p.Err)
			}
		})
	}
}

func TestOnlyPassingTroubleIsRetried(t *testing.T) {
	for _, tc := range answerCases() {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := always(tc.status, tc.body, tc.header...)
				_, _ = newClient(t, api, withRetries).Workspace(t.Context())
				if n := len(api.requests()); (n > 1) != tc.retried {
					t.Errorf("%d requests, want retries: %v", n, tc.retried)
				}
			})
		})
	}
}

func TestCreateKnowsItsOutcomeFromA4xxOnly(t *testing.T) {
	for _, tc := range answerCases() {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := always(tc.status, tc.body, tc.header...)
				_, err := newClient(t, api, withRetries).CreateKey(t.Context(), "n", []string{"leads:read"})
				wantIs(t, err, tc.class)
				refused := tc.status >= 400 && tc.status < 500
				if errors.Is(err, instantly.ErrOutcomeUnknown) == refused {
					t.Errorf("error %v: outcome unknown: %v, want %v", err, !refused, refused)
				}
				if n := len(api.requests()); n != 1 {
					t.Errorf("asked %d times", n)
				}
			})
		})
	}
}

func TestScopeDenialNamesScopes(t *testing.T) {
	_, err := newClient(t, always(401, scopeBody)).Workspace(t.Context())
	var e *instantly.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"accounts:read"}, e.Required); diff != "" {
		t.Error("required:", diff)
	}
	if diff := cmp.Diff([]string{"campaigns:all", "leads:all"}, e.Found); diff != "" {
		t.Error("found:", diff)
	}
}

func TestScopeDenialWithoutListsIsFine(t *testing.T) {
	for _, text := range []string{"Invalid scope", "invalid scope. Found:", "Invalid scope. Required: , ,. Found: ::, A:B, x", "Invalid scope Found: none"} {
		_, err := newClient(t, always(401, fmt.Sprintf(`{"message":%q}`, text))).Workspace(t.Context())
		var e *instantly.Error
		if !errors.As(err, &e) || len(e.Required)+len(e.Found) > 0 || instantly.VerdictOf(err) != instantly.Valid {
			t.Errorf("%q: %+v", text, err)
		}
	}
}

func TestErrorTextIsCleanAndShort(t *testing.T) {
	body := `{"error":"Bad\u0000 Request","message":"a\u001b[31m\nb\u200b  ` + strings.Repeat("é", 5000) + `"}`
	_, err := newClient(t, always(400, body)).Workspace(t.Context())
	var e *instantly.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	if e.Code != "Bad Request" {
		t.Errorf("code %q", e.Code)
	}
	if !strings.HasPrefix(e.Message, "a[31m b éé") || len([]rune(e.Message)) != 200 {
		t.Errorf("message of %d characters: %q", len([]rune(e.Message)), e.Message)
	}
}

func TestErrorTextSaysWhatWasTried(t *testing.T) {
	err := newClient(t, always(429, `{"message":"Rate limit exceeded"}`, "Retry-After", "7")).DeleteKey(t.Context(), keyID)
	want := `instantly: delete API key ` + keyID + `: rate limited (HTTP 429): "Rate limit exceeded", retry after 7s`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
