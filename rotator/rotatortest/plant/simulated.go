package main

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// simulate plants the bugs that the simulator must find, one at a time, and
// prints how many worlds that takes. One that lives through the worlds given is
// an error.
func simulate(w io.Writer, worlds int, prefix string) error {
	fmt.Fprintln(w, "worlds  planted bug")
	t := newTree(".")
	planted, missed := 0, 0
	for _, b := range bugs() {
		if !strings.HasPrefix(b.name, prefix) || !slices.Contains(simulated(), b.name) {
			continue
		}
		planted++
		after, err := worldsUntil(t, b, worlds)
		if err != nil {
			missed++
			fmt.Fprintf(w, "NOT FOUND  %s: %v\n", b.name, err)
			continue
		}
		fmt.Fprintf(w, "%6d  %s\n", after, b.name)
	}
	fmt.Fprintf(w, "%d planted bugs, %d found within %d worlds each\n", planted, planted-missed, worlds)
	if missed > 0 || planted == 0 {
		return fmt.Errorf("%d of %d planted bugs were not found", missed, planted)
	}
	return nil
}

// worldsUntil builds the simulator with the bug in place, and lets worlds live
// until one breaks a rule.
func worldsUntil(t *tree, b bug, worlds int) (int, error) {
	overlay, done, err := t.overlay(b)
	if err != nil {
		return 0, err
	}
	defer done()
	bin := filepath.Join(filepath.Dir(overlay), "simulation")
	if out, err := exec.Command("go", "test", "-overlay="+overlay, "-c", "-o", bin, "./rotator").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("does not compile: %s", out)
	}
	test := exec.Command(bin, "-test.run=^TestSimulation$", "-sim.plain", "-sim.seed=1", "-sim.runs="+strconv.Itoa(worlds))
	test.Dir = "rotator"
	out, err := test.CombinedOutput()
	if err == nil {
		return 0, fmt.Errorf("%d worlds broke no rule", worlds)
	}
	seed := regexp.MustCompile(`seed (\d+) breaks a rule`).FindSubmatch(out)
	if seed == nil {
		return 0, fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return strconv.Atoi(string(seed[1]))
}

// simulated names them.
func simulated() []string {
	return []string{
		"gcp: add without announcing",
		"gcp: write without the etag",
		"gcp: left over versions never destroyed",
		"local: writes without comparing",
		"no grace",
		"grace counted from creation",
		"grace counted from promotion in the first store",
		"sweep without the store's fingerprint",
		"sweep of a foreign key",
		"revoke at promotion",
		"revoke without a last verification",
		"revoke while current in a follower",
		"issue without reserve",
		"discard revokes before the store lets go",
		"sweep of a key that a version of unknown origin may hold",
		"a key that was ever current is swept",
		"one refusal is enough to call a key dead",
		"aws: written without reading afterwards",
		"aws: a put without labels",
		"aws: the first version is taken for promoted",
		"directives: a hold does not stop a revocation",
		"directives: a hold does not stop a rotation",
		"directives: an open gate does not keep the old key alive",
		"directives: a gate is not told of outdated keys",
		"directives: a waiver is for every key",
		"a sweep that failed is told as one that succeeded",
		"stage untested",
		"the predecessor of an admin key revokes itself",
		"a target begins while the admin key is swapped",
		"senders: one is switched before the value is promoted",
		"senders: one is switched before receivers have read the value",
		"senders: the previous value goes before the last is switched",
		"senders: one that is refused is not switched back",
		"senders: what was sent late is not waited for",
		"senders: one that somebody changed is switched",
		"senders: headers of others are dropped",
		"sinks: a key is revoked without asking them",
		"sinks: the receipt is written before the put",
		"sinks: the pending key is put",
		"sinks: grace does not count from the last of them",
	}
}
