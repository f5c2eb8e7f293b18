package main_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret/githubtest"
)

func github(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "github PEM FILE…")
	hub := githubtest.New()
	hub.App = githubtest.NewApp("1", "2", time.Now)
	server := httptest.NewServer(hub)
	ts.Defer(server.Close)
	storyOf(ts).hub = hub
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(hub.App.PEM), 0o600))
	for _, name := range args[1:] {
		text := strings.ReplaceAll(ts.ReadFile(name), "$GITHUB", server.URL)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

func githubHas(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "github-has PATH")
	secret := storyOf(ts).hub.Secret(args[0])
	if secret == nil {
		ts.Fatalf("GitHub has no secret %s", args[0])
	}
	fmt.Fprintln(ts.Stdout(), secret.Value)
}
