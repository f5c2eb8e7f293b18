package main_test

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// wantOnTrail holds a lab to its record, wherever the rotator was killed: it is as it was
// written, and nothing was done that it does not tell of.
func (l *lab) wantOnTrail(current string) {
	l.Helper()
	l.mustRun("trail", "verify")
	intents := l.intents()
	has := func(key string, verbs ...string) bool {
		return slices.ContainsFunc(intents, func(e trail.Entry) bool { return e.Key == key && slices.Contains(verbs, e.Verb) })
	}
	if !has(current, "promote") {
		l.Errorf("key %s is current, and the trail has no intent to promote it", current)
	}
	issues := 0
	for _, e := range intents {
		if e.Verb == "issue" {
			issues++
		}
		if e.Verb == "promote" && e.Previous != "" && !l.isAlive(e.Previous) && !has(e.Previous, "revoke", "sweep") {
			l.Errorf("key %s was revoked, and the trail has no intent of it", e.Previous)
		}
	}
	calls, err := l.box.calls()
	if err != nil {
		l.Fatal(err)
	}
	const byHand = 1 // the foreign key
	if n := calls["POST /api/v2/api-keys"] - byHand; n < 1 || issues < n {
		l.Errorf("%d keys were issued, and the trail has intents of %d", n, issues)
	}
}

// intents gives those of the trail.
func (l *lab) intents() (all []trail.Entry) {
	l.Helper()
	for line := range strings.Lines(l.mustRun("trail", "export")) {
		var e trail.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			l.Fatal(err)
		}
		if e.Kind == trail.Intent {
			all = append(all, e)
		}
	}
	return all
}
