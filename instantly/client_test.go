package instantly_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// callEverything makes every call there is.
func callEverything(ctx context.Context, c *instantly.Client) {
	_, _ = c.CreateKey(ctx, "n", []string{"leads:read"})
	_, _ = c.Keys(ctx)
	_ = c.DeleteKey(ctx, keyID)
	_ = c.CheckDelete(ctx)
	_, _ = c.Workspace(ctx)
	_, _ = c.Organization(ctx)
	_, _ = c.Members(ctx)
	_, _ = c.SubWorkspaces(ctx)
	_, _ = c.AuditLogs(ctx, instantly.AuditQuery{Since: time.Unix(0, 0), Until: time.Unix(0, 0), Activity: 37})
	_ = c.DeleteMember(ctx, keyID)
	_, _ = c.Webhooks(ctx)
	_, _ = c.Webhook(ctx, hookID)
	_, _ = c.SetWebhookHeaders(ctx, hookID, hookHeaders())
	_, _ = c.TestWebhook(ctx, wantedHook())
	_ = c.ResumeWebhook(ctx, hookID)
	_, _ = c.WebhookEvents(ctx, instantly.WebhookEventQuery{Since: time.Unix(0, 0), Until: time.Unix(0, 0), FailedOnly: true})
	_, _ = c.BlockList(ctx)
}

// probeEverything makes every test call there is: one for each known scope.
func probeEverything(ctx context.Context, c *instantly.Client) {
	for _, s := range append(instantly.KnownScopes(), "supersearch_enrichments:read", "nothing") {
		c.Probe(ctx, secretOf(keyValue), []string{s})
	}
}

func TestHTTPSAtAPortForPlainHTTPIsNamed(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	c, err := instantly.NewClient(instantly.Options{
		BaseURL: strings.Replace(server.URL, "http:", "https:", 1), AdminKey: secretOf(adminValue), RetryBudget: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Workspace(t.Context())
	wantIs(t, err, instantly.ErrUnavailable)
	if !strings.HasSuffix(err.Error(), ": the server does not speak TLS: is it a port for plain http?") {
		t.Error(err)
	}
}

func TestUserAgentAndBearerAreAlwaysSent(t *testing.T) {
	api := inTurn(pageOf("a", keyItem("a")), pageOf(""))
	c := newClient(t, api)
	callEverything(t.Context(), c)
	probeEverything(t.Context(), c)
	for _, r := range api.requests() {
		ua := r.Header.Get("User-Agent")
		if !strings.HasPrefix(ua, "instantly-rotator/") || !strings.HasSuffix(ua, " (+https://github.com/instantly-rotator/instantly-rotator)") {
			t.Errorf("%s %s: user agent %q", r.Method, r.URL, ua)
		}
		if b := r.Header.Get("Authorization"); b != "Bearer "+adminValue && b != "Bearer "+keyValue {
			t.Errorf("%s %s: no bearer", r.Method, r.URL)
		}
	}
}

func TestContentTypeComesWithABodyOnly(t *testing.T) {
	api := inTurn(`{"items":[]}`)
	c := newClient(t, api)
	callEverything(t.Context(), c)
	probeEverything(t.Context(), c)
	for _, r := range api.requests() {
		if _, has := r.Header["Content-Type"]; has != (r.Body != "") {
			t.Errorf("%s %s: body %q, header %v", r.Method, r.URL, r.Body, r.Header["Content-Type"])
		}
	}
}

func TestAdminCallsActForTheWorkspace(t *testing.T) {
	api := inTurn(pageOf("a", keyItem("a")), pageOf(""))
	callEverything(t.Context(), newClient(t, api, func(o *instantly.Options) { o.AsWorkspace = "sub" }))
	for _, r := range api.requests() {
		if r.Header.Get("x-as-workspace") != "sub" {
			t.Errorf("%s %s: x-as-workspace %q", r.Method, r.URL, r.Header.Get("x-as-workspace"))
		}
	}
}

func TestAdminCallsActForNobodyUnlessAsked(t *testing.T) {
	api := inTurn(`{"items":[]}`)
	callEverything(t.Context(), newClient(t, api))
	for _, r := range api.requests() {
		if _, has := r.Header["X-As-Workspace"]; has {
			t.Errorf("%s %s: x-as-workspace", r.Method, r.URL)
		}
	}
}

func TestNewClientRefusesInsecureURLs(t *testing.T) {
	for _, u := range []string{
		"http://api.instantly.ai", "http://10.0.0.1", "http://0.0.0.0:80", "http://127.0.0.1.example.com",
		"http://localhost.example.com", "ftp://api.instantly.ai", "https://user:CANARYpw@api.instantly.ai",
		"https://user@api.instantly.ai", "http://user:CANARYpw@localhost",
	} {
		_, err := instantly.NewClient(instantly.Options{AdminKey: secretOf("a"), BaseURL: u})
		wantIs(t, err, instantly.ErrInsecureURL)
		if err != nil && strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: password in error %v", u, err)
		}
	}
}

func TestNewClientRefusesWhatIsNoURL(t *testing.T) {
	for _, u := range []string{"api.instantly.ai", "://x", "https://", "https:opaque", "https://a?b=c", "https://a#b", "https://CANARY\x7f"} {
		_, err := instantly.NewClient(instantly.Options{AdminKey: secretOf("a"), BaseURL: u})
		if err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%q: error %v", u, err)
		}
	}
}

