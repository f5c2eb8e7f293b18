package demo

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// describe puts a step of the engine into words. label gives a key's short name.
func describe(st step, label func(id string) string) (mood, string) {
	if st.Err != nil {
		return waiting, trouble(st.Err)
	}
	key := label(st.KeyID)
	switch st.Verb {
	case rotator.List:
		return faint, "all keys of the workspace are read"
	case rotator.Observe:
		return faint, "the store is read"
	case rotator.Check:
		return faint, "the admin key may revoke keys, so what is begun can be finished"
	case rotator.Try, rotator.Verify, rotator.Prove:
		return tested(st, key)
	case rotator.Settled:
		return settled(st)
	default:
		return changed(st, key)
	}
}

// trouble says why a run stopped, in short where it is an outage.
func trouble(err error) string {
	var e *instantly.Error
	if errors.As(err, &e) && e.Status == http.StatusServiceUnavailable {
		return fmt.Sprintf("stopped, all keys stay alive: %s was answered %d", e.Op, e.Status)
	}
	return fmt.Sprintf("stopped, all keys stay alive: %v", err)
}

// tested tells of a test call.
func tested(st step, key string) (mood, string) {
	switch {
	case st.Answer.Verdict == rotator.Indeterminate:
		return waiting, "the test call says nothing about " + key
	case st.Verb == rotator.Prove && st.Answer.Verdict == rotator.Valid:
		return waiting, key + " still works, revocation takes effect late: asking again"
	case st.Verb == rotator.Prove:
		return good, key + " gets a 401: it is dead"
	case st.Answer.Verdict == rotator.Invalid:
		return waiting, key + " is not live yet (401): trying again"
	case st.Verb == rotator.Try:
		return good, "a test call with " + key + " is answered: it may be stored"
	default:
		return good, key + ", as read back from the store, works"
	}
}

// settled tells that a run is over, and what it left for later.
func settled(st step) (mood, string) {
	if st.Reason == "" {
		return faint, "nothing is left to do"
	}
	return faint, "nothing to do until it is time to: " + st.Reason
}

// changed tells of a step that has an effect.
func changed(st step, key string) (mood, string) {
	switch st.Verb {
	case rotator.Reserve:
		return good, "the intent is noted in the store before any key exists: " + st.Reason
	case rotator.Issue:
		return good, fmt.Sprintf("%s is created, by one request that is never repeated (id …%s)", key, tail(st.KeyID))
	case rotator.Stage:
		return good, key + " is in the store as pending, encrypted; apps do not see it yet"
	case rotator.Promote:
		return good, key + " is current: apps read the old key or the new one, never none"
	case rotator.Revoke:
		return good, key + " is revoked: its grace is over, and its successor was tested again"
	case rotator.Destroy:
		return good, "the store forgets " + key
	case rotator.Sweep:
		return good, key + " is revoked: it bears our name, but no store has it"
	case rotator.Clear:
		return good, "the record of the failure is cleared"
	default: // not in this story, unless something is wrong
		return waiting, key + ": " + st.Reason
	}
}

// tail gives the end of an id: ids begin with the time, so that those made
// within a minute begin alike.
func tail(id string) string { return id[max(0, len(id)-8):] }
