package sandbox_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// examplePath puts an id in the place of a pattern's parameter.
func examplePath(pattern string) string {
	return regexp.MustCompile(`\{.*\}`).ReplaceAllString(pattern, "01980000-0000-7000-8000-0000000000ff") +
		map[bool]string{true: "?test_id=01980000-0000-7000-8000-0000000000ff"}[strings.HasPrefix(pattern, "/api/v2/inbox-placement-")]
}

// exampleBody gives a body that the route takes.
func exampleBody(r sandbox.Route) string {
	bodies := map[string]string{
		"POST " + keysPath:                     newKey,
		"POST /api/v2/leads/list":              `{"limit":1}`,
		"POST /api/v2/workspace-members":       `{"email":"new@acme.example","role":"editor"}`,
		"PATCH /api/v2/workspace-members/{id}": `{"role":"admin","nickname":null}`,
		"POST /api/v2/webhooks":                `{"target_hook_url":"https://hooks.example/a","event_type":"email_sent","headers":{"X-Webhook-Secret":"s"}}`,
		"PATCH /api/v2/webhooks/{id}":          `{"headers":{"X-Webhook-Secret":"t"},"name":null}`,
		"POST /api/v2/block-lists-entries":     `{"bl_value":"blocked.example"}`,
	}
	return bodies[r.Method+" "+r.Pattern]
}

// vendorFile reads the vendor's OpenAPI file, which is not part of the project.
func vendorFile(t *testing.T) *openapi3.T {
	t.Helper()
	path := os.Getenv("INSTANTLY_OPENAPI")
	if path == "" {
		t.Skip("INSTANTLY_OPENAPI is not set: the sandbox is not checked against the vendor's OpenAPI file")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return doc
}

func operation(doc *openapi3.T, r sandbox.Route) *openapi3.Operation {
	item := doc.Paths.Value(r.Pattern)
	if item == nil {
		return nil
	}
	return item.GetOperation(r.Method)
}

// conforms checks that the operation documents the answer's status, and that
// the body fits the schema.
func conforms(op *openapi3.Operation, a answer) error {
	documented := op.Responses.Status(a.status)
	if documented == nil {
		return errors.New("status " + strconv.Itoa(a.status) + " is not documented")
	}
	var body any
	if err := json.Unmarshal([]byte(a.text), &body); err != nil {
		return err
	}
	media := documented.Value.Content.Get(strings.Split(a.header.Get("Content-Type"), ";")[0])
	if media == nil {
		return errors.New("content type " + a.header.Get("Content-Type") + " is not documented")
	}
	return media.Schema.Value.VisitJSON(body, openapi3.MultiErrors(), openapi3.VisitAsResponse(),
		openapi3.EnableFormatValidation(), openapi3.DisablePatternValidation(),
		openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562)),
		openapi3.WithStringFormatValidator("email", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForEmail)))
}