func TestNewClientAcceptsThisMachineInClear(t *testing.T) {
	for _, u := range []string{"http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1", "http://localhost:1", "https://api.instantly.ai"} {
		if _, err := instantly.NewClient(instantly.Options{AdminKey: secretOf("a"), BaseURL: u}); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestNewClientRefusesValuesThatCannotBeHeaders(t *testing.T) {
	for name, o := range map[string]instantly.Options{
		"no admin key":            {},
		"admin key with line end": {AdminKey: secretOf("CANARY\n")},
		"admin key with a space":  {AdminKey: secretOf("CAN ARY")},
		"workspace with line end": {AdminKey: secretOf("a"), AsWorkspace: "w\r\nX: y"},
		"user agent with an end":  {AdminKey: secretOf("a"), UserAgent: "a\nb"},
	} {
		if _, err := instantly.NewClient(o); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestBaseURLMayHaveAPrefixOrTheAPIsPath(t *testing.T) {
	for base, want := range map[string]string{
		"https://h/":              "https://h/api/v2/workspaces/current",
		"https://h/api/v2":        "https://h/api/v2/workspaces/current",
		"https://h/api/v2/":       "https://h/api/v2/workspaces/current",
		"https://h/gate/":         "https://h/gate/api/v2/workspaces/current",
		"https://h/_mock/api/v2/": "https://h/_mock/api/v2/workspaces/current",
	} {
		api := always(200, `{"id":"w"}`)
		_, _ = newClient(t, api, func(o *instantly.Options) { o.BaseURL = base }).Workspace(t.Context())
		if got := api.requests()[0].URL; got != want {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
}

func TestRedirectsAreNeverFollowed(t *testing.T) {
	var elsewhere int
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked++
			to := other.URL + r.URL.Path
			if r.Method == http.MethodGet {
				to = "/same/host"
			}
			http.Redirect(w, r, to, status)
		}))
		c := newClient(t, nil, func(o *instantly.Options) { o.BaseURL = server.URL })
		_, err := c.CreateKey(t.Context(), "n", nil)
		wantIs(t, err, instantly.ErrRedirect, instantly.ErrOutcomeUnknown)
		_, err = c.Workspace(t.Context())
		wantIs(t, err, instantly.ErrRedirect)
		wantIs(t, c.DeleteKey(t.Context(), keyID), instantly.ErrRedirect)
		if asked != 3 || elsewhere != 0 {
			t.Errorf("%d: %d requests here, %d elsewhere", status, asked, elsewhere)
		}
		server.Close()
	}
}

func TestCertificateIsChecked(t *testing.T) {
	asked := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()
	c := newClient(t, nil, withRetries, func(o *instantly.Options) { o.BaseURL = server.URL })
	start := time.Now()
	_, err := c.Workspace(t.Context())
	wantIs(t, err, instantly.ErrUnavailable)
	if asked != 0 || time.Since(start) > 10*time.Second {
		t.Errorf("%d requests in %s", asked, time.Since(start))
	}
}

func TestRefusedConnectionIsUnavailable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	c := newClient(t, nil, func(o *instantly.Options) { o.BaseURL = "http://" + l.Addr().String() })
	_, err = c.Workspace(t.Context())
	wantIs(t, err, instantly.ErrUnavailable)
	if err != nil && !strings.Contains(err.Error(), "connection refused") {
		t.Error(err)
	}
}

func TestConnectionIsReusedAfterErrors(t *testing.T) {
	connections := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connections[r.RemoteAddr] = true
		w.WriteHeader(http.StatusPaymentRequired)
		_, _ = io.WriteString(w, strings.Repeat("x", 100<<10))
	}))
	defer server.Close()
	c := newClient(t, nil, func(o *instantly.Options) { o.BaseURL = server.URL })
	for range 5 {
		_, err := c.Workspace(t.Context())
		wantIs(t, err, instantly.ErrPlan)
	}
	if len(connections) != 1 {
		t.Errorf("%d connections: answers are not read to their end", len(connections))
	}
}

func TestEveryAttemptIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := instantly.NewPacer(1)
		var at []time.Duration
		start := time.Now()
		api := &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
			at = append(at, time.Since(start))
			if n == 1 {
				return reply(503, ""), nil // its retry waits for its turn too
			}
			return reply(200, keyBody), nil
		}}
		use := func(o *instantly.Options) { o.Pacer = shared; o.RetryBudget = 0 }
		one, two := newClient(t, api, use), newClient(t, api, use)
		_, _ = one.CreateKey(t.Context(), "n", nil)
		_, _ = two.Workspace(t.Context())
		one.Probe(t.Context(), secretOf(keyValue), nil)
		_ = two.DeleteKey(t.Context(), keyID)
		for i := 1; i < len(at); i++ {
			if at[i]-at[i-1] < time.Second-time.Millisecond {
				t.Errorf("attempts at %v: less than a second apart", at)
			}
		}
		if len(at) != 5 {
			t.Errorf("%d attempts", len(at))
		}
	})
}

func TestDefaultPaceIsFiveASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, always(200, `{"id":"w"}`), func(o *instantly.Options) { o.Pacer = nil })
		start := time.Now()
		for range 25 {
			if _, err := c.Workspace(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 4*time.Second || took > 4200*time.Millisecond {
			t.Errorf("25 calls took %s, want a little more than 4s", took)
		}
	})
}

func TestObserverSeesEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []instantly.Call
		api := &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
			time.Sleep(time.Second) // how long the answer takes
			switch n {
			case 0:
				return nil, errors.New("lost")
			case 1:
				return reply(429, "", "Retry-After", "1"), nil
			default:
				return reply(200, ""), nil
			}
		}}
		c := newClient(t, api, withRetries, func(o *instantly.Options) {
			o.Observe = func(call instantly.Call) { calls = append(calls, call) }
		})
		if err := c.DeleteKey(t.Context(), keyID); err != nil {
			t.Fatal(err)
		}
		want := []instantly.Call{}
		for _, status := range []int{0, 429, 200} {
			want = append(want, instantly.Call{Method: "DELETE", Route: "/api/v2/api-keys/{id}", Status: status, Duration: time.Second})
		}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Error(diff)
		}
	})
}
