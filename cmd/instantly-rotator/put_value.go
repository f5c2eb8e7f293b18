package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode"

	"golang.org/x/term"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// maxValue is the longest value that is read, in bytes.
const maxValue = 64 << 10

// askForValue reads the value: all of standard input, or what is typed at a
// terminal, which does not show it. A key in PEM is not typed: the lines after the first
// would go to the shell.
func (a *app) askForValue(ctx context.Context, at, pemFor string) (secret.Value, error) {
	read := func() ([]byte, error) { return io.ReadAll(io.LimitReader(os.Stdin, maxValue+1)) }
	if fd := int(os.Stdin.Fd()); term.IsTerminal(fd) {
		if pemFor != "" {
			return secret.Value{}, usageError{fmt.Errorf("%s: a key in PEM, which sink %s wants there, has many lines: give its file on standard input, with < FILE", at, pemFor)}
		}
		state, err := term.GetState(fd)
		if err != nil {
			return secret.Value{}, fmt.Errorf("read the value: %w", err)
		}
		defer fmt.Fprintln(a.stderr)
		defer func() { _ = term.Restore(fd, state) }() // interrupted, it would stay mute
		fmt.Fprintf(a.stderr, "Value for %s (it is not shown): ", at)
		read = func() ([]byte, error) { return term.ReadPassword(fd) }
	}
	type answer struct {
		data []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		data, err := read()
		answered <- answer{data, err}
	}()
	select {
	case <-ctx.Done():
		return secret.Value{}, errInterrupted
	case got := <-answered:
		if got.err != nil {
			return secret.Value{}, fmt.Errorf("read the value: %w", got.err)
		}
		return checkedValue(got.data, pemFor)
	}
}

// checkedValue refuses what is no secret of one line, or no key in PEM where a sink wants
// one.
func checkedValue(data []byte, pemFor string) (secret.Value, error) {
	value, err := fleet.TypedSecret(data)
	switch {
	case err != nil:
		return value, usageError{fmt.Errorf("the value %w", err)}
	case value.IsZero():
		return value, usageError{errors.New("the value is empty")}
	case len(data) > maxValue:
		return value, usageError{fmt.Errorf("the value is longer than %d bytes", maxValue)}
	case pemFor != "" && !isPEM(data):
		return value, usageError{fmt.Errorf("the value is no key in PEM, which sink %s wants there: it begins with -----BEGIN", pemFor)}
	case pemFor == "" && bytes.ContainsFunc(bytes.TrimSpace(data), unicode.IsControl):
		return value, usageError{errors.New("the value has a line end or another control character in it: want one line")}
	}
	return value, nil
}

// isPEM tells whether there is something in PEM in a text.
func isPEM(data []byte) bool {
	block, _ := pem.Decode(data[max(0, bytes.Index(data, []byte("-----BEGIN"))):])
	return block != nil
}
