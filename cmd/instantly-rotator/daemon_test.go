package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A daemonProcess is the daemon in a lab.
type daemonProcess struct {
	*command
	lab *lab
	log *diagnosis
	url string
}

// daemon starts one and waits until it answers.
func (l *lab) daemon(args ...string) *daemonProcess {
	l.Helper()
	d := &daemonProcess{lab: l, log: &diagnosis{}}
	d.command = l.command(append([]string{"daemon", "--listen", "127.0.0.1:0"}, args...)...)
	d.Stderr = d.log
	if err := d.Start(); err != nil {
		l.Fatal(err)
	}
	l.Cleanup(d.kill)
	d.url = "http://" + d.logged(`"address":"([^"]+)"`)
	return d
}

// logged waits for a line in the log and gives the pattern's group.
func (d *daemonProcess) logged(pattern string) string {
	d.lab.Helper()
	for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if found := firstMatch(d.log.String(), pattern); found != "" {
			return found
		}
	}
	d.lab.Fatalf("no %s within %s in:\n%s", pattern, waitLimit, d.log)
	return ""
}

// get asks until the answer is 200, and gives it.
func (d *daemonProcess) get(path string) string {
	d.lab.Helper()
	said := ""
	for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		resp, err := http.Get(d.url + path)
		if err != nil {
			d.lab.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if said = string(text); err == nil && resp.StatusCode == http.StatusOK {
			return said
		}
	}
	d.lab.Fatalf("GET %s is not answered with 200 within %s: %s", path, waitLimit, said)
	return ""
}

// end asks it to end, and wants that it does so well.
func (d *daemonProcess) end() {
	d.lab.Helper()
	if err := d.Process.Signal(syscall.SIGTERM); err != nil {
		d.lab.Fatal(err)
	}
	if err := d.Wait(); err != nil {
		d.lab.Fatalf("the daemon ends with %v:\n%s", err, d.log)
	}
}

// TestDaemonTellsNoSecret: over several rotations, with the log at debug level,
// nothing that it shows or writes has a secret in it.
func TestDaemonTellsNoSecret(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "sandbox.json")
	l := newLab(t, `grace_period: 1s, schedule: "@every 3s"`, "--state", state)
	d := l.daemon("--log-level", "debug")
	d.logged(`"step":"(destroy)"`)
	told := d.get("/metrics") + d.get("/api/v1/targets") + d.get("/readyz") + d.get("/healthz") +
		d.get("/") + d.get("/target/sending") + d.get("/auditor") + d.get("/download/keys.json")
	d.end()
	if n := strings.Count(d.log.String(), `"msg":"promote"`); n < 2 {
		t.Fatalf("only %d promotions in the log: it may have had nothing to tell", n)
	}
	canaries := l.canariesOf(state)
	wantUntold(t, canaries, "HTTP", told)
	wantUntold(t, canaries, "the log", d.log.String())
	wantUntold(t, canaries, "standard output", d.stdout.String())
	wantUntoldOnDisk(t, canaries, l.dir)
}

// TestDaemonShowsWhatStatusPrints: field for field, while nothing happens.
func TestDaemonShowsWhatStatusPrints(t *testing.T) {
	t.Parallel()
	l := newLab(t, "grace_period: 1h")
	l.mustRun("rotate") // so that there is an old key to show
	d := l.daemon()
	d.get("/readyz")
	shown, printed := d.get("/api/v1/targets"), l.mustRun("status", "-o", "json", "sending")
	d.end()
	if diff := cmp.Diff(withoutAges(t, printed), withoutAges(t, shown)); diff != "" {
		t.Errorf("/api/v1/targets differs from status -o json (-status +daemon):\n%s", diff)
	}
}

// withoutAges reads JSON and leaves out what grows by the second.
func withoutAges(t *testing.T, text string) any {
	t.Helper()
	text = regexp.MustCompile(`"(age_seconds|as_of)": ?("[^"]*"|\d+),?`).ReplaceAllString(text, "")
	var all any
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return all
}
