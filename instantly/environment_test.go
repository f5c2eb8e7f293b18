package instantly_test

import (
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

// The environment is read once by a process, so that each case has one of its own.
const inOwnProcess = "INSTANTLY_TEST_BASE_URL"

// TestCallsInTheEnvironment is what those processes run.
func TestCallsInTheEnvironment(t *testing.T) {
	base := os.Getenv(inOwnProcess)
	if base == "" {
		t.Skip("run by the tests of the environment")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c := newClient(t, nil, func(o *instantly.Options) { o.BaseURL = base })
	if _, err := c.Keys(ctx); err != nil {
		t.Fatal("GET: ", err)
	}
	if _, err := c.CreateKey(ctx, "n", nil); err != nil {
		t.Fatal("POST: ", err)
	}
}

// callsWith runs them with more variables, and gives what they print.
func callsWith(t *testing.T, base string, env ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCallsInTheEnvironment$", "-test.v")
	cmd.Env = append(append(os.Environ(), inOwnProcess+"="+base), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// office is a network that is left by a proxy only, which cannot read the connections,
// and where the API has a certificate of a private authority.
type office struct {
	proxy, ca string
	asked     atomic.Int32 // the proxy
}

func newOffice(t *testing.T) *office {
	t.Helper()
	box := sandbox.New(sandbox.Options{Workspaces: []sandbox.Workspace{{ID: sandbox.DefaultWorkspaceID, Name: "Acme", AdminKey: secretOf(adminValue)}}})
	api := httptest.NewTLSServer(box) // its certificate is for example.com
	t.Cleanup(api.Close)
	o := &office{ca: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(o.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.asked.Add(1)
		if r.Method != http.MethodConnect || r.Host != "example.com:443" || r.Header.Get("Authorization") != "" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		tunnel(w, api.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	o.proxy = proxy.URL
	return o
}

// tunnel joins the caller's connection with one to address.
func tunnel(w http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = there.Close() }()
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = here.Close() }()
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
	_, _ = io.Copy(here, there)
}

func TestCallsGoThroughTheProxyAndTrustAPrivateAuthority(t *testing.T) {
	o := newOffice(t)
	out, err := callsWith(t, "https://example.com", "HTTPS_PROXY="+o.proxy, "NO_PROXY=", "SSL_CERT_FILE="+o.ca)
	if err != nil || o.asked.Load() != 2 {
		t.Errorf("%v, %d requests to the proxy:\n%s", err, o.asked.Load(), out)
	}
}

func TestPrivateAuthorityIsNotTrustedUnasked(t *testing.T) {
	o := newOffice(t)
	out, err := callsWith(t, "https://example.com", "HTTPS_PROXY="+o.proxy, "NO_PROXY=")
	if err == nil || !strings.Contains(out, "certificate not accepted") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestProxyIsLeftOutWhereTheEnvironmentSaysSo(t *testing.T) {
	o := newOffice(t)
	out, err := callsWith(t, "https://api.invalid", "HTTPS_PROXY="+o.proxy, "NO_PROXY=api.invalid", "SSL_CERT_FILE="+o.ca)
	if err == nil || o.asked.Load() != 0 {
		t.Errorf("%v, %d requests to the proxy:\n%s", err, o.asked.Load(), out)
	}
}

func TestHTTPSAgainstAPlainPortSaysSo(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	c := newClient(t, nil, func(o *instantly.Options) { o.BaseURL = strings.Replace(plain.URL, "http:", "https:", 1) })
	if _, err := c.Keys(t.Context()); err == nil || !strings.Contains(err.Error(), "the server does not speak TLS") {
		t.Error(err)
	}
}
