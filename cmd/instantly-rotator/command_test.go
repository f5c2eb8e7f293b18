package main_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret/githubtest"
)

type storyKey struct{}

// A story is what a script has running.
type story struct {
	box      *sandboxProcess
	hook     *hook
	received *hookReceiver // of webhooks
	hub      *githubtest.Server
	begun    *exec.Cmd
	calls    map[string]int // that the sandbox had when it was begun
	ended    chan struct{}  // closed when it has ended, with
	err      error
	out      diagnosis     // its standard output
	diag     diagnosis     // its standard error
	notes    *net.UnixConn // where systemd would listen
}

func storyOf(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

func (s *story) sandbox(ts *testscript.TestScript) *sandboxProcess {
	if s.box == nil {
		ts.Fatalf("no sandbox yet: the command \"sandbox\" starts one")
	}
	return s.box
}

type scriptCommand = func(ts *testscript.TestScript, neg bool, args []string)

// scriptCommands are the words that the stories have beside testscript's own:
//
//	exits CODE PROG ARGS…     run a program that ends with that exit code
//	eventually PATTERN PROG…  run a program again and again until its standard output matches
//	terminal CODE PROG ARGS…  exits, with standard output and error at a terminal, $COLUMNS wide
//	sandbox [--FLAG=FILE…] FILE…  start a sandbox; sets $API and $INSTANTLY_ADMIN_KEY, puts $API into the files
//	certificate CERT KEY      make a certificate for 127.0.0.1 that is its own CA
//	faults [JSON]             set the sandbox's faults; without JSON none, and no rules
//	inject JSON               add a rule to the sandbox
//	add-key NAME [SCOPE]      a key is made by hand; sets $ADDED to its id, $ADDED_KEY to its value
//	write FILE TEXT           write a file; TEXT has Go's escapes, such as \ufeff and \n
//	revoke-key-by-hand ID     a key, by its id or name, is revoked by hand
//	comes ADDRESS ROLE        a person comes into the workspace, by hand
//	leaves ADDRESS            a person is removed from it, by hand
//	living N                  so many keys are alive at the sandbox
//	[!] alive ID              that key is alive at the sandbox
//	[!] works                 standard output is a key that the sandbox accepts
//	[!] json PATH [VALUE]     standard output is JSON that has VALUE at PATH (targets[0].due)
//	capture VAR PATH          put what JSON on standard output has at PATH into $VAR
//	begin PROG ARGS…          start a program in the background
//	reached METHOD ROUTE      wait until it has made that call to the sandbox
//	asked N METHOD ROUTE      so many of those calls were made to the sandbox
//	refusing STATUS FILE…     start a server that answers everything so; puts its URL as $REFUSING into the files
//	github PEM FILE…          start a GitHub; the key of its App 1, with installation 2, goes into PEM, its URL as $GITHUB into the files
//	github-has PATH           it has that secret; its value is standard output
//	fits LINES COLUMNS        standard output has at most so many lines of at most so many characters
//	logged PATTERN [VAR]      wait until its standard error matches; the first group goes into $VAR
//	printed PATTERN           wait until its standard output matches
//	answers CODE URL [TOKEN]  ask until the answer has that status; its body is standard output
//	systemd                   listen as systemd does: sets $NOTIFY_SOCKET
//	told-systemd STATE        wait until the program has told systemd so
//	signal INT|TERM|HUP|KILL  send a signal to the program that was begun
//	insist INT|TERM           send it again and again until the program ends
//	webhook [STATUS]          start a webhook that answers with it (200); sets $HOOK to its URL
//	receiver FILE SECRET      start a receiver of webhooks that reads its secrets in FILE; sets $RECEIVER and $WEBHOOK
//	delivering                have events delivered from now on
//	[!] received              wait for deliveries that are accepted; ! means that some were refused
//	until PATTERN PROG ARGS…  run a program until its standard output matches
//	[!] notified PATTERN      it got a message that matches
//	[!] complains             there is more on standard error than what is waited for
//	silent                    the webhook's token is not in what the last program printed
//	ends CODE                 wait for its end; -1 is by a signal
func scriptCommands() map[string]scriptCommand {
	return map[string]scriptCommand{
		"exits": exits, "eventually": eventually, "terminal": atTerminal,
		"sandbox": sandbox, "certificate": certificate, "faults": faults, "inject": inject,
		"add-key": addKey, "write": write, "revoke-key-by-hand": revokeByHand, "comes": comes, "leaves": leaves, "living": living, "alive": alive, "works": works,
		"webhook": webhook, "receiver": receiver, "delivering": delivering, "received": received, "until": until, "notified": notified, "silent": silent,
		"complains": complains, "json": jsonHas, "capture": capture,
		"begin": begin, "reached": reached, "asked": wasAsked, "refusing": refusing, "github": github, "github-has": githubHas, "fits": fits, "logged": logged, "printed": printed, "answers": answers, "systemd": systemd, "told-systemd": toldSystemd,
		"signal": signal, "insist": insist, "ends": ends,
	}
}

func want(ts *testscript.TestScript, args []string, atLeast int, usage string) {
	if len(args) < atLeast {
		ts.Fatalf("usage: %s", usage)
	}
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

// codeOf gives the exit code of a program that ended.
func codeOf(err error) (int, error) {
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return ended.ExitCode(), nil
	}
	return 0, err
}

func wantCode(ts *testscript.TestScript, text string, err error) {
	code, err := codeOf(err)
	ts.Check(err)
	if code != number(ts, text) {
		ts.Fatalf("exit code %d, want %s", code, text)
	}
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "exits CODE PROG ARGS…")
	wantCode(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func eventually(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "eventually PATTERN PROG ARGS…")
	pattern := regexp.MustCompile(args[0])
	for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, err := codeOf(ts.Exec(args[1], args[2:]...)); err != nil || pattern.MatchString(ts.ReadFile("stdout")) {
			ts.Check(err)
			return
		}
	}
	ts.Fatalf("no %s within %s", args[0], waitLimit)
}

