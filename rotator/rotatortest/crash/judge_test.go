//go:build linux && amd64

package crash

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// A judge holds a world to the rules from the outside: by what consumers read, and
// by what is alive at Instantly. It checks after every effect of every process.
type judge struct {
	box     *sandbox.Server
	space   string // the workspace
	foreign map[string]bool
	serves  func() map[string]map[string]string // by store: the value that each kind of reader gets
	// adminIn is the store whose key is the admin key: it is a target of its own, beside
	// that of the other store; empty if the stores are those of one target.
	adminIn string
	// graceless: an incident was declared. Nobody is waited for then, and the new key is not
	// tested once more that was just before it became current.
	graceless bool
	// trail is the folder of the log in which each effect must have its intent; empty: none.
	trail  string
	issued int // keys, so far
	// post is where the stores keep a secret that webhooks send, and no key; nil otherwise.
	post *post
	// sinks of the target; nil if it has none.
	sinks *sinks

	mu         sync.Mutex
	current    map[string]string    // as of the last check, by reader
	home       map[string]string    // value → the store that first gave it
	promoted   map[string]bool      // values that were what all readers of a store get
	displaced  map[string]time.Time // such a value → when the last reader lost it
	proven     map[string]time.Time // value → when Instantly last accepted it
	violations []string
}

func newJudge(box *sandbox.Server, space string, foreign map[string]bool, serves func() map[string]map[string]string) *judge {
	return &judge{
		box: box, space: space, foreign: foreign, serves: serves,
		current: map[string]string{}, home: map[string]string{}, promoted: map[string]bool{}, displaced: map[string]time.Time{}, proven: map[string]time.Time{},
	}
}

// check holds what consumers read to rule 1, from the moment on at which a store
// first gave a key, and to rule 5: that consumers never test a key for us.
func (j *judge) check(after string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.post != nil {
		j.deliveries(after)
		return
	}
	now := map[string]string{}
	for store, given := range j.serves() {
		for reader, value := range given {
			now[reader+ofStore+store] = value
			if j.home[value] == "" {
				j.home[value] = store
			}
			if !j.promoted[value] && holdsOnly(given, value) {
				j.promoted[value] = true
				j.promotionRecorded(value)
			}
		}
	}
	for reader, value := range now {
		switch {
		case value == "" && j.current[reader] == "":
		case value == "":
			j.violate("rule 1: after %s %s gives nothing", after, reader)
		case !j.box.Alive(secret.New(value)):
			j.violate("rule 1: after %s %s gives a dead key", after, reader)
		case j.proven[value].IsZero():
			j.violate("rule 5: after %s %s gives a key that was never tested", after, reader)
		case j.adminIn != "" && isOf(reader, j.adminIn) && !j.administers(value):
			j.violate("locked out: after %s %s gives a key that cannot make and revoke keys", after, reader)
		}
	}
	for _, was := range j.current {
		if j.promoted[was] && !holds(now, was) {
			j.displaced[was] = time.Now()
		}
	}
	j.current = now
	j.receipted(after)
}

// ofStore stands between a reader and its store.
const ofStore = " of store "

func isOf(reader, store string) bool { return strings.HasSuffix(reader, ofStore+store) }

// administers tells whether a value is that of a key that may make and revoke keys.
func (j *judge) administers(value string) bool {
	return slices.ContainsFunc(j.box.Keys(j.space), func(k sandbox.KeyRecord) bool {
		return k.Value.Reveal() == value && instantly.CoversAll(k.Scopes, []string{"api_keys:all"})
	})
}

// given is what each store gives: of its readers at GCP, those get it too who ask for what
// is current once there is that.
func (j *judge) given() (values string) {
	all := j.serves()
	for _, p := range places() {
		for _, value := range all[p.Store] {
			if value != "" {
				values += value + "\n"
				break
			}
		}
	}
	return values
}

// holdsOnly tells whether all of them are that value, and there is one. At GCP readers
// of the latest version get one that is staged, too.
func holdsOnly(values map[string]string, value string) bool {
	for _, v := range values {
		if v != value || v == "" {
			return false
		}
	}
	return true
}

func holds(values map[string]string, value string) bool {
	for _, v := range values {
		if v == value {
			return true
		}
	}
	return false
}

