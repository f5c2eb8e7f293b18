package instantly_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// vendorRouter reads the vendor's OpenAPI file that INSTANTLY_OPENAPI names.
func vendorRouter(t *testing.T) routers.Router {
	t.Helper()
	path := os.Getenv("INSTANTLY_OPENAPI")
	if path == "" {
		t.Skip("INSTANTLY_OPENAPI is not set: requests are not compared with the vendor's OpenAPI file")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The file has one pattern that Go's regexp does not know, "(?!", and
	// examples that do not fit their own schemas; neither concerns our calls.
	router, err := legacy.NewRouter(doc, openapi3.DisableSchemaPatternValidation(), openapi3.DisableExamplesValidation())
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// beyondTheFile are paths of test calls that only fuller editions of the
// vendor's file have.
func beyondTheFile(path string) bool {
	for _, prefix := range []string{
		"/ai-agents", "/inbox-placement-analytics", "/inbox-placement-reports",
		"/account-campaign-mappings/", "/email-verification/", "/supersearch-enrichment/history/",
	} {
		if strings.HasPrefix(path, "/api/v2"+prefix) {
			return true
		}
	}
	return strings.HasPrefix(path, "/api/v2/webhooks/") && strings.HasSuffix(path, "/resume")
}

// checked is a transport that compares each request with the file.
type checked struct {
	t      *testing.T
	router routers.Router
	seen   map[string]bool // operation ids
	http.RoundTripper
}

func (c checked) RoundTrip(req *http.Request) (*http.Response, error) {
	route, parameters, err := c.router.FindRoute(req)
	if err != nil {
		if !beyondTheFile(req.URL.Path) {
			c.t.Errorf("%s %s: %v", req.Method, req.URL.Path, err)
		}
		return c.RoundTripper.RoundTrip(req)
	}
	c.seen[route.Operation.OperationID] = true
	for name := range req.URL.Query() {
		if route.Operation.Parameters.GetByInAndName("query", name) == nil {
			c.t.Errorf("%s %s: no query parameter %q in the file", req.Method, req.URL.Path, name)
		}
	}
	if err := openapi3filter.ValidateRequest(req.Context(), &openapi3filter.RequestValidationInput{
		Request: req, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{
			MultiError:                        true,
			RejectWhenRequestBodyNotSpecified: true,
			AuthenticationFunc:                openapi3filter.NoopAuthenticationFunc,
		},
	}); err != nil {
		c.t.Errorf("%s %s: %v", req.Method, req.URL, err)
	}
	return c.RoundTripper.RoundTrip(req)
}

func TestEveryRequestIsOneOfTheVendorsFile(t *testing.T) {
	transport := checked{
		t: t, router: vendorRouter(t), seen: map[string]bool{},
		RoundTripper: inTurn(pageOf("019ffad2-9b83-7eb2-a5c2-72f6cc563775", keyItem("a")), pageOf("")),
	}
	c := newClient(t, transport)
	callEverything(t.Context(), c)
	probeEverything(t.Context(), c)
	for _, op := range []string{
		"createAPIKey", "listAPIKey", "deleteAPIKey", "getWorkspace", "listWorkspaceMember",
		"listWorkspaceGroupMember", "listAuditLog", "deleteWorkspaceMember", "listWebhook", "getWebhook",
		"patchWebhook", "testWebhook", "listWebhookEvent", "listBlockListEntry", "listCampaign", "listLeads", "countUnreadEmails",
	} {
		if !transport.seen[op] {
			t.Errorf("%s was not called: the test has lost its grip", op)
		}
	}
}

func TestEveryKnownScopeCanBeAskedFor(t *testing.T) {
	transport := checked{
		t: t, router: vendorRouter(t), seen: map[string]bool{},
		RoundTripper: always(200, keyBody),
	}
	c := newClient(t, transport)
	for scopes := range slices.Chunk(instantly.KnownScopes(), 50) {
		if _, err := c.CreateKey(t.Context(), "n", scopes); err != nil {
			t.Error(err)
		}
	}
}

// fromFile answers every request with the least that the file's schema allows.
type fromFile struct {
	t      *testing.T
	router routers.Router
}

func (f fromFile) RoundTrip(req *http.Request) (*http.Response, error) {
	route, _, missing := f.router.FindRoute(req)
	if missing != nil {
		return reply(404, `{"message":"not in the file"}`), nil //nolint:nilerr // the answer says it
	}
	schema := route.Operation.Responses.Status(200).Value.Content.Get("application/json").Schema.Value
	body, err := json.Marshal(leastOf(schema))
	if err != nil {
		f.t.Error(err)
	}
	return reply(200, string(body)), nil
}

// leastOf makes up a value of a schema: of an object the required fields, or all
// if none is.
func leastOf(s *openapi3.Schema) any {
	switch {
	case s.Type.Is("array"):
		return []any{}
	case s.Type.Is("object"):
		object := map[string]any{}
		for name, field := range s.Properties {
			if len(s.Required) == 0 || slices.Contains(s.Required, name) {
				object[name] = leastOf(field.Value)
			}
		}
		return object
	case s.Type.Is("string"):
		return "x"
	case s.Type.Is("boolean"):
		return true
	default:
		return 1
	}
}

func TestEveryListOfTheVendorsFileIsRead(t *testing.T) {
	router := vendorRouter(t)
	c := newClient(t, fromFile{t, router})
	for name, err := range everyCall(t, c) {
		// The file's own examples have ids that are not those asked for, and it has no
		// answer to a resumption.
		if name != "webhook" && name != "webhook's headers" && name != "resume" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProbeBelievesWhatTheVendorsFileAnswers(t *testing.T) {
	router := vendorRouter(t)
	c := newClient(t, fromFile{t, router})
	for _, scope := range instantly.KnownScopes() {
		if p := c.Probe(t.Context(), secretOf(keyValue), []string{scope}); p.Verdict != instantly.Valid {
			t.Errorf("%s: %v", scope, p.Err)
		}
	}
}