func sandbox(ts *testscript.TestScript, _ bool, files []string) {
	flags := []string{"--state", ts.MkAbs(".tmp/sandbox.json")}
	for len(files) > 0 && strings.HasPrefix(files[0], "--") {
		name, file, _ := strings.Cut(files[0], "=")
		flags, files = append(flags, name, ts.MkAbs(file)), files[1:]
	}
	box, stop, err := startSandbox(flags...)
	ts.Check(err)
	ts.Defer(stop)
	storyOf(ts).box = box
	ts.Setenv("API", box.url)
	ts.Setenv("INSTANTLY_ADMIN_KEY", box.adminKey)
	for _, name := range files {
		text := strings.ReplaceAll(ts.ReadFile(name), "$API", box.url)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

func certificate(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "certificate CERT KEY")
	cert, key, err := selfSigned(net.IPv4(127, 0, 0, 1))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), cert, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), key, 0o600))
}

func faults(ts *testscript.TestScript, _ bool, args []string) {
	box, text := storyOf(ts).sandbox(ts), "{}"
	if len(args) > 0 {
		text = args[0]
	} else {
		_, err := box.control(http.MethodDelete, "inject", "")
		ts.Check(err)
	}
	_, err := box.control(http.MethodPut, "faults", text)
	ts.Check(err)
}

func inject(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "inject JSON")
	_, err := storyOf(ts).sandbox(ts).control(http.MethodPost, "inject", args[0])
	ts.Check(err)
}

func addKey(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "add-key NAME [SCOPE]")
	scope := append(args[1:], "leads:read")[0]
	id, value, err := storyOf(ts).sandbox(ts).addKey(args[0], scope)
	ts.Check(err)
	ts.Setenv("ADDED", id)
	ts.Setenv("ADDED_KEY", value)
}

