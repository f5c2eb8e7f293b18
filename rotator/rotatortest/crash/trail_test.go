//go:build linux && amd64

package crash

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// The trail lies below the folder whose system calls are faulted.
const trailFolder = "stores/trail"

// scenesOfTheTrail are the first use of a trail, which makes its key; and a rotation and the
// end of the old key that are recorded: the process dies between an intent, its effect and
// the outcome, and the disk of the trail is full, cannot be written, or loses what it took.
func scenesOfTheTrail() []scene {
	sc := scene{row: "trail", kinds: []string{"file"}, meets: faultsOfTheTrail}
	begin := []string{"rotate", "--begin-anew", "sending"}
	first, renewed, ended := sc, sc, sc
	first.name, first.args, first.born = "first use of the trail", begin, (*world).recorded
	first.after = func(w *world) { w.repeat(begin...) }
	first.chosen = func(all []call) []call {
		return slices.DeleteFunc(ofTheTrail(all), func(c call) bool { return strings.HasSuffix(c.label, ".jsonl") })
	}
	renewed.name, renewed.args, renewed.born, renewed.chosen = "rotation with a trail", rotation(), (*world).recordedKey, ofTheTrail
	ended.name, ended.args, ended.born, ended.chosen = "end of the old key with a trail", dueNow(), (*world).recordedKey, ofTheTrail
	ended.before = func(w *world) {
		w.mustRun(rotation()...)
		w.passGrace()
	}
	return []scene{first, renewed, ended}
}

// faultsOfTheTrail leaves out a crash before a call, which is one after the call before it;
// and who is suspended holds the lock of the log, as of any file.
func faultsOfTheTrail(_ call, col column) bool {
	return col.name == "killed after" || col.name == "answer lost" || col.name == "error"
}

// ofTheTrail gives the calls that change the log.
func ofTheTrail(all []call) (kept []call) {
	for _, c := range all {
		verb, path, _ := strings.Cut(c.label, " ")
		if verb != "open" && verb != "flock" && strings.Contains(path, filepath.Base(trailFolder)+"/") {
			kept = append(kept, c)
		}
	}
	return kept
}

// recorded has the world keep a trail.
func (w *world) recorded() {
	w.Helper()
	w.more = fmt.Sprintf("trail: {dir: %s, name: here}\n", trailFolder)
	w.configure(keyInEnvironment, inBothStores())
	w.judge.trail = filepath.Join(w.dir, trailFolder, "here")
}

// recordedKey has the stores take their first key, on the record.
func (w *world) recordedKey() {
	w.Helper()
	w.recorded()
	w.firstKey()
}

// inspectTrail judges the trail of a settled world: it is as it was written, whatever happened.
func (w *world) inspectTrail() {
	w.Helper()
	if w.judge.trail == "" {
		return
	}
	w.mustRun("trail", "verify")
	files, err := filepath.Glob(filepath.Join(w.judge.trail, "*.jsonl"))
	if err != nil || len(files) == 0 {
		w.Fatalf("no trail was kept: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			w.Fatal(err)
		}
		w.judge.leaks(func(value string) bool { return strings.Contains(string(text), value) })
	}
}

// intents counts those of the trail for an effect on a key; any key if it is empty.
func (j *judge) intents(key string, verbs ...rotator.Verb) (n int) {
	err := trail.Entries(j.trail, func(e trail.Entry) error {
		if e.Kind == trail.Intent && (key == "" || e.Key == key) && slices.Contains(verbs, rotator.Verb(e.Verb)) {
			n++
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		j.violate("the trail cannot be read: %v", err)
	}
	return n
}

// issueRecorded is called at the instant before a key is issued.
func (j *judge) issueRecorded() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.issued++; j.trail != "" && j.intents("", rotator.Issue) < j.issued {
		j.violate("trail: a key was issued without an intent")
	}
}

// promotionRecorded is called after a value became what all readers of a store get; the
// caller holds the lock.
func (j *judge) promotionRecorded(value string) {
	if id := j.idOf(value); j.trail != "" && j.intents(id, rotator.Promote) == 0 {
		j.violate("trail: key %s was promoted without an intent", id)
	}
}

// revocationRecorded is called at the instant before a key is revoked that consumers had;
// the caller holds the lock. (One that they never had may be in hand: what covers its end is
// the intent of its issue.)
func (j *judge) revocationRecorded(id string) {
	if j.trail != "" && j.intents(id, rotator.Revoke, rotator.Sweep) == 0 {
		j.violate("trail: key %s was revoked without an intent", id)
	}
}

func (j *judge) idOf(value string) string {
	for _, k := range j.box.Keys(j.space) {
		if k.Value.Reveal() == value {
			return k.ID
		}
	}
	return ""
}
