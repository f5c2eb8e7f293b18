package notify_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// token is the secret part of the URLs; it must not be seen anywhere.
const token = "c4nary-t0ken"

// A request as a receiver's server got it.
type request struct{ path, contentType, body string }

// serve runs a server on loopback that answers with answer, and gives what it got.
func serve(t *testing.T, answer http.HandlerFunc) (*httptest.Server, chan request) {
	t.Helper()
	got := make(chan request, 100)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{r.URL.Path, r.Header.Get("Content-Type"), string(body)}
		answer(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return server, got
}

func serveHTTP(t *testing.T, answer http.HandlerFunc) (address string, got chan request) {
	t.Helper()
	server, got := serve(t, answer)
	server.Start()
	return server.Listener.Addr().String(), got
}

func fine(http.ResponseWriter, *http.Request) {}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func receiver(url string) notify.Receiver {
	return notify.Receiver{Name: "ops", On: notify.Kinds(), URL: func(context.Context) (secret.Value, error) { return secret.New(url), nil }}
}

func webhook(address string) string {
	return "generic://" + address + "/hook/" + token + "?disabletls=yes"
}

// sendOne sends one message by shoutrrr and gives its outcome.
func sendOne(t *testing.T, url string) notify.Outcome {
	t.Helper()
	outcomes := make(chan notify.Outcome, 10)
	n := notify.New(notify.Options{From: "rotator", Receivers: []notify.Receiver{receiver(url)}, Observe: func(o notify.Outcome) { outcomes <- o }})
	m := failed("sending")
	m.At = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	n.Send(m)
	closeNow(t, n)
	return <-outcomes
}

func TestGenericWebhookGetsThePlainText(t *testing.T) {
	address, got := serveHTTP(t, fine)
	if o := sendOne(t, webhook(address)); o.Result != notify.Sent || o.Attempts != 1 {
		t.Errorf("outcome %+v", o)
	}
	want := request{"/hook/" + token, "text/plain", "rotator: sending: failed: no admin key (workspace main, 2026-05-04 03:02Z)"}
	if diff := cmp.Diff(want, <-got, cmp.AllowUnexported(request{})); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestJSONWebhookGetsATitleToo(t *testing.T) {
	address, got := serveHTTP(t, fine)
	sendOne(t, webhook(address)+"&template=json")
	want := request{
		"/hook/" + token, "application/json",
		`{"message":"rotator: sending: failed: no admin key (workspace main, 2026-05-04 03:02Z)","title":"rotator: sending: failed"}`,
	}
	if diff := cmp.Diff(want, <-got, cmp.AllowUnexported(request{})); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

// Slack's address is fixed, so that the test leads it to a server of its own.
func TestSlackGetsItsOwnForm(t *testing.T) {
	server, got := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	server.StartTLS()
	was := http.DefaultTransport
	slack := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != "hooks.slack.com:443" {
				return nil, fmt.Errorf("dials %s", address)
			}
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}
	http.DefaultTransport = slack
	t.Cleanup(func() { http.DefaultTransport = was; slack.CloseIdleConnections() })
	for _, url := range []string{
		"slack://hook:T0000000A-B0000000A-abcdefghijklmnopqrstuvwx@webhook",
		"https://hooks.slack.com/services/T0000000A/B0000000A/abcdefghijklmnopqrstuvwx", // as Slack shows it
	} {
		if o := sendOne(t, url); o.Result != notify.Sent {
			t.Fatalf("%s: outcome %+v", url, o)
		}
		r := <-got
		if r.path != "/services/T0000000A/B0000000A/abcdefghijklmnopqrstuvwx" || !strings.Contains(r.body, "rotator: sending: failed") {
			t.Errorf("request %+v", r)
		}
	}
}

// A service that has no title refuses one; it is sent without.
func TestServiceWithoutATitleGetsTheText(t *testing.T) {
	address, got := serveHTTP(t, fine)
	host, port, _ := net.SplitHostPort(address)
	o := sendOne(t, "signal://"+host+":"+port+"/+10000000000/+20000000000?disabletls=yes")
	if o.Result != notify.Sent {
		t.Fatalf("outcome %+v", o)
	}
	if r := <-got; !strings.Contains(r.body, "rotator: sending: failed: no admin key") {
		t.Errorf("request %+v", r)
	}
}

func TestReasonsNeverRepeatTheURL(t *testing.T) {
	gone, _ := serve(t, fine)
	gone.Start()
	closed := gone.Listener.Addr().String()
	gone.Close()
	secure, _ := serve(t, fine)
	secure.StartTLS()
	answer := func(code int) string {
		address, _ := serveHTTP(t, status(code))
		return webhook(address)
	}
	redirect, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusMovedPermanently)
	})
	chatty, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no hook at "+r.URL.Path, http.StatusNotFound)
	})
	for name, c := range map[string]struct {
		url  string
		is   error
		says string
	}{
		"gone":          {answer(http.StatusGone), notify.ErrRefused, "refused: HTTP 410 Gone"},
		"unauthorized":  {answer(http.StatusUnauthorized), notify.ErrRefused, "refused: HTTP 401 Unauthorized"},
		"repeats it":    {webhook(chatty), notify.ErrRefused, "refused: HTTP 404 Not Found"},
		"redirect":      {webhook(redirect), notify.ErrRedirect, "it redirects to another address"},
		"no service":    {"carrier-pigeon://" + token, notify.ErrURL, notify.ErrURL.Error()},
		"no URL at all": {"://" + token, notify.ErrURL, notify.ErrURL.Error()},
		"slack, bad":    {"slack://" + token + "@webhook", notify.ErrURL, notify.ErrURL.Error()},
		"pasted https":  {"https://hooks.slack.com/services/" + token, notify.ErrURL, notify.ErrURL.Error()},
		"to nobody":     {"Logger://" + token, notify.ErrURL, notify.ErrURL.Error()},
		"unreachable":   {webhook(closed), notify.ErrUnreachable, "cannot be reached"},
		"certificate":   {"generic://" + secure.Listener.Addr().String() + "/" + token, notify.ErrCertificate, "its TLS certificate was not accepted"},
	} {
		t.Run(name, func(t *testing.T) {
			err := notify.Try(t.Context(), "rotator", receiver(c.url))
			if !errors.Is(err, c.is) || err.Error() != c.says {
				t.Errorf("got %v, want %s", err, c.says)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), token) {
				t.Errorf("the URL is in %#v", err)
			}
		})
	}
}

