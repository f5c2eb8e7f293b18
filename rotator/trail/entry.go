package trail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Kind says what an entry tells of.
type Kind string

// The kinds of entries.
const (
	// Intent: an effect is about to be made.
	Intent Kind = "intent"
	// Outcome: what came of it.
	Outcome Kind = "outcome"
	// Event: something that needs no intent: the log was begun or recovered, a
	// configuration is in force, what an audit found.
	Event Kind = "event"
)

// Entry is one line of a trail. It never has a secret value.
type Entry struct {
	// Seq numbers the entries of a log from 0, and Prev is the hash of the one before;
	// both are set by the log.
	Seq  int64  `json:"seq"`
	Prev string `json:"prev"`

	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`
	// Of is the number of the intent that an outcome belongs to. No intent has number 0.
	Of int64 `json:"of,omitempty"`

	Who
	What
	// Why it is done, in words.
	Why string `json:"why,omitempty"`
	// Result is "ok" or "failed", of an outcome; Error says why it failed.
	Result string `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
	// Proof is what the effect goes by.
	Proof *Proof `json:"proof,omitempty"`
	// Names of what an event lists: the ids of an audit's findings, the members.
	Names []string `json:"names,omitempty"`
}

// Who did it.
type Who struct {
	// Instance is the process: HOST/PID.
	Instance string `json:"instance,omitempty"`
	// User of the operating system, and Command that runs.
	User    string `json:"user,omitempty"`
	Command string `json:"command,omitempty"`
	// Config is the hash of the configuration in force, Version that of the program.
	Config  string `json:"config,omitempty"`
	Version string `json:"version,omitempty"`
}

// What is done, and on what.
type What struct {
	Verb         string `json:"verb,omitempty"`
	Target       string `json:"target,omitempty"`
	Workspace    string `json:"workspace,omitempty"`
	Organization string `json:"organization,omitempty"`
	Store        string `json:"store,omitempty"`
	Sink         string `json:"sink,omitempty"`
	// Key is the id of the key concerned, Previous that of the one that was current.
	Key      string `json:"key,omitempty"`
	Previous string `json:"previous,omitempty"`
	Scopes   string `json:"scopes,omitempty"`
	Incident string `json:"incident,omitempty"`
	// Exceptions are what a person asked for beyond the policy: force, end-grace,
	// skip-gates, begin-anew, compromised, graceful, adopt.
	Exceptions []string `json:"exceptions,omitempty"`
	// Since is when the key was issued, where that is known.
	Since *time.Time `json:"since,omitempty"`
}

// Proof is the test call that an effect goes by.
type Proof struct {
	// Key that was tested.
	Key     string    `json:"key,omitempty"`
	Verdict string    `json:"verdict"`
	At      time.Time `json:"at"`
	// Answer is what it said, where it was not valid.
	Answer string `json:"answer,omitempty"`
}

// The beginnings of a log's lines.
const (
	entryPrefix      = `{"seq":`
	prevPrefix       = `,"prev":"`
	headPrefix       = `{"head":`
	checkpointPrefix = `{"checkpoint":`
)

// line renders an entry, without the end of the line.
func (e Entry) line() ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("render entry %d: %w", e.Seq, err)
	}
	return b, nil
}

// link is what a line says of its place in the log.
type link struct {
	seq  int64
	prev string
}

// linkOf reads the place of an entry, without the rest of it: its hash stands for that.
func linkOf(line []byte) (link, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(entryPrefix))
	if !ok {
		return link{}, false
	}
	number, rest, ok := bytes.Cut(rest, []byte(prevPrefix))
	if !ok {
		return link{}, false
	}
	seq, err := strconv.ParseInt(string(number), 10, 64)
	prev, _, ok := bytes.Cut(rest, []byte(`"`))
	return link{seq, string(prev)}, ok && err == nil && seq >= 0
}

// prevOf is the hash of an entry as the next one has it.
func prevOf(h tlog.Hash) string { return h.String() }