// prove notes that Instantly accepted a value.
func (j *judge) prove(value string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.proven[value] = time.Now()
}

// revoke checks rules 3 and 4 at the instant before a key is deleted, by whoever has
// another one.
func (j *judge) revoke(id, by string) {
	key, ok := j.key(id)
	if !ok || !key.Alive(time.Now()) {
		return
	}
	j.check("a call to revoke")
	j.mu.Lock()
	defer j.mu.Unlock()
	value := key.Value.Reveal()
	if j.foreign[id] {
		j.violate("rule 4: the foreign key %s was revoked", key.Name)
	}
	if holds(j.current, value) {
		j.violate("rule 3: key %s was revoked while current in a store", id)
	}
	since, wasCurrent := j.displaced[value]
	if !wasCurrent {
		return
	}
	j.revocationRecorded(id)
	if j.graceless {
		since = since.Add(-time.Minute)
	}
	if early := time.Until(since.Add(grace)); early > 0 {
		j.violate("rule 3: key %s was revoked %s before its grace was over", id, early)
	}
	for reader, now := range j.current {
		if j.adminIn != "" && !isOf(reader, j.home[value]) {
			continue // another target
		}
		if !j.proven[now].After(since) {
			j.violate("rule 3: key %s was revoked, but what %s gives was not verified since it is current", id, reader)
		}
		if j.home[value] == j.adminIn && by != now {
			j.violate("rule 3: admin key %s was revoked by another one than its successor, which %s gives", id, reader)
		}
	}
}

func (j *judge) key(id string) (sandbox.KeyRecord, bool) {
	for _, k := range j.box.Keys(j.space) {
		if k.ID == id {
			return k, true
		}
	}
	return sandbox.KeyRecord{}, false
}

// violate notes a violation; the caller holds the lock.
func (j *judge) violate(format string, args ...any) {
	j.violations = append(j.violations, fmt.Sprintf(format, args...))
}

// ours lists our keys that are alive.
func (j *judge) ours() []sandbox.KeyRecord {
	return slices.DeleteFunc(j.box.Keys(j.space), func(k sandbox.KeyRecord) bool {
		return j.foreign[k.ID] || !k.Alive(time.Now())
	})
}

// atRest tells whether our living keys, one for each target, are what every reader gets.
func (j *judge) atRest() bool {
	j.check("a run")
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.post != nil {
		return j.post.atRest()
	}
	ours := j.ours()
	if len(ours) != j.targets() {
		return false
	}
	for _, value := range j.current {
		if !slices.ContainsFunc(ours, func(k sandbox.KeyRecord) bool { return k.Value.Reveal() == value }) {
			return false
		}
	}
	return true
}

// targets is how many the stores are of.
func (j *judge) targets() int {
	if j.adminIn != "" {
		return 2
	}
	return 1
}

// untilGraceIsOver is how long the old keys may still live by right.
func (j *judge) untilGraceIsOver() (wait time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.post != nil {
		return j.post.untilNextStep()
	}
	for _, k := range j.ours() {
		if since, old := j.displaced[k.Value.Reveal()]; old {
			wait = max(wait, time.Until(since.Add(grace+written)))
		}
	}
	return wait
}

// end checks what must be true of a world at rest: no key lost, none of somebody
// else's touched.
func (j *judge) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, k := range j.ours() {
		if !holds(j.current, k.Value.Reveal()) {
			j.violate("rule 2: settled, but key %s (%s) lives and no store has it", k.ID, k.Name)
		}
	}
	for id := range j.foreign {
		if k, ok := j.key(id); !ok || !k.Alive(time.Now()) {
			j.violate("rule 4: settled, but the foreign key %s is dead", k.Name)
		}
	}
}

// leaks checks rule 6 on what a process has written.
func (j *judge) leaks(contains func(text string) bool) {
	for _, k := range j.box.Keys(j.space) {
		if contains(k.Value.Reveal()) {
			j.mu.Lock()
			j.violate("rule 6: a process wrote the value of key %s", k.ID)
			j.mu.Unlock()
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.post != nil && slices.ContainsFunc(j.post.secrets(), contains) {
		j.violate("rule 6: a process wrote what a webhook sends")
	}
}

// verdict lists the violations, each once.
func (j *judge) verdict() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	slices.Sort(j.violations)
	return slices.Compact(j.violations)
}
