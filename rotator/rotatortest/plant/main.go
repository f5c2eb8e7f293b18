// Command plant shows that the safety tests can fail: it plants one bug at a time
// in a copy of the source, runs the tests that must find it, and fails if they
// stay green. The tree itself is not touched: the go command's -overlay puts the
// copies in place.
//
//	go run ./rotator/rotatortest/plant              all bugs
//	go run ./rotator/rotatortest/plant gcp:         those whose names begin so
//	go run ./rotator/rotatortest/plant -simulated   have the simulator find those that it must find
//
// That each bug has its place and compiles is a test of this package, so that
// whoever moves the place learns of it in go test ./... .
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func bugs() []bug {
	return slices.Concat(
		engineBugs(), directivesBugs(), clientBugs(),
		localBugs(), awsBugs(), gcpBugs(), kubernetesBugs(),
		daemonBugs(), leaderBugs(), consumersBugs(), notifyBugs(),
	)
}

func main() {
	bySimulator := flag.Bool("simulated", false, "have the simulator find them, and print a table")
	worlds := flag.Int("worlds", 10_000, "the most worlds that it takes")
	flag.Parse()
	find := findAll
	if *bySimulator {
		find = func(w io.Writer, prefix string) error { return simulate(w, *worlds, prefix) }
	}
	if err := find(os.Stdout, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "plant:", err)
		os.Exit(1)
	}
}

// findAll plants the bugs whose names begin with prefix. One that lives is an
// error.
func findAll(w io.Writer, prefix string) error {
	t := newTree(".")
	found, planted := 0, 0
	for _, b := range bugs() {
		if !strings.HasPrefix(b.name, prefix) {
			continue
		}
		planted++
		by, err := findByTests(t, b)
		switch {
		case err != nil:
			fmt.Fprintf(w, "ERROR   %s: %v\n", b.name, err)
		case by == "":
			fmt.Fprintf(w, "MISSED  %s: the tests stay green\n", b.name)
		default:
			found++
			fmt.Fprintf(w, "found   %s: %s\n", b.name, by)
		}
	}
	fmt.Fprintf(w, "%d planted bugs, %d found\n", planted, found)
	if found < planted || planted == 0 {
		return fmt.Errorf("%d of %d planted bugs were not found", planted-found, planted)
	}
	return nil
}
