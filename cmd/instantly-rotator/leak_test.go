package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A leakLab is a lab whose secrets are all known, and which remembers what the
// commands printed.
type leakLab struct {
	*lab
	stateFile string
	told      strings.Builder
}

func newLeakLab(t *testing.T) *leakLab {
	t.Helper()
	stateFile := filepath.Join(t.TempDir(), "sandbox.json")
	l := newLab(t, "grace_period: 1h, activation_timeout: 300ms, revocation_timeout: 300ms", "--state", stateFile)
	return &leakLab{lab: l, stateFile: stateFile}
}

// run runs a command at debug level and keeps what it prints. One that retries
// for longer than a second is killed: what it printed until then counts.
func (l *leakLab) run(args ...string) {
	l.Helper()
	l.runFor(time.Second, args...)
}

// runFor runs the binary, and ends it after that time, whatever it has told by then.
func (l *leakLab) runFor(limit time.Duration, args ...string) {
	l.Helper()
	c := l.command(append(args, "--log-level", "debug")...)
	c.Env = append(c.Env, "TMPDIR="+l.dir)
	if err := c.Start(); err != nil {
		l.Fatal(err)
	}
	timer := time.AfterFunc(limit, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	_ = c.Wait()
	fmt.Fprintf(&l.told, "$ %s\n%s%s", strings.Join(args, " "), &c.stdout, &c.stderr)
}

// runAll runs every command in every format.
func (l *leakLab) runAll() {
	l.Helper()
	l.run("rotate", "--force", "--log-format", "json")
	l.run("rotate", "--end-grace", "sending", "--log-format", "console")
	l.run("trail", "show", "-n", "0", "-o", "json")
	l.run("trail", "export")
	l.run("trail", "verify")
	for _, form := range []string{"markdown", "csv", "json"} {
		l.run("evidence", "--output", form)
	}
	for _, command := range []string{"plan", "status", "verify"} {
		l.run(command, "--output", "table", "--log-format", "console")
		l.run(command, "--output", "json", "--log-format", "json")
	}
}

// wantNothingTold searches for every secret in all that was printed and stored.
func (l *leakLab) wantNothingTold() {
	l.Helper()
	canaries := l.canariesOf(l.stateFile)
	wantUntold(l.T, canaries, "the output", l.told.String())
	wantUntoldOnDisk(l.T, canaries, l.dir)
	if len(canaries) < 4 || !strings.Contains(l.told.String(), "api call") {
		l.Errorf("the test does not search what it should: %d secrets, printed was %.300s", len(canaries), l.told.String())
	}
}

func (l *leakLab) mustControl(method, path, body string) {
	l.Helper()
	if _, err := l.box.control(method, path, body); err != nil {
		l.Fatal(err)
	}
}

func TestNoSecretIsToldUnderAnyFault(t *testing.T) {
	for _, faults := range []string{
		`{}`,
		`{"lost_create_response": true}`,
		`{"activation_delay": "150ms", "revocation_delay": "150ms"}`,
		`{"activation_delay": "1h"}`,
		`{"revocation_delay": "1h"}`,
		`{"list_key": "full", "list_order": "newest"}`,
		`{"list_key": "masked", "delete_body": "empty"}`,
		`{"list_key": "empty", "page_size": 1}`,
		`{"delete_not_found": true}`,
		`{"plan_lapsed": true}`,
		`{"unavailable": true}`,
		`{"rate_limited": true}`,
		`{"rate_limited": true, "retry_after": "1h"}`,
		`{"edge_block": true}`,
		`{"truncate": true}`,
		`{"cursor_on_last_page": true}`,
		`{"repeat_cursor": true, "page_size": 1}`,
		`{"strict_scopes": true, "ignore_as_workspace": true, "latency": "20ms"}`,
	} {
		t.Run(faults, func(t *testing.T) {
			t.Parallel()
			l := newLeakLab(t)
			l.mustControl(http.MethodPut, "faults", faults)
			l.runAll()
			l.wantNothingTold()
		})
	}
}

func TestNoSecretIsToldUnderAnyRule(t *testing.T) {
	kinds := []string{
		`"kind": "drop"`, `"kind": "hang", "for": "100ms"`, `"kind": "delay", "for": "50ms"`, `"kind": "status", "status": 500`,
		`"kind": "truncated"`, `"kind": "huge"`, `"kind": "not_json"`, `"kind": "wrong_type"`, `"kind": "empty"`,
	}
	for _, kind := range kinds {
		for _, when := range []string{"before", "after"} {
			t.Run(when+" "+kind, func(t *testing.T) {
				t.Parallel()
				l := newLeakLab(t)
				for _, route := range []string{routeList, routeCreate, routeDelete, routeProbe} {
					l.runInjected(route, fmt.Sprintf(`"when": %q, %s`, when, kind))
				}
				l.wantNothingTold()
			})
		}
	}
}

// runInjected runs commands with a rule's fault injected into a call of that route.
func (l *leakLab) runInjected(route, rule string) {
	l.Helper()
	method, pattern, _ := strings.Cut(route, " ")
	for _, args := range fewCommands(route) {
		l.mustControl(http.MethodPost, "inject", fmt.Sprintf(`{"method": %q, "route": %q, %s}`, method, pattern, rule))
		l.run(args...)
	}
	l.mustControl(http.MethodDelete, "inject", "")
}

// fewCommands are those that call a route, each in some format.
func fewCommands(route string) [][]string {
	commands := [][]string{
		{"rotate", "--force", "--log-format", "json"},
		{"rotate", "--end-grace", "sending", "--log-format", "console"},
	}
	switch route {
	case routeList:
		return append(commands, []string{"status", "-o", "json"})
	case routeProbe:
		return append(commands, []string{"verify"})
	default:
		return commands
	}
}

// An API that quotes the credential in its refusal does not make us quote it.
func TestNoSecretIsToldWhereTheAnswerQuotesIt(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			l := newLeakLab(t)
			for _, route := range []string{routeList, routeCreate, routeDelete, routeProbe} {
				l.gate.quote(route, status)
				for _, args := range fewCommands(route) {
					l.run(args...)
				}
			}
			l.wantNothingTold()
		})
	}
}

