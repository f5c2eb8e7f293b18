package check_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

func TestTheBinaryUnderstandsWhatItIsTold(t *testing.T) {
	applied := ways(t)
	binary := filepath.Join(t.TempDir(), "instantly-rotator")
	build := exec.Command("go", "build", "-o", binary, "./cmd/instantly-rotator")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	check := func(what string, args ...string) {
		out, err := exec.Command(binary, args...).CombinedOutput()
		if err == nil {
			return
		}
		t.Errorf("%s: instantly-rotator %s: %v\n%s", what, strings.Join(args, " "), err, out)
	}
	for _, w := range applied {
		// With --help the flags are read, and nothing is done.
		check(w.name, append(pods(t, w.objects)[0].Spec.Containers[0].Args, "--help")...)
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, []byte(configText(t, w.objects)), 0o600); err != nil {
			t.Fatal(err)
		}
		check(w.name, "validate", "--config", file)
	}
	for _, unit := range []string{"instantly-rotator.service", "instantly-rotator-due.service"} {
		for line := range strings.Lines(readFile(t, root+"/deploy/systemd/"+unit)) {
			if command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=/usr/local/bin/instantly-rotator "); ok {
				check(unit, append(strings.Fields(command), "--help")...)
			}
		}
	}
}

// A tracked file that the build context lacks looks deleted to git, and the
// binary would call its version dirty.
func TestTheImageIsBuiltFromEveryTrackedFile(t *testing.T) {
	patterns, err := ignorefile.ReadAll(strings.NewReader(readFile(t, root+"/.dockerignore")))
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("git", "ls-files", "-z")
	list.Dir = root
	files, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.SplitSeq(strings.Trim(string(files), "\x00"), "\x00") {
		if out, err := ignored.MatchesOrParentMatches(file); err != nil || out {
			t.Errorf("%s is tracked, and .dockerignore leaves it out (%v)", file, err)
		}
	}
	for _, secret := range []string{"config.yaml", "store/sending/state.json", "deep/down/admin-key", ".env"} {
		if out, err := ignored.MatchesOrParentMatches(secret); err != nil || !out {
			t.Errorf("%s would reach the build cache", secret)
		}
	}
}
