package main_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
)

// receiver starts one of webhooks, which reads its secrets in FILE and whose URL is in
// RECEIVER, and adds a webhook to it by hand, with the secret that is sent now.
func receiver(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "receiver FILE SECRET")
	auth := webhookauth.New(webhookauth.Files(ts.MkAbs(args[0])), webhookauth.Options{})
	s := httptest.NewServer(auth.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	ts.Defer(s.Close)
	ts.Setenv("RECEIVER", s.URL)
	hook, err := json.Marshal(map[string]any{
		"name": "replies", "target_hook_url": s.URL, "headers": map[string]string{"X-Webhook-Secret": args[1], "X-Team": "growth"},
	})
	ts.Check(err)
	_, err = storyOf(ts).sandbox(ts).control(http.MethodPost, "webhooks", string(hook))
	ts.Check(err)
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
