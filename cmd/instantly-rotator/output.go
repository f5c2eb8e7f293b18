package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// output is standard output, and remembers what could not be written: a full disk
// must not look like an empty answer.
type output struct {
	file *os.File

	mu     sync.Mutex
	failed error
}

// Write implements [io.Writer].
func (o *output) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	if err != nil && !errors.Is(err, syscall.EPIPE) { // who reads no further has what he wanted
		o.mu.Lock()
		defer o.mu.Unlock()
		o.failed = err
	}
	return n, err
}

// Fd tells which file it is, to ask whether it is a terminal.
func (o *output) Fd() uintptr { return o.file.Fd() }

// lost gives why something that a command printed is not there; nil if all is.
func (o *output) lost() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed
}

// outcome is a command's, unless what it said could not be written. An outcome that
// stands for itself is worse.
func (a *app) outcome(err error) error {
	o, ok := a.stdout.(*output)
	if !ok || o.lost() == nil || (err != nil && !errors.Is(err, errDue)) {
		return err
	}
	return o.lost()
}

// forProgram gives a writer as it is passed on to another program: files as they are.
func forProgram(w io.Writer) io.Writer {
	if o, ok := w.(*output); ok {
		return o.file
	}
	return w
}

// outliveReaders keeps the process from being killed in the middle of a rotation when
// whoever reads what it prints goes away. Programs that are started are as before,
// which they would not be if the signal were ignored.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
