package main_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
)

// A hookReceiver is a receiver of webhooks, and what it has answered deliveries.
type hookReceiver struct{ accepted, refused atomic.Int64 }

// receiver starts one of webhooks, which reads its secrets in FILE and whose URL is in
// RECEIVER, and adds a webhook to it by hand, with the secret that is sent now. Its id is in
// WEBHOOK.
func receiver(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "receiver FILE SECRET")
	r := &hookReceiver{}
	auth := webhookauth.New(webhookauth.Files(ts.MkAbs(args[0])), webhookauth.Options{MaxAge: 100 * time.Millisecond})
	next := auth.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { r.accepted.Add(1) }))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		before := r.accepted.Load()
		if next.ServeHTTP(w, req); r.accepted.Load() == before {
			r.refused.Add(1)
		}
	}))
	ts.Defer(s.Close)
	storyOf(ts).received = r
	ts.Setenv("RECEIVER", s.URL)
	hook, err := json.Marshal(map[string]any{
		"name": "replies", "target_hook_url": s.URL, "headers": map[string]string{"X-Webhook-Secret": args[1], "X-Team": "growth"},
	})
	ts.Check(err)
	answer, err := storyOf(ts).sandbox(ts).control(http.MethodPost, "webhooks", string(hook))
	ts.Check(err)
	var added struct{ ID string }
	ts.Check(json.Unmarshal(answer, &added))
	ts.Setenv("WEBHOOK", added.ID)
}

// delivering has events happen from now on until the story ends, twenty a second.
func delivering(ts *testscript.TestScript, _ bool, _ []string) {
	box, stop, ended := storyOf(ts).sandbox(ts), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(50 * time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				_, _ = box.control(http.MethodPost, "events", "{}")
			}
		}
	}()
	ts.Defer(func() { close(stop); <-ended })
}

// received waits until the receiver has accepted more deliveries, and tells whether it has
// refused any.
func received(ts *testscript.TestScript, refusals bool, _ []string) {
	r := storyOf(ts).received
	before := r.accepted.Load()
	for end := time.Now().Add(waitLimit); r.accepted.Load() < before+3; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("no delivery is accepted any more")
		}
	}
	if n := r.refused.Load(); (n > 0) != refusals {
		ts.Fatalf("%d deliveries were refused", n)
	}
}

// until runs a program again and again, until its standard output matches.
func until(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "until PATTERN PROGRAM [ARG...]")
	pattern := regexp.MustCompile("(?m)" + args[0])
	for end := time.Now().Add(waitLimit); ; time.Sleep(100 * time.Millisecond) {
		_ = ts.Exec(args[1], args[2:]...)
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("it never says %s", pattern)
		}
	}
}