func TestRefusalIsNotTriedAgain(t *testing.T) {
	address, got := serveHTTP(t, status(http.StatusForbidden))
	if o := sendOne(t, webhook(address)); o.Result != notify.Undelivered || o.Attempts != 1 || len(got) != 1 {
		t.Errorf("outcome %+v, %d requests", o, len(got))
	}
}

func TestServerErrorIsTriedAgain(t *testing.T) {
	failures := 1
	address, got := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		if failures--; failures >= 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	if o := sendOne(t, webhook(address)); o.Result != notify.Sent || o.Attempts != 2 || len(got) != 2 {
		t.Errorf("outcome %+v, %d requests", o, len(got))
	}
}

func TestHangingServerHoldsUpNeitherSendNorClose(t *testing.T) {
	address, got := serveHTTP(t, hang)
	n := notify.New(notify.Options{From: "rotator", Receivers: []notify.Receiver{receiver(webhook(address))}})
	n.Send(failed("sending"))
	<-got // it hangs
	for i := range 1000 {
		n.Send(failed(fmt.Sprint(i)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
}

func TestOneReceiverDoesNotHoldUpAnother(t *testing.T) {
	dead, hangs := serveHTTP(t, hang)
	address, got := serveHTTP(t, fine)
	n := notify.New(notify.Options{From: "rotator", Receivers: []notify.Receiver{receiver(webhook(dead)), receiver(webhook(address))}})
	n.Send(failed("sending"))
	<-hangs
	<-got
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = n.Close(ctx)
}

// crashing panics with the address, as a client may that has a bug.
type crashing struct{}

func (crashing) RoundTrip(r *http.Request) (*http.Response, error) { panic(r.URL.String()) }

func TestCrashOfAServicesClientIsAFailureLikeAnyOther(t *testing.T) {
	transport, limit := http.DefaultTransport, http.DefaultClient.Timeout
	http.DefaultTransport, http.DefaultClient.Timeout = crashing{}, 0 // its timer would outlive the crash
	t.Cleanup(func() { http.DefaultTransport, http.DefaultClient.Timeout = transport, limit })
	err := notify.Try(t.Context(), "rotator", receiver(webhook("127.0.0.1:1")))
	if !errors.Is(err, notify.ErrPanic) || strings.Contains(fmt.Sprintf("%#v", err), token) {
		t.Errorf("got %v", err)
	}
}

func TestLineIsUsableAfterItWasCutOff(t *testing.T) {
	address, got := serveHTTP(t, hang)
	deliver := notify.Shoutrrr()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-got
		cancel()
	}()
	if err := deliver(ctx, secret.New(webhook(address)), "s", "t"); !errors.Is(err, notify.ErrTimeout) {
		t.Errorf("cut off: %v", err)
	}
	// The hanging request still has the line: nothing else is sent meanwhile.
	again, cancelAgain := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancelAgain()
	if err := deliver(again, secret.New(webhook(address)), "s", "t"); !errors.Is(err, notify.ErrTimeout) || len(got) != 0 {
		t.Errorf("while it hangs: %v, %d requests", err, len(got))
	}
}
