//go:build unix

package supervise_test

import (
	"bufio"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/supervise"
)

// supervised is a shell script under test: what it writes, line by line, and
// how it ends.
type supervised struct {
	environments chan []string
	signals      chan os.Signal
	lines        chan string
	code         chan int
	restarts     chan struct{}
}

func run(t *testing.T, script string, stopTimeout time.Duration) *supervised {
	t.Helper()
	r, w := io.Pipe()
	s := &supervised{
		environments: make(chan []string, 1), signals: make(chan os.Signal, 1),
		lines: make(chan string, 16), code: make(chan int, 1), restarts: make(chan struct{}, 4),
	}
	p := supervise.Program{
		Args: []string{"/bin/sh", "-c", script}, Stdout: w, Stderr: w,
		StopTimeout: stopTimeout, Restarted: func() { s.restarts <- struct{}{} },
	}
	go func() {
		for scan := bufio.NewScanner(r); scan.Scan(); {
			s.lines <- scan.Text()
		}
	}()
	go func() {
		code, err := p.Run(s.environments, s.signals)
		if err != nil {
			t.Error(err)
		}
		s.code <- code
	}()
	return s
}

func (s *supervised) says(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-s.lines:
		if got != want {
			t.Fatalf("it said %q, want %q", got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("it never said %q", want)
	}
}

func (s *supervised) endsWith(t *testing.T, want int) {
	t.Helper()
	select {
	case got := <-s.code:
		if got != want {
			t.Fatalf("exit code %d, want %d", got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it never ended")
	}
}

func TestExitCodeIsTheProgramsOwn(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 3": 3, "kill -9 $$": 128 + 9} {
		s := run(t, script, time.Minute)
		s.environments <- nil
		s.endsWith(t, want)
	}
}

func TestNothingButTheGivenEnvironmentIsPassedOn(t *testing.T) {
	t.Setenv("SECRET_OF_THIS_PROCESS", "1")
	s := run(t, `echo "$KEY-$SECRET_OF_THIS_PROCESS"`, time.Minute)
	s.environments <- []string{"KEY=one"}
	s.says(t, "one-")
	s.endsWith(t, 0)
}

func TestSignalsArePassedOn(t *testing.T) {
	s := run(t, `trap 'echo got it; exit 7' USR1; echo ready; while :; do sleep 0.05; done`, time.Minute)
	s.environments <- nil
	s.says(t, "ready")
	s.signals <- syscall.SIGUSR1
	s.says(t, "got it")
	s.endsWith(t, 7)
}

func TestANewEnvironmentStartsTheProgramAnew(t *testing.T) {
	s := run(t, `trap 'echo bye; exit 0' TERM; echo "key $KEY"; while :; do sleep 0.05; done`, time.Minute)
	s.environments <- []string{"KEY=one"}
	s.says(t, "key one")
	s.environments <- []string{"KEY=two"}
	s.says(t, "bye")
	s.says(t, "key two")
	<-s.restarts
	s.signals <- syscall.SIGTERM
	s.says(t, "bye")
	s.endsWith(t, 0)
}

func TestAProgramThatDoesNotStopIsKilled(t *testing.T) {
	s := run(t, `trap '' TERM; echo "key $KEY"; while :; do sleep 0.05; done`, 50*time.Millisecond)
	s.environments <- []string{"KEY=one"}
	s.says(t, "key one")
	s.environments <- []string{"KEY=two"}
	s.says(t, "key two")
	s.signals <- syscall.SIGKILL
	s.endsWith(t, 128+9)
}

func TestAskedToEndWhileItIsStoppedItIsNotStartedAnew(t *testing.T) {
	s := run(t, `trap 'echo stopping' TERM; trap 'exit 4' INT; echo "key $KEY"; while :; do sleep 0.05; done`, time.Minute)
	s.environments <- []string{"KEY=one"}
	s.says(t, "key one")
	s.environments <- []string{"KEY=two"}
	s.says(t, "stopping")
	s.signals <- syscall.SIGINT
	s.endsWith(t, 4)
}

func TestAProgramThatIsNotThereIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/plain", []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"no-such-program": 127, dir + "/absent": 127, dir + "/plain": 126} {
		environments := make(chan []string, 1)
		environments <- nil
		code, err := supervise.Program{Args: []string{name}}.Run(environments, nil)
		if code != want || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %d, %v, want %d and its name", name, code, err, want)
		}
		if code, before := (supervise.Program{Args: []string{name}}).Find(); code != want || before == nil || before.Error() == "" {
			t.Errorf("%s: before it is run: %d, %v, want %d and %v", name, code, before, want, err)
		}
	}
}
