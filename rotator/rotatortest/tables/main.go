// Command tables runs what the backends have in common and prints it as one table:
//
//	go run ./rotator/rotatortest/tables claims   the contract's claims × backends
//	go run ./rotator/rotatortest/tables matrix   the engine's crash matrix on each backend
//	go run ./rotator/rotatortest/tables crash    the real binary's crash matrix, see the package crash beside this one;
//	                                             crash N: of the local store and one other kind, in turn
//
// The tables are made of what the tests say while they run, see [testing.T.Attr];
// one that is not whole is an error.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

func main() {
	if err := tabulate(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// tabulate prints the table that the arguments name.
func tabulate(w io.Writer, args []string) error {
	switch name := strings.Join(args, " "); {
	case name == "claims":
		return claims(w)
	case name == "matrix":
		return matrix(w)
	case name == "crash":
		return crash(w, kinds())
	case len(args) == 2 && args[0] == "crash":
		number, err := strconv.ParseUint(args[1], 10, 31)
		if err != nil {
			return fmt.Errorf("crash: %w", err)
		}
		return crash(w, storesInTurn(int(number)))
	default:
		return errors.New("usage: go run ./rotator/rotatortest/tables claims|matrix|crash [N]")
	}
}
