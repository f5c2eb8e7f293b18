package main_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// The routes that a rotation calls.
const (
	routeList   = "GET /api/v2/api-keys"
	routeCreate = "POST /api/v2/api-keys"
	routeDelete = "DELETE /api/v2/api-keys/{id}"
	routeProbe  = "GET /api/v2/campaigns"
)

// A gatekeeper stands between the rotator and the sandbox. It lets every call
// through but one, which it holds up, before or after its effect, until it is
// told what to do: so a test knows what the rotator is waiting for. It can also
// answer in the sandbox's place, with a refusal that quotes the caller's key.
type gatekeeper struct {
	url string

	mu   sync.Mutex
	hold *heldCall
	seen map[string]int
	// quoteOn is the route that is refused; quoteAs the status.
	quoteOn string
	quoteAs int
}

// A heldCall is a call that is to be held up, and then is.
type heldCall struct {
	route  string // "DELETE /api/v2/api-keys/{id}"
	nth    int    // 1 is the next
	after  bool   // hold the answer back, not the request
	come   chan struct{}
	letGo  chan struct{} // closed: go on
	gone   chan struct{} // closed: the caller is dead, drop the call
	closed sync.Once
}

func newGatekeeper(t *testing.T, sandboxURL string) *gatekeeper {
	t.Helper()
	target, err := url.Parse(sandboxURL)
	if err != nil {
		t.Fatal(err)
	}
	g := &gatekeeper{seen: map[string]int{}}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // answers break off on purpose
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	server := newLoopbackServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held, refusal := g.arrive(r)
		if refusal != 0 {
			refuseQuoting(w, r, refusal)
			return
		}
		if held != nil && !held.after {
			held.wait()
		}
		if held != nil && held.after {
			w = &lateWriter{ResponseWriter: w, held: held}
		}
		proxy.ServeHTTP(w, r)
	}))
	g.url = server
	t.Cleanup(func() { // before the server waits for its calls to end
		if g.hold != nil {
			g.hold.drop()
		}
	})
	return g
}

// arrive counts a call and gives its hold, or the status it is refused with, if
// it has one.
func (g *gatekeeper) arrive(r *http.Request) (held *heldCall, refusal int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	route := r.Method + " " + routeOf(r.URL.Path)
	g.seen[route]++
	if route == g.quoteOn {
		return nil, g.quoteAs
	}
	h := g.hold
	if h == nil || h.route != route || g.seen[route] != h.nth {
		return nil, 0
	}
	return h, 0
}

// quote refuses every call of a route from now on.
func (g *gatekeeper) quote(route string, status int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.quoteOn, g.quoteAs = route, status
}

func refuseQuoting(w http.ResponseWriter, r *http.Request, status int) {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	w.Header().Set("Retry-After", "3600")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"statusCode":%d,"error":"no %s","message":"Invalid scope of %s. Required: a:b. Found: %s"}`, status, key, key, key)
}

// routeOf puts the place-holder for a key's id into a path.
func routeOf(path string) string {
	if _, isKey := strings.CutPrefix(path, "/api/v2/api-keys/"); isKey {
		return "/api/v2/api-keys/{id}"
	}
	return path
}

// holdUp makes the nth call of a route from now on wait.
func (g *gatekeeper) holdUp(route string, nth int, after bool) *heldCall {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = map[string]int{}
	g.hold = &heldCall{
		route: route, nth: nth, after: after,
		come: make(chan struct{}), letGo: make(chan struct{}), gone: make(chan struct{}),
	}
	return g.hold
}

// wait is where the call is held up. A call whose caller died has no effect any
// more.
func (h *heldCall) wait() {
	close(h.come)
	select {
	case <-h.letGo:
	case <-h.gone:
		panic(http.ErrAbortHandler)
	}
}

func (h *heldCall) release() { h.closed.Do(func() { close(h.letGo) }) }

func (h *heldCall) drop() { h.closed.Do(func() { close(h.gone) }) }

// lateWriter holds an answer back when it is about to be sent.
type lateWriter struct {
	http.ResponseWriter
	held *heldCall
}

// WriteHeader implements [http.ResponseWriter].
func (w *lateWriter) WriteHeader(status int) {
	w.held.wait()
	w.ResponseWriter.WriteHeader(status)
}

// await waits until a call is held up.
func (l *lab) await(held *heldCall, run *command) {
	l.Helper()
	select {
	case <-held.come:
	case <-time.After(waitLimit):
		run.kill()
		l.Fatalf("%s was not called: %s%s", held.route, &run.stdout, &run.stderr)
	}
}
