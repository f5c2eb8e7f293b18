package instantly_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// everyCall makes each kind of call once and gives the errors by name.
func everyCall(t *testing.T, c *instantly.Client) map[string]error {
	t.Helper()
	_, createErr := c.CreateKey(t.Context(), "n", nil)
	_, listErr := c.Keys(t.Context())
	_, workspaceErr := c.Workspace(t.Context())
	_, membersErr := c.Members(t.Context())
	_, auditErr := c.AuditLogs(t.Context(), instantly.AuditQuery{})
	_, hooksErr := c.Webhooks(t.Context())
	_, hookErr := c.Webhook(t.Context(), hookID)
	_, headersErr := c.SetWebhookHeaders(t.Context(), hookID, hookHeaders())
	_, testErr := c.TestWebhook(t.Context(), wantedHook())
	_, eventsErr := c.WebhookEvents(t.Context(), instantly.WebhookEventQuery{})
	_, blockErr := c.BlockList(t.Context())
	return map[string]error{
		"members": membersErr, "audit log": auditErr, "webhooks": hooksErr, "webhook": hookErr,
		"webhook's headers": headersErr, "webhook's test": testErr, "webhook events": eventsErr, "block list": blockErr,
		"delete member": c.DeleteMember(t.Context(), keyID),
		"resume":        c.ResumeWebhook(t.Context(), hookID),
		"create":        createErr, "list": listErr, "workspace": workspaceErr,
		"delete":         c.DeleteKey(t.Context(), keyID),
		"test call":      c.Probe(t.Context(), secretOf(keyValue), []string{"campaigns:read"}).Err,
		"test by POST":   c.Probe(t.Context(), secretOf(keyValue), []string{"leads:read"}).Err,
		"test by an id":  c.Probe(t.Context(), secretOf(keyValue), []string{"ai_sdr:read"}).Err,
		"check deletion": c.CheckDelete(t.Context()),
	}
}

func TestNoCallFollowsARedirectToAnotherHost(t *testing.T) {
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Method+" with "+r.Header.Get("Authorization"))
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+r.URL.Path, status)
		}))
		for name, err := range everyCall(t, newClient(t, nil, func(o *instantly.Options) { o.BaseURL = server.URL })) {
			t.Log(status, name)
			wantIs(t, err, instantly.ErrRedirect)
		}
		server.Close()
	}
	if len(elsewhere) > 0 {
		t.Errorf("the other host was asked: %q", elsewhere)
	}
}

func TestDeepNestingIsUnreadableAndNoMore(t *testing.T) {
	deep := strings.Repeat("[", 400_000)
	for _, body := range []string{deep, `{"items":` + deep, `{"error":` + deep, strings.Repeat(`{"items":`, 100_000)} {
		for name, err := range everyCall(t, newClient(t, always(200, body))) {
			switch name {
			case "delete", "check deletion", "delete member", "resume":
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			default:
				wantIs(t, err, instantly.ErrMalformed)
			}
		}
		for name, err := range everyCall(t, newClient(t, always(401, body))) {
			if v := instantly.VerdictOf(err); v != instantly.Indeterminate {
				t.Errorf("%s: a 401 with a body that cannot be read is %v", name, v)
			}
		}
	}
}

// A gzip bomb is decompressed no further than an answer may be long.
func TestGzipBombCostsNoMoreThanAnAnswer(t *testing.T) {
	const size = 100 << 20
	var bomb bytes.Buffer
	z, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	left := spaces(size)
	if _, err := io.Copy(z, io.MultiReader(strings.NewReader(`{"items":[]`), &left)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(bomb.Bytes())
	}))
	defer server.Close()
	c := newClient(t, nil, func(o *instantly.Options) { o.BaseURL = server.URL })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = c.Keys(t.Context())
	runtime.ReadMemStats(&after)
	wantIs(t, err, instantly.ErrMalformed)
	// A page is 8 MiB at most, and what grows is copied.
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MiB were allocated for an answer of %d MiB", used>>20, size>>20)
	}
}

// A server that restarts ends its HTTP/2 connections with GOAWAY.
func TestCallsGoOnAfterGoAway(t *testing.T) {
	connections := map[string]bool{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connections[r.RemoteAddr] = true
		if r.ProtoMajor == 2 {
			w.Header().Set("Connection", "close") // GOAWAY behind the answer
		}
		_, _ = io.WriteString(w, `{"id":"w"}`)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	transport, ok := server.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("no transport of net/http")
	}
	transport.ForceAttemptHTTP2 = true
	c := newClient(t, transport, func(o *instantly.Options) { o.BaseURL = server.URL })
	for range 5 {
		if _, err := c.Workspace(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.DeleteKey(t.Context(), keyID); err != nil {
			t.Fatal(err)
		}
	}
	if len(connections) < 2 {
		t.Errorf("%d connections: there was no GOAWAY", len(connections))
	}
}
