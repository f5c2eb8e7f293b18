package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// A trace sees every call of an engine that runs in this process, and delays it.
type trace struct {
	latency time.Duration
	mu      sync.Mutex
	calls   []*call
}

// A call is one request and its answer.
type call struct {
	service, name string
	step          rotator.Verb // in which it was made
	began, ended  time.Time
}

// instantly is the name of that service in traces; stores go by their kind.
const atInstantly = "Instantly"

// begin notes a call and keeps it on its way for as long as calls take; the
// function that it gives is to be called with the answer at hand.
func (t *trace) begin(service, name string) (end func()) {
	c := &call{service: service, name: name, began: time.Now()}
	t.mu.Lock()
	t.calls = append(t.calls, c)
	t.mu.Unlock()
	time.Sleep(t.latency)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		c.ended = time.Now()
	}
}

// stepped tells to which step the calls since the last one belong. What is read
// beside the key list, of a rotation that was asked for, is told with it.
func (t *trace) stepped(e rotator.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.calls {
		switch {
		case c.step != "":
		case e.Verb == rotator.List && c.service != atInstantly:
			c.step = rotator.Observe
		case e.Verb == rotator.List && strings.HasPrefix(c.name, http.MethodDelete):
			c.step = rotator.Check
		default:
			c.step = e.Verb
		}
	}
}

// drain gives the calls so far and forgets them.
func (t *trace) drain() []*call {
	t.mu.Lock()
	defer t.mu.Unlock()
	calls := t.calls
	t.calls = nil
	return calls
}

// rounds counts the calls that waited for one another: the longest chain of which
// each began when the one before had ended.
func rounds(calls []*call) (n int) {
	sorted := slices.SortedFunc(slices.Values(calls), func(x, y *call) int { return x.ended.Compare(y.ended) })
	var free time.Time
	for _, c := range sorted {
		if !c.began.Before(free) {
			n, free = n+1, c.ended
		}
	}
	return n
}

// The ways into the trace: an HTTP transport, an SDK's HTTP client, and gRPC.

type transport struct {
	*trace
	service string
	name    func(*http.Request) string
	next    http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	defer t.begin(t.service, t.name(r))()
	return t.next.RoundTrip(r)
}

type doer struct {
	*trace
	next interface {
		Do(*http.Request) (*http.Response, error)
	}
}

// Do implements the AWS SDK's HTTP client.
func (d doer) Do(r *http.Request) (*http.Response, error) {
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	defer d.begin("aws", action)()
	return d.next.Do(r)
}

func (t *trace) unary(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	defer t.begin("gcp", method[strings.LastIndexByte(method, '/')+1:])()
	return next(ctx, method, req, reply, conn, opts...)
}

// route names a call of Instantly's API, ids left out.
func route(r *http.Request) string {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v2/"), "/")
	if len(path) > 1 && path[0] == "api-keys" {
		path[1] = "{id}"
	}
	return r.Method + " /" + strings.Join(path, "/")
}

func verb(r *http.Request) string { return r.Method }
