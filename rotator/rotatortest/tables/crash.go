package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// The crash matrix has a row for each step, one for an answer that is wrong, and one each
// for the admin key's rotation, for an adoption, the trail, webhooks and sinks; and a column for each fault and kind of
// store.
func crashRows() []string {
	return []string{
		"observe", "reserve", "issue", "try", "stage", "verify", "promote", "deliver", "revoke", "prove", "destroy", "other id",
		"admin key", "adoption", "trail", "webhook", "sinks",
	}
}

// storesInTurn gives the local store, which meets the faults of a disk, and another kind
// with each number.
func storesInTurn(number int) []string {
	others := slices.DeleteFunc(kinds(), func(kind string) bool { return kind == "file" })
	return []string{"file", others[number%len(others)]}
}

// isPlayed tells whether a cell must have runs: what is special in the last five rows is
// shown on fewer kinds of stores, an adoption by crashes only; and who is suspended while the
// trail is written holds up others as at any lock.
func isPlayed(row, fault, store string) bool {
	if follows(store) && !slices.Contains([]string{"observe", "deliver", "revoke", "destroy"}, row) {
		return false
	}
	few := store == "file" || store == "gcp"
	switch row {
	case "admin key", "webhook":
		return few
	case "adoption":
		return few && fault == "killed after"
	case "sinks":
		return store == "file"
	case "trail":
		return store == "file" && (fault == "killed after" || fault == "answer lost" || fault == "error")
	default:
		return true
	}
}

// follows tells whether stores of a kind may only follow: their primary is of another kind,
// and only their own calls meet faults.
func follows(kind string) bool {
	return slices.ContainsFunc(all.Kinds(), func(k storekind.Kind) bool { return k.Name == kind && k.FollowerOnly != "" })
}

func crashFaults() []string {
	return []string{"killed before", "killed after", "answer lost", "error", "suspended"}
}

const crashNotes = `Each outside call of a rotation of a key kept in two stores, and of the end of the old key. Killed: SIGKILL.
Answer lost: the effect happened, the connection is cut; on the local disk, which has no connection, the system call
takes effect and returns EIO. Error: two for each call, 403 or EACCES, and in turn 500, 503, 429, a connection that
breaks; EIO, ENOSPC. Suspended: SIGSTOP before the effect and after it, another instance goes on past the grace
period, then SIGCONT. Observe: what every run begins with. Deliver: stage, verify and promote in the second store.
Azure may only follow: behind a primary of another kind, at its own calls.
Other id: the key list has the new key under another id than the answer to its create, until it is swept.
Admin key: it is rotated, the old one revoked by its successor, and both in one run for an incident, beside a target;
the local disk's changes only. Adoption: of a key made by hand, which is rotated afterwards.
Trail: the calls that write it; no key is issued, promoted or revoked without an intent, and it can be verified.
Webhook: its secret, which receivers accept, webhooks are switched to, and the one before is destroyed, under deliveries
all the while: none is refused, no webhook disabled, no header of others lost, where a PATCH merges and where it replaces.
Sinks: the calls to two that are given a key besides, one of which cannot say what it has, and the receipt; none is given a
key that the stores do not give, no key is revoked that one has, and one that was set back by hand has its grace anew.
`

// A crashCell counts the runs of a cell, and those in which a rule was broken.
type crashCell struct{ runs, violations int }

// crash prints the crash matrix with the real binary, of these kinds of stores. A
// violation and a cell without runs are errors.
func crash(w io.Writer, stores []string) error {
	said, failed := run("^TestCrashMatrix$/^("+strings.Join(stores, "|")+")$",
		"./rotator/rotatortest/crash", "-parallel=40", "-timeout=60m", "-crash.matrix")
	cells := map[string]crashCell{} // by "row|fault|store"
	for _, attr := range said.attrs {
		at := strings.LastIndexByte(attr["cell"], '|')
		if at < 0 {
			continue
		}
		cell := cells[attr["cell"][:at]]
		cell.runs++
		if broken, err := strconv.Atoi(attr["cell"][at+1:]); err != nil || broken > 0 {
			cell.violations++
		}
		cells[attr["cell"][:at]] = cell
	}
	sum, empty := printCrash(w, cells, stores)
	switch {
	case failed != nil:
		return failed
	case sum.violations > 0:
		return fmt.Errorf("a rule was broken in %d runs", sum.violations)
	case len(empty) > 0:
		return fmt.Errorf("cells without runs: %s", strings.Join(empty, ", "))
	default:
		return nil
	}
}

// printCrash writes the table of kinds of stores, and gives the sum of its cells and the
// names of the empty ones.
func printCrash(w io.Writer, cells map[string]crashCell, stores []string) (sum crashCell, empty []string) {
	grid := tabwriter.NewWriter(w, 0, 0, 1, ' ', tabwriter.AlignRight)
	head, under := []string{"step"}, []string{""}
	for _, fault := range crashFaults() {
		head = append(append(head, make([]string, len(stores)-1)...), fault) // above the last of its columns
		under = append(under, stores...)
	}
	fmt.Fprintf(grid, "%s\t\n%s\t\n", strings.Join(head, "\t"), strings.Join(under, "\t"))
	for _, row := range crashRows() {
		line := []string{row}
		for _, fault := range crashFaults() {
			for _, store := range stores {
				at := strings.Join([]string{row, fault, store}, "|")
				cell := cells[at]
				sum.runs, sum.violations = sum.runs+cell.runs, sum.violations+cell.violations
				switch {
				case cell.runs == 0 && isPlayed(row, fault, store):
					empty = append(empty, at)
				case cell.runs == 0:
					line = append(line, "-")
					continue
				}
				line = append(line, fmt.Sprintf("%d/%d", cell.runs, cell.violations))
			}
		}
		fmt.Fprintf(grid, "%s\t\n", strings.Join(line, "\t"))
	}
	_ = grid.Flush()
	fmt.Fprintf(w, "runs/runs in which a rule was broken: %d runs, %d broken\n%s", sum.runs, sum.violations, crashNotes)
	for at := range cells {
		if row, _, _ := strings.Cut(at, "|"); !slices.Contains(crashRows(), row) {
			empty = append(empty, at+" (no such row)")
		}
	}
	return sum, empty
}
