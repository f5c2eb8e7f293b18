package instantly_test

import (
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	adminValue = "CANARYadminMTIzNDU2Nzg5MA=="
	keyValue   = "CANARYissuedOTg3NjU0MzIx=="
	keyID      = "019ffad2-9b7d-7279-a70d-81e4b5ba7965"
)

const (
	deadBody  = `{"statusCode":401,"error":"Unauthorized","message":"Invalid API key"}`
	scopeBody = `{"statusCode":401,"error":"Unauthorized","message":"Invalid scope. Required: accounts:read. Found: campaigns:all, leads:all"}`
	keyBody   = `{"id":"` + keyID + `","name":"n","scopes":["leads:read"],"key":"` + keyValue +
		`","organization_id":"org","timestamp_created":"2026-03-05T23:09:47.098Z"}`
)

// sent is a request as it left the client.
type sent struct {
	Method, URL, Body string
	Header            http.Header
}

// fakeAPI is a transport that answers by itself and remembers what it was asked.
type fakeAPI struct {
	answer func(n int, r sent) (*http.Response, error) // n counts from 0

	mu  sync.Mutex
	got []sent
}

func (f *fakeAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	s := sent{Method: req.Method, URL: req.URL.String(), Header: req.Header.Clone()}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		s.Body = string(body)
	}
	f.mu.Lock()
	n := len(f.got)
	f.got = append(f.got, s)
	f.mu.Unlock()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return f.answer(n, s)
}

func (f *fakeAPI) requests() []sent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]sent(nil), f.got...)
}

// always answers every request alike.
func always(status int, body string, header ...string) *fakeAPI {
	return &fakeAPI{answer: func(int, sent) (*http.Response, error) { return reply(status, body, header...), nil }}
}

// inTurn answers with one body after the other, the last one for ever.
func inTurn(bodies ...string) *fakeAPI {
	return &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
		return reply(200, bodies[min(n, len(bodies)-1)]), nil
	}}
}

// failing breaks every connection.
func failing(err error) *fakeAPI {
	return &fakeAPI{answer: func(int, sent) (*http.Response, error) { return nil, err }}
}

// reply makes an answer; header is name, value, name, value …
func reply(status int, body string, header ...string) *http.Response {
	return replyFrom(status, strings.NewReader(body), header...)
}

func replyFrom(status int, body io.Reader, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(body), ProtoMajor: 1, ProtoMinor: 1}
}

// breaksOff is a body that ends before its time.
func breaksOff(begin string) io.Reader {
	return io.MultiReader(strings.NewReader(begin), brokenReader{})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// newClient makes a client that does not retry and is not held up.
func newClient(t testing.TB, transport http.RoundTripper, change ...func(*instantly.Options)) *instantly.Client {
	t.Helper()
	o := instantly.Options{
		AdminKey:    secret.New(adminValue),
		Transport:   transport,
		Pacer:       instantly.NewPacer(math.Inf(1)),
		RetryBudget: -1,
		Timeout:     20 * time.Second,
	}
	for _, c := range change {
		c(&o)
	}
	c, err := instantly.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func withRetries(o *instantly.Options) { o.RetryBudget = 0 }

// wantIs fails unless err is of all the classes.
func wantIs(t *testing.T, err error, classes ...error) {
	t.Helper()
	for _, class := range classes {
		if !errors.Is(err, class) {
			t.Errorf("error %v: not %q", err, class)
		}
	}
}

// allClasses lists the sentinels a call may give.
func allClasses() []error {
	return []error{
		instantly.ErrUnauthorized, instantly.ErrScope, instantly.ErrPlan, instantly.ErrBlocked,
		instantly.ErrForbidden, instantly.ErrNotFound, instantly.ErrBadRequest, instantly.ErrRateLimited,
		instantly.ErrUnavailable, instantly.ErrMalformed, instantly.ErrOutcomeUnknown, instantly.ErrRedirect,
	}
}
