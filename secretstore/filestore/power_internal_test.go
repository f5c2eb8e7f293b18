package filestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// TestPowerCutAtAnyEffectLeavesTheStateBeforeOrAfter tries, at every instant of
// every write, every combination of names that a disk may hold after a power
// cut: those since the last sync of the folder may each be there or not.
func TestPowerCutAtAnyEffectLeavesTheStateBeforeOrAfter(t *testing.T) {
	cuts := 0
	for _, sit := range situations() {
		template := fold(t, sit.past)
		var log []event
		s := mustOpen(t, &recordingDisk{log: &log}, copyFolder(t, template))
		before := describe(t, s)
		after, err := sit.write.call(t, s, before)
		if err != nil {
			t.Fatalf("%s: %v", sit.write.name, err)
		}
		name := fmt.Sprintf("%s after %d writes", sit.write.name, len(sit.past))
		for instant := range log {
			cuts += cutPower(t, name, template, log[:instant], before, after)
		}
		// The write has returned nil: it must survive.
		if left := cutPower(t, name+", returned", template, log, after); left != 1 {
			t.Errorf("%s: the write returned with names that are not on disk", name)
		}
	}
	t.Logf("%d folders after a power cut", cuts)
	if cuts < 2*len(situations()) {
		t.Errorf("only %d folders were checked: the test is blind", cuts)
	}
}

// TestPowerCutAfterAKilledWriterLeavesAWholeState has one process die with its
// commit not yet synced, another go on from there, and then the power fail.
func TestPowerCutAfterAKilledWriterLeavesAWholeState(t *testing.T) {
	for _, sit := range situations() {
		template := fold(t, sit.past)
		dir := copyFolder(t, template)
		var log []event
		dying := mustOpen(t, &recordingDisk{log: &log, dieAfter: "replace"}, dir)
		heir := mustOpen(t, &recordingDisk{log: &log}, dir)
		before := describe(t, dying)
		if _, err := sit.write.call(t, dying, before); !errors.Is(err, errDead) {
			t.Fatalf("%s: error %v, want a death", sit.write.name, err)
		}
		between := describe(t, heir)
		after, err := annotating("heir").call(t, heir, between)
		if err != nil {
			t.Fatalf("annotate: %v", err)
		}
		name := fmt.Sprintf("%s after %d writes, killed, then annotate", sit.write.name, len(sit.past))
		for instant := range log {
			cutPower(t, name, template, log[:instant], before, between, after)
		}
		cutPower(t, name+", returned", template, log, after)
	}
}

// TestRepeatedWriteMakesAKilledWritersCommitDurable: a write that finds nothing
// left to do answers for what it found.
func TestRepeatedWriteMakesAKilledWritersCommitDurable(t *testing.T) {
	for _, sit := range situations() {
		template := fold(t, sit.past)
		dir := copyFolder(t, template)
		var log []event
		dying := mustOpen(t, &recordingDisk{log: &log, dieAfter: "replace"}, dir)
		heir := mustOpen(t, &recordingDisk{log: &log}, dir)
		if _, err := sit.write.call(t, dying, describe(t, dying)); !errors.Is(err, errDead) {
			t.Fatalf("%s: error %v, want a death", sit.write.name, err)
		}
		after, err := sit.write.call(t, heir, describe(t, heir))
		if err != nil {
			t.Fatalf("%s again: %v", sit.write.name, err)
		}
		cutPower(t, sit.write.name+", killed, then repeated", template, log, after)
	}
}

// TestOpenMakesAKilledWritersCommitDurable: what Open has shown must not be
// taken back.
func TestOpenMakesAKilledWritersCommitDurable(t *testing.T) {
	for _, sit := range situations() {
		template := fold(t, sit.past)
		dir := copyFolder(t, template)
		var log []event
		dying := mustOpen(t, &recordingDisk{log: &log, dieAfter: "replace"}, dir)
		if _, err := sit.write.call(t, dying, describe(t, dying)); !errors.Is(err, errDead) {
			t.Fatalf("%s: error %v, want a death", sit.write.name, err)
		}
		seen := describe(t, mustOpen(t, &recordingDisk{log: &log}, dir))
		cutPower(t, sit.write.name+", killed, then opened", template, log, seen)
	}
}

// cutPower builds each folder that the log can have left on disk, and wants it
// to hold one of the allowed states. It gives the number of these folders.
func cutPower(t *testing.T, name, template string, log []event, allowed ...secretstore.Snapshot) int {
	t.Helper()
	synced := 0
	for i, e := range log {
		if e.op == "sync" {
			synced = i + 1
		}
	}
	loose := len(log) - synced
	for chosen := range 1 << loose {
		dir := copyFolder(t, template)
		for i, e := range log {
			if i < synced || chosen&(1<<(i-synced)) != 0 {
				replay(t, dir, e)
			}
		}
		label := fmt.Sprintf("%s, power cut after %d effects, %b of the last %d kept", name, len(log), chosen, loose)
		wantWhole(t, label, mustOpen(t, quickDisk{}, dir), allowed...)
	}
	return 1 << loose
}

func replay(t *testing.T, dir string, e event) {
	t.Helper()
	path := filepath.Join(dir, e.name)
	var err error
	switch e.op {
	case "put", "replace":
		err = os.WriteFile(path, e.content, 0o600)
	case "remove":
		err = os.Remove(path)
	}
	if err != nil {
		t.Fatalf("replay %s of %s: %v", e.op, e.name, err)
	}
}