// Configurations into which somebody wrote a secret.
func TestNoSecretIsToldWithABadConfiguration(t *testing.T) {
	t.Parallel()
	l := newLeakLab(t)
	config := filepath.Join(l.dir, "config.yaml")
	good, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	key, identity := l.box.adminKey, l.identity("a")
	for old, bad := range map[string]string{
		"{env: INSTANTLY_ADMIN_KEY}":  key,
		"{env: INSTANTLY_ADMIN_KEY},": "{env: " + key + "},",
		"env: INSTANTLY_ADMIN_KEY":    "file: " + key,
		"env: INSTANTLY":              "value: " + key + ", env: INSTANTLY",
		"http://":                     "http://admin:" + key + "@",
		"path: ./a":                   "path: ./a, recipients: [" + identity + "]",
		"path: ./b":                   "path: ./b, identity_key: " + identity,
		"workspaces:":                 "workspaces: {{" + key,
	} {
		text := strings.Replace(string(good), old, bad, 1)
		if text == string(good) {
			t.Fatalf("nothing to replace: %s", old)
		}
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l.run("validate")
		l.run("rotate", "--log-format", "console")
		l.run("status", "-o", "json", "--log-format", "json")
	}
	wantUntold(t, l.canariesOf(l.stateFile), "the output", l.told.String())
	if strings.Count(l.told.String(), "config.yaml:") < 15 {
		t.Errorf("not what a bad configuration says: %.1000s", l.told.String())
	}
}

// SIGQUIT makes the Go runtime print every goroutine's stack: here of a process
// that has a fresh key in hand.
func TestNoSecretIsToldByACrashDump(t *testing.T) {
	t.Parallel()
	l := newLeakLab(t)
	held := l.gate.holdUp(routeProbe, 1, false)
	run := l.command("rotate", "--log-level", "debug")
	run.Env = append(run.Env, "GOTRACEBACK=system")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.kill)
	l.await(held, run)
	if err := run.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	held.drop()
	fmt.Fprintf(&l.told, "%s%s", &run.stdout, &run.stderr)
	if dump := run.stderr.String(); !strings.Contains(dump, "SIGQUIT") || !strings.Contains(dump, ".(*run).try(") {
		t.Fatalf("no dump of the step in hand: %.3000s", dump)
	}
	l.wantNothingTold()
}

// What tells the other tests that they would find something.
func TestGetTellsTheSecret(t *testing.T) {
	t.Parallel()
	l := newLeakLab(t)
	told := l.mustRun("get", "sending")
	for _, c := range l.canariesOf(l.stateFile) {
		if c.in(told) != "" {
			return
		}
	}
	t.Errorf("none of the secrets is in %q", told)
}

// An audit reads every value, and says where they are.
func TestNoSecretIsToldByAnAudit(t *testing.T) {
	t.Parallel()
	l := newLeakLab(t)
	source := t.TempDir()
	leaked := l.mustRun("get", "sending") + "\n" + l.box.adminKey
	if err := os.WriteFile(filepath.Join(source, "settings.py"), []byte(leaked), 0o600); err != nil {
		t.Fatal(err)
	}
	l.mustControl(http.MethodPut, "faults", `{"list_key": "full"}`)
	for _, output := range []string{"table", "json", "sarif", "markdown"} {
		l.runFor(time.Minute, "audit", "--scan", source, "-o", output, "--log-format", "json")
	}
	l.wantNothingTold()
	if n := strings.Count(l.told.String(), "line 1 has the current key of target sending"); n != 4 {
		t.Errorf("it was found %d times, want in each of four outputs: %.3000s", n, l.told.String())
	}
}
