// Package supervise runs one program, and starts it anew when its environment
// is to be another one. It is for consumers that read a key once, from the
// environment that they are started with.
package supervise

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"time"
)

// The exit codes of a program that could not be run, as shells count.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
	exitSignalled     = 128 // plus the signal's number
)

// Program is what to run. The program gets the environment that Run is given and
// nothing of this process's own.
type Program struct {
	// Args are the program, looked up in PATH, and its arguments.
	Args []string
	// Stdin, Stdout and Stderr are the program's. Files are passed on as they
	// are, so that a program at a terminal is at a terminal.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// StopTimeout is how long the program may take to end after SIGTERM, before
	// it is started anew; after that it is killed. At least a moment.
	StopTimeout time.Duration
	// Restarted is told each time that the program was started anew; may be nil.
	Restarted func()
}

// Run runs the program until it ends by itself, and gives its exit code: its own,
// 128 and the number of the signal that ended it, 126 if it cannot be executed,
// 127 if it is not there; the last two with an error.
//
// The first environment is waited for. Each further one ends the program (SIGTERM,
// then SIGKILL after StopTimeout) and starts it anew. A program that ends while it
// is being stopped for that is started all the same. Signals are passed on; one
// that arrives while the program is being stopped ends the wait for it to be
// started anew, if it asks for an end.
//
// Run returns only when no program of its own is left running.
func (p Program) Run(environments <-chan []string, signals <-chan os.Signal) (int, error) {
	r, err := p.start(<-environments)
	if err != nil {
		return exitCodeOf(err), err
	}
	for {
		select {
		case err := <-r.ended:
			return exitCode(r.cmd, err), nil
		case s := <-signals:
			_ = r.cmd.Process.Signal(s) // it may have ended: then that is next
		case env := <-environments:
			if code, last := r.stop(p.StopTimeout, signals); last {
				return code, nil
			}
			if r, err = p.start(env); err != nil {
				return exitCodeOf(err), err
			}
			if p.Restarted != nil {
				p.Restarted()
			}
		}
	}
}

// Find tells whether there is a program that can be executed: 0, or the code that [Program.Run]
// would give, and why.
func (p Program) Find() (int, error) {
	if _, err := exec.LookPath(p.Args[0]); err != nil {
		err = fmt.Errorf("run %s: %w", p.Args[0], err)
		return exitCodeOf(err), err
	}
	return 0, nil
}

// running is a program that was started.
type running struct {
	cmd   *exec.Cmd
	ended chan error // what Wait said
}

func (p Program) start(env []string) (*running, error) {
	cmd := exec.Command(p.Args[0], p.Args[1:]...) //nolint:gosec,noctx // the user names it, and it ends by itself
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, p.Stdin, p.Stdout, p.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("run %s: %w", p.Args[0], err)
	}
	r := &running{cmd: cmd, ended: make(chan error, 1)}
	go func() { r.ended <- cmd.Wait() }()
	return r, nil
}

// stop ends the program. last tells whether somebody asked for the end meanwhile,
// so that it is not to be started anew.
func (r *running) stop(timeout time.Duration, signals <-chan os.Signal) (code int, last bool) {
	_ = r.cmd.Process.Signal(stopSignal)
	kill := time.After(timeout)
	for {
		select {
		case err := <-r.ended:
			return exitCode(r.cmd, err), last
		case s := <-signals:
			last = last || asksForEnd(s)
			_ = r.cmd.Process.Signal(s)
		case <-kill:
			_ = r.cmd.Process.Kill()
		}
	}
}

// exitCode gives the code of a program that has ended.
func exitCode(cmd *exec.Cmd, err error) int {
	if err == nil {
		return 0
	}
	if n, ok := signalOf(cmd.ProcessState); ok {
		return exitSignalled + n
	}
	return max(cmd.ProcessState.ExitCode(), 1)
}

// exitCodeOf gives the code for a program that could not be started.
func exitCodeOf(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return exitNotFound
	}
	return exitNotExecutable
}