func write(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "write FILE TEXT")
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func revokeByHand(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "revoke-key-by-hand ID")
	box, id := storyOf(ts).sandbox(ts), args[0]
	keys, err := box.living()
	ts.Check(err)
	for _, k := range keys {
		if k.Name == args[0] {
			id = k.ID
		}
	}
	_, err = box.control(http.MethodDelete, "keys/"+id, "")
	ts.Check(err)
}

func living(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "living N")
	keys, err := storyOf(ts).sandbox(ts).living()
	ts.Check(err)
	if len(keys) != number(ts, args[0]) {
		ts.Fatalf("%d keys are alive, want %s: %+v", len(keys), args[0], keys)
	}
}

func alive(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, args, 1, "[!] alive ID")
	keys, err := storyOf(ts).sandbox(ts).living()
	ts.Check(err)
	found := false
	for _, k := range keys {
		found = found || k.ID == args[0]
	}
	if found == neg {
		ts.Fatalf("key %q alive: %v; alive are %+v", args[0], found, keys)
	}
}

func works(ts *testscript.TestScript, neg bool, _ []string) {
	err := storyOf(ts).sandbox(ts).works(strings.TrimSpace(ts.ReadFile("stdout")))
	if (err == nil) == neg {
		ts.Fatalf("works: %v", err)
	}
}

func begin(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "begin PROG ARGS…")
	s := storyOf(ts)
	var err error
	s.calls, err = s.sandbox(ts).calls()
	ts.Check(err)
	s.out.Reset()
	s.diag.Reset()
	s.begun = exec.Command(args[0], args[1:]...)
	s.begun.Dir, s.begun.Stdout, s.begun.Stderr = ts.MkAbs("."), &s.out, &s.diag
	s.begun.SysProcAttr = childAttributes()
	for _, name := range []string{"PATH", "INSTANTLY_ADMIN_KEY", "HOME", "TMPDIR", "GORACE", "NOTIFY_SOCKET", "WATCHDOG_USEC"} {
		s.begun.Env = append(s.begun.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(s.begun.Start())
	begun, ended := s.begun, make(chan struct{})
	s.ended = ended
	go func() {
		defer close(ended)
		s.err = begun.Wait()
	}()
	ts.Defer(func() {
		_ = begun.Process.Kill()
		<-ended
	})
}

func reached(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "reached METHOD ROUTE")
	s, route := storyOf(ts), args[0]+" "+args[1]
	ts.Check(s.sandbox(ts).reached(route, s.calls[route]+1))
}

func wasAsked(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 3, "asked N METHOD ROUTE")
	counts, err := storyOf(ts).sandbox(ts).calls()
	ts.Check(err)
	if got := counts[args[1]+" "+args[2]]; got != number(ts, args[0]) {
		ts.Fatalf("asked %d times, want %s", got, args[0])
	}
}

func refusing(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "refusing STATUS FILE…")
	status := number(ts, args[0])
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	ts.Defer(server.Close)
	for _, name := range args[1:] {
		text := strings.ReplaceAll(ts.ReadFile(name), "$REFUSING", server.URL)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

func signal(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "signal INT|TERM|HUP|KILL")
	ts.Check(storyOf(ts).begun.Process.Signal(signalNamed(ts, args[0])))
}

func signalNamed(ts *testscript.TestScript, name string) os.Signal {
	kind, ok := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": os.Kill}[name]
	if !ok {
		ts.Fatalf("unknown signal %s", name)
	}
	return kind
}

// insist sends a signal as an impatient person does: signals that come too close
// together are one.
func insist(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "insist INT|TERM")
	s, kind := storyOf(ts), signalNamed(ts, args[0])
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		_ = s.begun.Process.Signal(kind)
		select {
		case <-s.ended:
			return
		case <-again.C:
		}
	}
}

func ends(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "ends CODE")
	s := storyOf(ts)
	select {
	case <-s.ended:
	case <-time.After(waitLimit):
		ts.Fatalf("it did not end within %s", waitLimit)
	}
	fmt.Fprint(ts.Stdout(), s.out.String())
	fmt.Fprint(ts.Stderr(), s.diag.String())
	wantCode(ts, args[0], s.err)
}
