package sinktest

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// Tap is a service's handler whose calls can be counted and spoiled.
type Tap struct {
	Handler http.Handler

	mu    sync.Mutex
	calls []string
	in    int // calls until the spoiled one; 0: none
	fault Fault
	hit   bool
}

// Calls gives the calls so far, as "PUT /path", and forgets them.
func (t *Tap) Calls() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	calls := t.calls
	t.calls = nil
	return calls
}

// Spoil is [Place.Spoil].
func (t *Tap) Spoil(n int, f Fault) func() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.in, t.fault, t.hit = n, f, false
	return func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.in = 0
		return t.hit
	}
}

// next counts a call, and says what happens to it.
func (t *Tap) next(r *http.Request) (Fault, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, r.Method+" "+r.URL.Path)
	if t.in == 0 {
		return "", false
	}
	t.in--
	if t.in > 0 {
		return "", false
	}
	t.hit = true
	return t.fault, true
}

func statuses() map[Fault]int {
	return map[Fault]int{
		Denied: http.StatusForbidden, Refused: http.StatusUnauthorized, Missing: http.StatusNotFound,
		TooMany: http.StatusTooManyRequests, Broken: http.StatusInternalServerError, Down: http.StatusServiceUnavailable,
	}
}

// ServeHTTP implements [http.Handler].
func (t *Tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	fault, spoiled := t.next(r)
	switch status := statuses()[fault]; {
	case !spoiled:
		t.Handler.ServeHTTP(w, r)
	case status != 0:
		// What services say of a request that they do not like.
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(append([]byte(`{"message": "`+Canary+`", "error": {"message": "`+Canary+`"}, "request": `), append(body, '}')...))
	case fault == Hangs:
		<-r.Context().Done()
	default:
		if fault == Lost {
			t.Handler.ServeHTTP(discard{http.Header{}}, r)
		}
		panic(http.ErrAbortHandler)
	}
}

// discard is where an answer goes that gets lost.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
