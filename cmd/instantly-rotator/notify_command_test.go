package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// hookToken is the secret in the webhook's URL.
const hookToken = "c4nary-h00k-t0ken"

// A hook is a receiver of notifications: a webhook on this machine.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []string
}

func startHook() *hook {
	h := &hook{status: http.StatusOK}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		if !strings.HasSuffix(r.URL.Path, hookToken) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		h.got = append(h.got, string(body))
		w.WriteHeader(h.status)
		fmt.Fprintf(w, "no such hook: %s", r.URL) // as servers do
	}))
	return h
}

func (s *story) receiver(ts *testscript.TestScript) *hook {
	if s.hook == nil {
		ts.Fatalf("no webhook yet: the command \"webhook\" starts one")
	}
	return s.hook
}

func webhook(ts *testscript.TestScript, _ bool, args []string) {
	s := storyOf(ts)
	if s.hook == nil {
		s.hook = startHook()
		ts.Defer(s.hook.Close)
		ts.Setenv("HOOK", "generic+"+s.hook.URL+"/"+hookToken)
	}
	if len(args) > 0 {
		s.hook.mu.Lock()
		defer s.hook.mu.Unlock()
		s.hook.status = number(ts, args[0])
	}
}

func notified(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, args, 1, "[!] notified PATTERN")
	h := storyOf(ts).receiver(ts)
	h.mu.Lock()
	defer h.mu.Unlock()
	found := regexp.MustCompile("(?m)" + args[0]).MatchString(strings.Join(h.got, "\n"))
	if found == neg {
		ts.Fatalf("the webhook got %q", h.got)
	}
}

// silent searches for the URL's token in what the last program printed.
func silent(ts *testscript.TestScript, _ bool, _ []string) {
	for _, file := range []string{"stdout", "stderr"} {
		if text := ts.ReadFile(file); strings.Contains(text, hookToken) {
			ts.Fatalf("%s has the token: %s", file, text)
		}
	}
}
