package main_test

// What the last program printed, and how it looks at a terminal.

import (
	"encoding/json"
	"io"
	"os/exec"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/rogpeppe/go-internal/testscript"
)

// complains: what a command waits for is told after a second, which a busy machine needs.
func complains(ts *testscript.TestScript, neg bool, _ []string) {
	said := ""
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		if !strings.HasPrefix(line, "waiting: ") && !strings.HasPrefix(line, "searched so far: ") {
			said += line
		}
	}
	if (said == "") != neg {
		ts.Fatalf("on standard error: %q", said)
	}
}

func jsonHas(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, args, 1, "[!] json PATH [VALUE]")
	got, ok := jsonAt(ts, args[0])
	matches := ok && (len(args) == 1 || got == args[1])
	if matches == neg {
		ts.Fatalf("%s is %q (there: %v)", args[0], got, ok)
	}
}

func capture(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "capture VAR PATH")
	got, ok := jsonAt(ts, args[1])
	if !ok {
		ts.Fatalf("nothing at %s", args[1])
	}
	ts.Setenv(args[0], got)
}

// jsonAt gives what standard output has at a path: text as it is, everything
// else as JSON.
func jsonAt(ts *testscript.TestScript, path string) (text string, ok bool) {
	var at any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &at))
	for _, name := range strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		if at, ok = step(at, name); !ok {
			return "", false
		}
	}
	if text, isText := at.(string); isText {
		return text, true
	}
	out, err := json.Marshal(at)
	ts.Check(err)
	return string(out), true
}

func step(at any, name string) (any, bool) {
	switch at := at.(type) {
	case map[string]any:
		next, ok := at[name]
		return next, ok
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(at) {
			return nil, false
		}
		return at[i], true
	default:
		return nil, false
	}
}

func fits(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "fits LINES COLUMNS")
	lines := strings.Split(strings.TrimRight(ts.ReadFile("stdout"), "\n"), "\n")
	if len(lines) > number(ts, args[0]) {
		ts.Fatalf("%d lines, want %s at most", len(lines), args[0])
	}
	for _, line := range lines {
		if n := text.StringWidthWithoutEscSequences(line); n > number(ts, args[1]) {
			ts.Fatalf("%d columns, want %s at most: %s", n, args[1], line)
		}
	}
}

func atTerminal(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "terminal CODE PROG ARGS…")
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Dir, cmd.SysProcAttr = ts.MkAbs("."), childAttributes()
	for _, name := range []string{"PATH", "INSTANTLY_ADMIN_KEY", "NO_COLOR", "TERM", "GORACE"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	columns := 0
	if wide := ts.Getenv("COLUMNS"); wide != "" {
		columns = number(ts, wide)
	}
	seen, err := runAtTerminal(cmd, columns)
	_, _ = io.WriteString(ts.Stdout(), seen)
	wantCode(ts, args[0], err)
}
