package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// matrix prints the table of the engine's crash matrices: a row for each backend
// and each way in which a target may live there.
func matrix(w io.Writer) error {
	said, failed := run("^TestEveryCallFails(WithSinks)?$", "./rotator/...", "./secretstore/...")
	rows := map[string]string{}
	seen := map[string]bool{}
	runs, violations := 0, 0
	for at, attr := range said.attrs {
		if attr["life"] == "" {
			continue
		}
		name := attr["backend"]
		seen[name] = seen[name] || said.ends[at] == "pass"
		rows[name+attr["life"]] = strings.Join([]string{name, attr["life"], attr["calls"], attr["runs"], attr["violations"]}, "\t")
		runs += number(attr["runs"])
		violations += number(attr["violations"])
	}
	grid := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(grid, "backend\tlife\toutside calls\truns\tviolations")
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintln(grid, rows[key])
	}
	_ = grid.Flush()
	fmt.Fprintf(w, "each outside call × {before, after its effect} × {error, crash}: %d runs, %d violations of the rules\n", runs, violations)
	if failed != nil {
		return failed
	}
	for _, name := range backends() {
		if !seen[name] {
			return fmt.Errorf("there is no matrix of backend %s", name)
		}
	}
	return nil
}

// number is 0 where a test ended before it said one; then it has failed.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
