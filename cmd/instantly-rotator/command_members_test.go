package main_test

import (
	"encoding/json"
	"net/http"

	"github.com/rogpeppe/go-internal/testscript"
)

// comes is a person who is invited to the workspace, and accepts.
func comes(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "comes ADDRESS ROLE")
	_, err := storyOf(ts).sandbox(ts).control(http.MethodPost, "members", `{"email": "`+args[0]+`", "role": "`+args[1]+`"}`)
	ts.Check(err)
}

// leaves is a person whom the workspace's owner removes.
func leaves(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "leaves ADDRESS")
	box := storyOf(ts).sandbox(ts)
	text, err := box.control(http.MethodGet, "members", "")
	ts.Check(err)
	var people []struct{ ID, Email string }
	ts.Check(json.Unmarshal(text, &people))
	for _, p := range people {
		if p.Email == args[0] {
			_, err := box.control(http.MethodDelete, "members/"+p.ID, "")
			ts.Check(err)
			return
		}
	}
	ts.Fatalf("%s is not there: %s", args[0], text)
}
