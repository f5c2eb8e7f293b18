//go:build unix

package supervise

import (
	"os"
	"syscall"
)

// stopSignal asks a program to end.
const stopSignal = syscall.SIGTERM

// Signals lists those that are passed on to the program. At a terminal, SIGINT and
// SIGQUIT reach the program from there: passed on, they would arrive twice, which
// many programs take for "at once".
func Signals(atTerminal bool) []os.Signal {
	all := []os.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGCONT}
	if atTerminal {
		return all
	}
	return append(all, syscall.SIGINT, syscall.SIGQUIT)
}

// asksForEnd tells whether a signal's usual meaning is that a program shall end.
func asksForEnd(s os.Signal) bool {
	return s == syscall.SIGTERM || s == syscall.SIGINT || s == syscall.SIGQUIT || s == syscall.SIGHUP
}

// signalOf gives the signal that ended a program.
func signalOf(state *os.ProcessState) (int, bool) {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return 0, false
	}
	return int(status.Signal()), true
}
