// Command plant shows that the safety tests can fail: it plants one bug at a time
// in a copy of the source, runs the tests that must find it, and fails if they
// stay green. The tree itself is not touched: the go command's -overlay puts the
// copies in place.
//
//	go run ./rotator/rotatortest/plant              all bugs
//	go run ./rotator/rotatortest/plant gcp:         those whose names begin so
//	go run ./rotator/rotatortest/plant -part 2/3    every third bug, beginning with the second
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
	"sync"
	"sync/atomic"
)

func bugs() []bug {
	return slices.Concat(
		engineBugs(), directivesBugs(), sendersBugs(), sinksBugs(), trailBugs(), clientBugs(),
		localBugs(), awsBugs(), gcpBugs(), kubernetesBugs(), azureBugs(), vaultBugs(),
		daemonBugs(), leaderBugs(), consumersBugs(), notifyBugs(), membersBugs(), auditBugs(),
	)
}

func main() {
	bySimulator := flag.Bool("simulated", false, "have the simulator find them, and print a table")
	worlds := flag.Int("worlds", 10_000, "the most worlds that it takes")
	chosen := part{1, 1}
	flag.Var(&chosen, "part", "N/OF: every OFth bug, beginning with the Nth")
	flag.Parse()
	find := func(w io.Writer, prefix string) error { return findAll(w, chosen.share(prefixed(prefix))) }
	if *bySimulator {
		find = func(w io.Writer, prefix string) error { return simulate(w, *worlds, prefix) }
	}
	if err := find(os.Stdout, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "plant:", err)
		os.Exit(1)
	}
}

// prefixed gives the bugs whose names begin with prefix.
func prefixed(prefix string) []bug {
	return slices.DeleteFunc(bugs(), func(b bug) bool { return !strings.HasPrefix(b.name, prefix) })
}

// findAll plants bugs. One that lives is an error.
func findAll(w io.Writer, planted []bug) error {
	said := make(chan string)
	var found atomic.Int32
	var group sync.WaitGroup
	for i := range sideBySide {
		group.Go(func() {
			t := newTree(".")
			for n := i; n < len(planted); n += sideBySide {
				text, ok := try(t, planted[n])
				if ok {
					found.Add(1)
				}
				said <- text
			}
		})
	}
	go func() {
		group.Wait()
		close(said)
	}()
	for text := range said {
		fmt.Fprintln(w, text)
	}
	n := int(found.Load())
	fmt.Fprintf(w, "%d planted bugs of %d, %d found\n", len(planted), len(bugs()), n)
	if n < len(planted) || n == 0 {
		return fmt.Errorf("%d of %d planted bugs were not found", len(planted)-n, len(planted))
	}
	return nil
}

// sideBySide is how many bugs are tried at once: one compiles while another
// is tested.
const sideBySide = 2

// try plants one bug, and tells how it went.
func try(t *tree, b bug) (said string, found bool) {
	by, err := findByTests(t, b)
	switch {
	case err != nil:
		return fmt.Sprintf("ERROR   %s: %v", b.name, err), false
	case by == "":
		return fmt.Sprintf("MISSED  %s: the tests stay green", b.name), false
	default:
		return fmt.Sprintf("found   %s: %s", b.name, by), true
	}
}