// furnished gives a sandbox that has something to show in its lists, and the id of
// what there is of a kind.
func furnished(t *testing.T) (*sandbox.Server, client, func(pattern string) string) {
	t.Helper()
	srv, admin := inProcess(t, sandbox.Options{Workspaces: agency(), RateLimit: unlimited(), Deliver: receiver(204)})
	k := admin.create("worker", "campaigns:read", "lead-labels:all")
	admin.del(admin.create("gone").ID)
	if _, err := srv.AddKey(sandbox.DefaultWorkspaceID, "by hand", "all:read"); err != nil {
		t.Fatal(err)
	}
	m, err := srv.AddMember(sandbox.DefaultWorkspaceID, sandbox.Member{Email: "bob@acme.example", Role: "editor", Pending: true, Nickname: "Bob"})
	if err := errors.Join(err, srv.Block(sandbox.DefaultWorkspaceID, "x.example", "a@y.example"), srv.PlantEntry(fullEntry())); err != nil {
		t.Fatal(err)
	}
	interest := 1.0
	h, err := srv.AddWebhook(sandbox.DefaultWorkspaceID, sandbox.Webhook{
		URL: "https://hooks.example/b", EventType: "all_events", Name: "all", Campaign: "01980000-0000-7000-8000-0000000000ee",
		CustomInterest: &interest, Headers: map[string]secret.Value{"Authorization": secret.New("Basic x")}, Disabled: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	emitAll(t, srv)
	return srv, admin, func(pattern string) string {
		switch {
		case strings.Contains(pattern, "workspace-members"):
			return m.ID
		case strings.Contains(pattern, "webhooks"):
			return h.ID
		default:
			return k.ID
		}
	}
}

// emitAll has the sandbox deliver to a receiver that accepts, and to one that does not.
func emitAll(t *testing.T, srv *sandbox.Server) {
	t.Helper()
	srv.SetFaults(sandbox.Faults{RetryWithin: time.Millisecond})
	defer srv.SetFaults(sandbox.Faults{})
	for _, url := range []string{"https://hooks.example/c", "https://refusing.example/", "https://silent.example/"} {
		if _, err := srv.AddWebhook(sandbox.DefaultWorkspaceID, sandbox.Webhook{URL: url, EventType: "all_events"}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := srv.Emit(sandbox.Event{LeadEmail: "lead@x.example"}); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if err := srv.WaitForDeliveries(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// receiver answers deliveries with that status; but at refusing.example with 401, and
// at silent.example not at all.
type receiver int

func (r receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	status := int(r)
	switch req.URL.Host {
	case "silent.example":
		return nil, errors.New("connection reset")
	case "refusing.example":
		status = http.StatusUnauthorized
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: req}, nil
}

// fullEntry is an audit log entry with all that one may have.
func fullEntry() sandbox.AuditEntry {
	const id = "01980000-0000-7000-8000-0000000000ee"
	return sandbox.AuditEntry{
		Activity: 34, FromAPI: true, KeyID: id, UserName: "owner@acme.example", UserAgent: "curl/8", IP: "192.0.2.7",
		Affected: 3, CampaignID: id, WebhookID: id, SubsequenceID: id, ListID: id, Metadata: map[string]any{"a": "b"},
	}
}

func TestAnswersConformToTheVendorsFile(t *testing.T) {
	doc := vendorFile(t)
	checked := 0
	for _, r := range sandbox.Routes() {
		op := operation(doc, r)
		if op == nil {
			t.Logf("not in the file: %s %s", r.Method, r.Pattern)
			continue
		}
		srv, admin, idOf := furnished(t)
		missing := examplePath(r.Pattern)
		present := strings.ReplaceAll(missing, "01980000-0000-7000-8000-0000000000ff", idOf(r.Pattern))
		send := func(c client, path string) answer { return c.send(r.Method, path, exampleBody(r)) }
		under := func(f sandbox.Faults) answer {
			srv.SetFaults(f)
			defer srv.SetFaults(sandbox.Faults{})
			return send(admin, missing)
		}
		stranger := admin.create("stranger", "auth:read")
		for name, got := range map[string]struct {
			answer answer
			status int
		}{
			"success":      {send(admin, present), 200},
			"no header":    {send(admin.as(""), missing), 401},
			"unknown key":  {send(admin.as("guess"), missing), 401},
			"scope":        {send(admin.as(stranger.Key), missing), 401},
			"plan":         {under(sandbox.Faults{PlanLapsed: true}), 402},
			"rate limited": {under(sandbox.Faults{RateLimited: true}), 429},
		} {
			checked++
			if err := conforms(op, got.answer); err != nil || got.answer.status != got.status {
				t.Errorf("%s %s, %s: status %d, %v: %s", r.Method, r.Pattern, name, got.answer.status, err, got.answer.text)
			}
		}
	}
	t.Logf("%d answers checked", checked)
}

// testOf has a webhook tested whose URL is that.
func testOf(c client, url string) answer {
	type hook struct {
		ID  string `json:"id"`
		URL string `json:"target_hook_url"`
	}
	for _, h := range decode[listPage[hook]](c.t, c.get("/api/v2/webhooks")).Items {
		if h.URL == url {
			return c.send(http.MethodPost, "/api/v2/webhooks/"+h.ID+"/test", "")
		}
	}
	return answer{}
}

func TestAnswersOfKeysConformToTheVendorsFile(t *testing.T) {
	doc := vendorFile(t)
	item := doc.Paths.Value(keysPath)
	_, admin, idOf := furnished(t)
	worker := idOf(keysPath)
	deletion := doc.Paths.Value(keysPath + "/{id}").Delete
	for name, c := range map[string]struct {
		op     *openapi3.Operation
		answer answer
		status int
	}{
		"create with an error": {item.Post, admin.post(`{"scopes":[]}`), 400},
		"create without body":  {item.Post, admin.with("Content-Type", "application/json").post(""), 400},
		"refused test":         {doc.Paths.Value("/api/v2/webhooks/{id}/test").Post, testOf(admin, "https://refusing.example/"), 200},
		"unanswered test":      {doc.Paths.Value("/api/v2/webhooks/{id}/test").Post, testOf(admin, "https://silent.example/"), 200},
		"page with a cursor":   {item.Get, admin.get(keysPath + "?limit=1"), 200},
		"deletion":             {deletion, admin.del(worker), 200},
		"deletion of nothing":  {deletion, admin.del(worker), 404},
	} {
		if err := conforms(c.op, c.answer); err != nil || c.answer.status != c.status {
			t.Errorf("%s: status %d, %v: %s", name, c.answer.status, err, c.answer.text)
		}
	}
}

func TestEveryFormOfAKeyConformsToTheVendorsFile(t *testing.T) {
	doc := vendorFile(t)
	for _, form := range []sandbox.KeyForm{sandbox.KeyFull, sandbox.KeyMasked, sandbox.KeyEmpty} {
		srv, admin, _ := furnished(t)
		srv.SetFaults(sandbox.Faults{ListKey: form})
		if err := conforms(doc.Paths.Value(keysPath).Get, admin.get(keysPath)); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
}

func TestScopesOfRoutesAreThoseOfTheVendorsFile(t *testing.T) {
	doc := vendorFile(t)
	scope := regexp.MustCompile("`([a-z_-]+:[a-z]+)`")
	compared := 0
	for _, r := range sandbox.Routes() {
		op := operation(doc, r)
		if op == nil {
			continue
		}
		var documented []string
		for _, found := range scope.FindAllStringSubmatch(op.Description, -1) {
			documented = append(documented, found[1])
		}
		if documented == nil { // webhooks and their event types
			continue
		}
		compared++
		if d := cmp.Diff(documented, r.Scopes); d != "" {
			t.Errorf("%s %s: %s", r.Method, r.Pattern, d)
		}
	}
	if compared < 20 {
		t.Errorf("only %d routes were compared", compared)
	}
}

func TestStrictScopesAreTheEnumOfTheVendorsFile(t *testing.T) {
	doc := vendorFile(t)
	body := doc.Paths.Value(keysPath).Post.RequestBody.Value.Content.Get("application/json")
	var enum []string
	for _, scope := range body.Schema.Value.Properties["scopes"].Value.Items.Value.Enum {
		enum = append(enum, scope.(string))
	}
	srv, admin := inProcess(t, sandbox.Options{})
	srv.SetFaults(sandbox.Faults{StrictScopes: true})
	if k := admin.create("everything", enum...); !slices.Equal(k.Scopes, enum) || len(enum) != 178 {
		t.Errorf("%d scopes of %d", len(k.Scopes), len(enum))
	}
}
