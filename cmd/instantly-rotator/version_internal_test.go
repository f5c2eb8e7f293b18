package main

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersionSaysWhatTheBinaryWasBuiltFrom(t *testing.T) {
	settings := []debug.BuildSetting{
		{Key: "vcs.revision", Value: "1a2cba2"}, {Key: "vcs.time", Value: "2026-11-28T17:15:00Z"}, {Key: "vcs.modified", Value: "true"},
	}
	made := "go      " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
	for name, tt := range map[string]struct {
		info *debug.BuildInfo
		want string
	}{
		"a release":            {&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: settings[:2]}, "instantly-rotator v1.2.3\ncommit  1a2cba2\ndate    2026-11-28T17:15:00Z\n" + made},
		"changed since":        {&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3+dirty"}, Settings: settings}, "instantly-rotator v1.2.3+dirty\ncommit  1a2cba2, changed\ndate    2026-11-28T17:15:00Z\n" + made},
		"from a module proxy":  {&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "instantly-rotator v1.2.3\ncommit  not known\ndate    not known\n" + made},
		"nothing written down": {nil, "instantly-rotator (devel)\ncommit  not known\ndate    not known\n" + made},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			(&app{stdout: &out}).printBuild(built(tt.info))
			if out.String() != tt.want {
				t.Errorf("got:\n%swant:\n%s", out.String(), tt.want)
			}
		})
	}
}
