// Command claims runs the contract's suite on every backend and prints one table
// of what the runs said: a row for each claim, a column for each backend. It
// fails if a claim is broken, is missing in a backend, or is skipped without a
// reason.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// required lists the backends without which the table is not whole.
func required() []string { return []string{"memory", "file", "aws", "aws on moto", "gcp"} }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "claims:", err)
		os.Exit(1)
	}
}

func run() error {
	cmd := exec.Command("go", "test", "-count=1", "-json", "-run=^TestContract", "./secretstore/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	said, err := fold(out)
	if err != nil {
		return err
	}
	failed := cmd.Wait()
	wrong := said.table().print(os.Stdout)
	if failed != nil {
		said.printFailed(os.Stderr)
		return fmt.Errorf("go test: %w", failed)
	}
	if wrong > 0 {
		return fmt.Errorf("%d cells of the table are neither ok nor skipped with a reason", wrong)
	}
	return nil
}

// An event is a line of go test -json.
type event struct{ Action, Package, Test, Key, Value, Output string }

// A test is named by its package and its name.
type test struct{ pkg, name string }

// report is what the runs said.
type report struct {
	backends map[test]string // the test that ran the suite → its column
	claims   map[test]string // the subtest → its row
	reasons  map[test]string
	ends     map[test]string // pass, fail, skip
	output   map[test]string
}

func fold(r io.Reader) (report, error) {
	said := report{map[test]string{}, map[test]string{}, map[test]string{}, map[test]string{}, map[test]string{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return report{}, fmt.Errorf("go test -json says %q: %w", lines.Text(), err)
		}
		said.note(e)
	}
	return said, lines.Err()
}

func (r *report) note(e event) {
	at := test{e.Package, e.Test}
	switch e.Action {
	case "attr":
		switch e.Key {
		case "backend":
			r.backends[at] = e.Value
		case "claim":
			r.claims[at] = e.Value
		case "skipped":
			r.reasons[at] = e.Value
		}
	case "pass", "fail", "skip":
		r.ends[at] = e.Action
	case "output":
		r.output[at] += e.Output
	}
}

// printFailed writes what the tests and packages that failed have said.
func (r *report) printFailed(w io.Writer) {
	for at, said := range r.output {
		if r.ends[at] != "pass" && r.ends[at] != "skip" {
			fmt.Fprint(w, said)
		}
	}
}

// A cell is how one claim ended in one backend.
type cell struct {
	said    string // ok, skipped, or what is wrong
	because string // of a skipped one
}

func (c cell) fine() bool { return c.said == "ok" || c.said == "skipped" }

// column gives the cells of one run of the suite by claim.
func (r *report) column(suite test) map[string]cell {
	column := map[string]cell{}
	for sub, claim := range r.claims {
		if sub.pkg == suite.pkg && strings.HasPrefix(sub.name, suite.name+"/") {
			column[claim] = r.cell(sub)
		}
	}
	return column
}

func (r *report) cell(sub test) cell {
	why, explained := r.reasons[sub]
	switch {
	case r.ends[sub] == "pass":
		return cell{said: "ok"}
	case r.ends[sub] == "skip" && explained:
		return cell{"skipped", why}
	case r.ends[sub] == "skip":
		return cell{said: "SKIPPED WITHOUT A REASON"}
	default:
		return cell{said: "BROKEN"}
	}
}

// A table has a row for each claim of the suite and a column for each backend.
type table struct {
	backends []string
	cells    map[string]map[string]cell // by backend and claim
}

func (r *report) table() table {
	t := table{required(), map[string]map[string]cell{}}
	for suite, backend := range r.backends {
		t.cells[backend] = r.column(suite)
		if !slices.Contains(t.backends, backend) {
			t.backends = append(t.backends, backend)
		}
	}
	slices.Sort(t.backends[len(required()):])
	return t
}

// print writes the table, its reasons and its sums, and tells how many cells are
// not as they must be.
func (t table) print(w io.Writer) (wrong int) {
	count := map[string]int{}
	var reasons []string
	grid := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(grid, strings.Join(append([]string{"claim"}, t.backends...), "\t"))
	for _, claim := range storetest.Claims() {
		row := []string{claim}
		for _, backend := range t.backends {
			c, ran := t.cells[backend][claim]
			if !ran {
				c.said = "MISSING"
			}
			count[c.said]++
			if !c.fine() {
				wrong++
			}
			if c.because != "" && !slices.Contains(reasons, c.because) {
				reasons = append(reasons, c.because)
			}
			if c.because != "" {
				c.said += fmt.Sprintf(" (%d)", 1+slices.Index(reasons, c.because))
			}
			row = append(row, c.said)
		}
		fmt.Fprintln(grid, strings.Join(row, "\t"))
	}
	_ = grid.Flush()
	for i, why := range reasons {
		fmt.Fprintf(w, "(%d) %s\n", i+1, why)
	}
	fmt.Fprintf(w, "%d claims × %d backends: %d ok, %d skipped with a reason, %d broken or missing\n",
		len(storetest.Claims()), len(t.backends), count["ok"], count["skipped"], wrong)
	return wrong
}
