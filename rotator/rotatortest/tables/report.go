package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// run runs tests of packages, which flags may follow, and gives what they said. An
// error means that some failed.
func run(pattern string, packages ...string) (report, error) {
	cmd := exec.Command("go", append([]string{"test", "-count=1", "-json", "-run=" + pattern}, packages...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return report{}, err
	}
	if err := cmd.Start(); err != nil {
		return report{}, err
	}
	said, err := fold(out)
	if err != nil {
		return report{}, err
	}
	if err := cmd.Wait(); err != nil {
		said.printFailed(os.Stderr)
		return said, fmt.Errorf("go test: %w", err)
	}
	return said, nil
}

// An event is a line of go test -json.
type event struct{ Action, Package, Test, Key, Value, Output string }

// A test is named by its package and its name.
type test struct{ pkg, name string }

// report is what the runs said.
type report struct {
	attrs  map[test]map[string]string
	ends   map[test]string // pass, fail, skip
	output map[test]string
}

func fold(r io.Reader) (report, error) {
	said := report{map[test]map[string]string{}, map[test]string{}, map[test]string{}}
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
		if r.attrs[at] == nil {
			r.attrs[at] = map[string]string{}
		}
		r.attrs[at][e.Key] = e.Value
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
