//go:build linux && amd64

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// processTimeout ends a test whose process hangs.
const processTimeout = 3 * time.Minute

// A process is a run of the binary.
type process struct {
	t     *testing.T
	args  string
	pid   int
	said  string // the file with all that it has written
	ended chan struct{}
	code  int // once it has ended; -1: killed
	err   error
}

// A launch is how a process is started.
type launch struct {
	bin, dir, said string
	env, args      []string
	tracer         *tracer // nil: it runs freely
}

// start starts a process. It is killed when the test ends, if not before.
func (l launch) start(t *testing.T) *process {
	t.Helper()
	out, err := os.OpenFile(l.said, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, args: strings.Join(l.args, " "), said: l.said, ended: make(chan struct{})}
	if l.tracer == nil {
		l.startFreely(p, out)
	} else {
		l.startTraced(p, out)
	}
	t.Cleanup(p.kill)
	return p
}

func (l launch) startFreely(p *process, out *os.File) {
	p.t.Helper()
	c := exec.Command(l.bin, l.args...)
	c.Dir, c.Env, c.Stdout, c.Stderr = l.dir, l.env, out, out
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.pid = c.Process.Pid
	go func() {
		defer close(p.ended)
		var failed *exec.ExitError
		if err := c.Wait(); err != nil && !errors.As(err, &failed) {
			p.err = err
		}
		p.code = c.ProcessState.ExitCode()
		_ = out.Close()
	}()
}

func (l launch) startTraced(p *process, out *os.File) {
	p.t.Helper()
	begun := make(chan int, 1)
	go func() {
		defer close(p.ended)
		p.code, p.err = l.tracer.run(l.bin, append([]string{l.bin}, l.args...),
			os.ProcAttr{Dir: l.dir, Env: l.env, Files: []*os.File{nil, out, out}}, func(pid int) { begun <- pid })
		_ = out.Close()
	}()
	if p.pid = <-begun; p.pid == 0 {
		<-p.ended
		p.t.Fatal(p.err)
	}
}

// wait waits for its end and gives its exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(processTimeout):
		p.t.Fatalf("%s has not ended after %s: %s", p.args, processTimeout, p.text())
	}
	if p.err != nil {
		p.t.Fatalf("%s: %v", p.args, p.err)
	}
	return p.code
}

// kill is SIGKILL. It does not wait: what a dead process waits for may have to be
// told first that it is dead.
func (p *process) kill() { p.signal(syscall.SIGKILL) }

// suspend is SIGSTOP, resume SIGCONT.
func (p *process) suspend() { p.signal(syscall.SIGSTOP) }

func (p *process) resume() { p.signal(syscall.SIGCONT) }

func (p *process) signal(sig syscall.Signal) {
	select {
	case <-p.ended: // its number may be somebody else's
	default:
		_ = syscall.Kill(p.pid, sig)
	}
}

// text is all that it has written.
func (p *process) text() string {
	text, err := os.ReadFile(p.said)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(text)
}
