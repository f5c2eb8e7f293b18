package audit

import (
	"errors"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/scan"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

var (
	// ErrNotAsked: something that comes before it failed.
	ErrNotAsked = errors.New("it could not be asked")
	// ErrNotAnswered: it has not come in time.
	ErrNotAnswered = errors.New("not answered in time; give it longer with --timeout")
)

// Known is an answer, or why there is none. The zero value was not asked for.
type Known[T any] struct {
	value T
	asked bool
	err   error
}

func knownAs[T any](value T, err error) Known[T] { return Known[T]{value, true, err} }

// Get gives the answer, or why there is none.
func (k Known[T]) Get() (T, error) {
	if !k.asked {
		return k.value, ErrNotAsked
	}
	return k.value, k.err
}

// Facts are what was found out.
type Facts struct {
	Now time.Time
	// Since is from when on the audit log is judged.
	Since time.Time
	// Probed: receivers of webhooks were asked.
	Probed     bool
	Config     *config.Config
	Workspaces []Workspace
	Targets    []Target
	// Values are those that could be read, with their places, and Unread the secrets
	// that could not.
	Values []Stored
	Unread []Unread
	Set    *scan.Set
	// Scan is what was found in files; nil if nothing was searched.
	Scan *scan.Result
}

// Workspace is what Instantly says.
type Workspace struct {
	config.Workspace
	Keys Known[[]Key]
	// Unsorted is why keys of others cannot be told from ours.
	Unsorted error
	Scopes   Known[AdminScopes]
	Surroundings
}

// AdminScopes are what the API attests of the admin key; Attested is false if it refused
// none of the calls that were made to be told.
type AdminScopes struct {
	Scopes   []string
	Attested bool
}

// Class is whose a key is.
type Class int

// The classes.
const (
	Unsorted Class = iota // not known
	Managed               // a target's: current, previous or pending
	Making                // ours, of a rotation that is under way
	Orphan                // ours, and nothing refers to it
	Lost                  // named as ours, of a store that is not configured
	Away                  // ours, of a target whose store is lost or not mounted
	Stranger              // somebody else's
)

// Key is one in the key list, without its value.
type Key struct {
	instantly.Key
	Class Class
	// Target that it is of; nil if it is of none.
	Target *Target
	// Current: it is what consumers of the target get.
	Current bool
	// subject names it, the same in every audit.
	subject string
}

// Target is what its stores say.
type Target struct {
	config.Key
	Status rotator.TargetStatus
}

// Stored is a value that is managed, or manages.
type Stored struct {
	// Of is what it is for: "target sending", "admin key of workspace main".
	Of, Workspace string
	// Target is the name of the target; empty for an admin key that is none.
	Target string
	// Store and Secret are its place, if it is in a store.
	Store, Secret string
	Stage         secretstore.Stage
	KeyID         string
	Value         secret.Value
}

// Unread is a secret whose value could not be read.
type Unread struct {
	Of, Workspace string
	Err           error
}

// each gives the keys of all workspaces whose list is known.
func (f *Facts) each(judge func(w *Workspace, k *Key) []Finding) []Finding {
	var all []Finding
	for i := range f.Workspaces {
		w := &f.Workspaces[i]
		keys, err := w.Keys.Get()
		if err != nil {
			all = append(all, w.unreadable(keyList, "api_keys:read", err))
			continue
		}
		for j := range keys {
			all = append(all, judge(w, &keys[j])...)
		}
	}
	return all
}

// eachTarget gives the targets of the workspaces that are judged.
func (f *Facts) eachTarget(judge func(t *Target) []Finding) []Finding {
	var all []Finding
	for i := range f.Targets {
		if f.judges(f.Targets[i].Workspace) {
			all = append(all, judge(&f.Targets[i])...)
		}
	}
	return all
}

// judges tells whether a workspace is one that is judged.
func (f *Facts) judges(workspace string) bool {
	for _, w := range f.Workspaces {
		if w.Name == workspace {
			return true
		}
	}
	return false
}

// unknown is a finding that something of the workspace could not be looked at.
func (w *Workspace) unknown(what string) Finding {
	return Finding{Severity: NotKnown, Workspace: w.Name, Subject: "workspace " + w.Name, Text: what}
}

func (w *Workspace) finding(s Severity, text, remedy string) Finding {
	return Finding{Severity: s, Workspace: w.Name, Subject: "workspace " + w.Name, Text: text, Remedy: remedy}
}

func (k *Key) finding(w *Workspace, s Severity, text, remedy string) Finding {
	return Finding{Severity: s, Workspace: w.Name, Subject: k.subject, ID: k.ID, Text: text, Remedy: remedy}
}

func (t *Target) finding(s Severity, text, remedy string) Finding {
	return Finding{Severity: s, Workspace: t.Workspace, Subject: "target " + t.Name, Text: text, Remedy: remedy}
}

func (f *Facts) scanned() *Scanned {
	if f.Scan == nil {
		return nil
	}
	return &Scanned{Dir: f.Scan.Dir, Values: f.Set.Len(), Files: f.Scan.Files, Objects: f.Scan.Objects, Bytes: f.Scan.Bytes}
}
