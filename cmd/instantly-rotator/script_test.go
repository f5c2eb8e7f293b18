package main_test

import (
	"flag"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script: each file is a story of what a user types
// and sees. Beside the commands of package testscript they have those of
// command_test.go. With -update, files that "cmp" finds to differ are written anew.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Cmds:                scriptCommands(),
		Setup: func(env *testscript.Env) error {
			env.Values[storyKey{}] = &story{}
			return nil
		},
	})
}

var update = flag.Bool("update", false, "write the expected texts in testdata/script anew")
