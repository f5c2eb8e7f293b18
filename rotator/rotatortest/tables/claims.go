package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// claimants lists the backends without which the table of claims is not whole.
func claimants() []string { return append(backends(), "aws on moto") }

// backends lists the kinds of stores, and the one that no configuration can name.
func backends() []string { return append([]string{"memory"}, kinds()...) }

func kinds() []string {
	var names []string
	for _, k := range all.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// claims prints the table of claims: a row for each claim of the contract's suite,
// a column for each backend. Broken ones, missing ones, and ones skipped without a
// reason are an error.
func claims(w io.Writer) error {
	said, failed := run("^TestContract", "./secretstore/...")
	wrong := said.claims().print(w)
	if failed != nil {
		return failed
	}
	if wrong > 0 {
		return fmt.Errorf("%d cells of the table are neither ok nor skipped with a reason", wrong)
	}
	return nil
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
	for sub, attr := range r.attrs {
		if attr["claim"] != "" && sub.pkg == suite.pkg && strings.HasPrefix(sub.name, suite.name+"/") {
			column[attr["claim"]] = r.cell(sub)
		}
	}
	return column
}

func (r *report) cell(sub test) cell {
	why, explained := r.attrs[sub]["skipped"]
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

func (r *report) claims() table {
	t := table{claimants(), map[string]map[string]cell{}}
	for suite, attr := range r.attrs {
		backend := attr["backend"]
		if backend == "" {
			continue
		}
		t.cells[backend] = r.column(suite)
		if !slices.Contains(t.backends, backend) {
			t.backends = append(t.backends, backend)
		}
	}
	slices.Sort(t.backends[len(claimants()):])
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
