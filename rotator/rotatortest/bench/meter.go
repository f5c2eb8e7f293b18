package main

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A meter stands before Instantly's stand-in and counts, by workspace: each is
// reached under a path of its own.
type meter struct {
	next    http.Handler
	mu      sync.Mutex
	tallies []*tally
}

// A tally is what one workspace was asked for.
type tally struct {
	calls    map[string]int // by method and path, ids left out
	statuses map[int]int
	tests    int // test calls that were answered with "works"
	// first is when the first call came, last when the last one of those that
	// rotations are made of was answered.
	first, last time.Time
	// refused is when a credential was refused first.
	refused map[string]time.Time
	hangs   bool
}

func newMeter(next http.Handler, spaces int) *meter {
	m := &meter{next: next}
	for range spaces {
		m.tallies = append(m.tallies, &tally{calls: map[string]int{}, statuses: map[int]int{}, refused: map[string]time.Time{}})
	}
	return m
}

// place is the base URL's path of a workspace.
func place(space int) string { return fmt.Sprintf("/space-%d", space) }

// ServeHTTP implements [http.Handler].
func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	space, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/space-"), "/")
	at := number(space)
	m.mu.Lock()
	t := m.tallies[at]
	if t.first.IsZero() {
		t.first = time.Now()
	}
	hangs := t.hangs
	m.mu.Unlock()
	if hangs {
		<-r.Context().Done()
		return
	}
	seen := &status{ResponseWriter: w, code: http.StatusOK}
	http.StripPrefix(place(at), m.next).ServeHTTP(seen, r)
	m.mu.Lock()
	defer m.mu.Unlock()
	t.note(r, "/"+path, seen.code)
}

// testPath is where a key with the scope of the site's keys is tested.
const testPath = "/api/v2/campaigns"

func (t *tally) note(r *http.Request, path string, code int) {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/v2/"), "/")
	t.calls[r.Method+" "+name]++
	t.statuses[code]++
	t.last = time.Now()
	if path == testPath && code == http.StatusOK {
		t.tests++
	}
	if by := r.Header.Get("Authorization"); code == http.StatusUnauthorized && t.refused[by].IsZero() {
		t.refused[by] = t.last
	}
}

// status remembers what was answered.
type status struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements [http.ResponseWriter].
func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// hang keeps every caller of a workspace waiting.
func (m *meter) hang(space int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tallies[space].hangs = true
}

// read gives copies of the tallies.
func (m *meter) read() []tally {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []tally
	for _, t := range m.tallies {
		c := *t
		c.calls, c.statuses, c.refused = maps.Clone(t.calls), maps.Clone(t.statuses), maps.Clone(t.refused)
		out = append(out, c)
	}
	return out
}

// requests counts the calls so far, answered with code, or all of them if that
// is 0.
func requests(tallies []tally, code int) (n int) {
	for _, t := range tallies {
		for status, calls := range t.statuses {
			if code == 0 || code == status {
				n += calls
			}
		}
	}
	return n
}
