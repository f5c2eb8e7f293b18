// Command tables runs what the backends have in common and prints it as one table:
//
//	go run ./rotator/rotatortest/tables claims   the contract's claims × backends
//	go run ./rotator/rotatortest/tables matrix   the engine's crash matrix on each backend
//	go run ./rotator/rotatortest/tables crash    the real binary's crash matrix, see the package crash beside this one
//
// The tables are made of what the tests say while they run, see [testing.T.Attr];
// one that is not whole is an error.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	tables := map[string]func(io.Writer) error{"claims": claims, "matrix": matrix, "crash": crash}
	if len(os.Args) != 2 || tables[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: go run ./rotator/rotatortest/tables claims|matrix|crash")
		os.Exit(2)
	}
	if err := tables[os.Args[1]](os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
