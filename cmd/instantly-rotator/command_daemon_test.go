package main_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A diagnosis is a program's standard error, which can be read while it runs.
type diagnosis struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (d *diagnosis) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(p)
}

// String gives what was written so far.
func (d *diagnosis) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

// Reset forgets it.
func (d *diagnosis) Reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.text.Reset()
}

func logged(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "logged PATTERN [VAR]")
	s, pattern := storyOf(ts), regexp.MustCompile(args[0])
	for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		found := pattern.FindStringSubmatch(s.diag.String())
		if found == nil {
			continue
		}
		if len(args) > 1 {
			ts.Setenv(args[1], found[1])
		}
		return
	}
	ts.Fatalf("no %s within %s in:\n%s", args[0], waitLimit, s.diag.String())
}

func printed(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "printed PATTERN")
	s, pattern := storyOf(ts), regexp.MustCompile(args[0])
	for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if pattern.MatchString(s.out.String()) {
			return
		}
	}
	ts.Fatalf("no %s within %s in:\n%s", args[0], waitLimit, s.out.String())
}

func answers(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "answers CODE URL [TOKEN]")
	var status, body string
	for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		status, body = ask(ts, args[1], strings.Join(args[2:], ""))
		if strings.HasPrefix(status, args[0]+" ") {
			_, _ = io.WriteString(ts.Stdout(), body)
			return
		}
	}
	ts.Fatalf("%s answers %s within %s, want %s: %s", args[1], status, waitLimit, args[0], body)
}

// ask makes one request.
func ask(ts *testscript.TestScript, url, token string) (status, body string) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	ts.Check(err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error(), ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	return resp.Status, string(text)
}

func systemd(ts *testscript.TestScript, _ bool, _ []string) {
	dir, err := os.MkdirTemp("", "notify") // a socket's path is at most 107 bytes long
	ts.Check(err)
	ts.Defer(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "socket")
	s := storyOf(ts)
	s.notes, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	ts.Check(err)
	ts.Defer(func() { _ = s.notes.Close() })
	ts.Setenv("NOTIFY_SOCKET", path)
}

// toldSystemd reads what systemd is told until it is told so; what comes before is
// gone then.
func toldSystemd(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "told-systemd STATE")
	s, message := storyOf(ts), make([]byte, 4096)
	ts.Check(s.notes.SetReadDeadline(time.Now().Add(waitLimit)))
	for {
		n, err := s.notes.Read(message)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			ts.Fatalf("systemd was not told %s within %s", args[0], waitLimit)
		}
		ts.Check(err)
		if regexp.MustCompile(args[0]).Match(message[:n]) {
			return
		}
	}
}
