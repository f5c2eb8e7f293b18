package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// findByTests gives the first test that turns red with the bug in place; "" if all
// stay green.
func findByTests(t *tree, b bug) (by string, err error) {
	overlay, done, err := t.overlay(b)
	if err != nil {
		return "", err
	}
	defer done()
	pkg, run, _ := strings.Cut(b.test, " ")
	test := exec.Command("go", "test", "-short", "-failfast", "-vet=off", "-ldflags=-s -w", "-overlay="+overlay, "-run="+run, pkg)
	out, err := test.CombinedOutput()
	switch failed := regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`).FindSubmatch(out); {
	case err == nil:
		return "", nil
	case failed != nil:
		return string(failed[1]), nil
	case regexp.MustCompile(`(?m)^(panic|fatal error|signal|goleak|exit status)`).Match(out):
		return "the end of the process", nil
	default:
		// A bug that does not compile would be found for the wrong reason.
		return "", fmt.Errorf("%w: %s", err, out)
	}
}

// overlay writes the files that a bug changes, and the list that puts them in
// place.
func (t *tree) overlay(b bug) (list string, done func(), err error) {
	planted, err := t.plant(b)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "plant-")
	if err != nil {
		return "", nil, err
	}
	done = func() { _ = os.RemoveAll(dir) }
	replace := map[string]string{}
	for path, src := range planted {
		copied := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		original, failed := filepath.Abs(filepath.Join(t.root, path))
		err = errors.Join(err, failed, os.WriteFile(copied, src, 0o600))
		replace[original] = copied
	}
	text, failed := json.Marshal(map[string]any{"Replace": replace})
	list = filepath.Join(dir, "overlay.json")
	if err = errors.Join(err, failed, os.WriteFile(list, text, 0o600)); err != nil {
		done()
		return "", nil, err
	}
	return list, done, nil
}
