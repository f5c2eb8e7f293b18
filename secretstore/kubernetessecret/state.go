package kubernetessecret

import (
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/jsonnotes"
)

// state is what the annotation says: everything about the secret but its values.
// The functions on it are pure and change nothing but their copy.
type state struct {
	Format int `json:"format"`
	// Owner is the deployment that the secret belongs to.
	Owner string `json:"owner"`
	// UID of the Secret that the state is about: a copy of it on another one says
	// nothing about that.
	UID string `json:"uid"`
	// Write is random and new with every write, so that no two annotations are
	// ever the same, and a writer knows his own.
	Write    string           `json:"write"`
	Versions []record         `json:"versions,omitempty"`
	Intent   jsonnotes.Intent `json:"intent,omitzero"`
	jsonnotes.Facts
}

// record is a version that the state knows.
type record struct {
	Stage    secretstore.Stage `json:"stage"`
	ID       string            `json:"id"`
	Foreign  bool              `json:"foreign,omitempty"`
	Digest   string            `json:"digest"`
	Intent   jsonnotes.Intent  `json:"intent,omitzero"`
	Account  string            `json:"account,omitempty"`
	Created  time.Time         `json:"created,omitzero"`
	Promoted time.Time         `json:"promoted,omitzero"`
}

func (st state) find(id string) (record, bool) {
	at := slices.IndexFunc(st.Versions, func(r record) bool { return r.ID == id })
	if at < 0 {
		return record{}, false
	}
	return st.Versions[at], true
}

func (st state) on(stage secretstore.Stage) (record, bool) {
	at := slices.IndexFunc(st.Versions, func(r record) bool { return r.Stage == stage })
	if at < 0 {
		return record{}, false
	}
	return st.Versions[at], true
}

// put sets r on its stage in place of what is there, and wherever it was.
func (st state) put(r record) state {
	st.Versions = slices.DeleteFunc(slices.Clone(st.Versions), func(old record) bool {
		return old.Stage == r.Stage || old.ID == r.ID
	})
	st.Versions = append(st.Versions, r)
	return st
}

// drop takes what is on the stage off.
func (st state) drop(stage secretstore.Stage) state {
	st.Versions = slices.DeleteFunc(slices.Clone(st.Versions), func(r record) bool { return r.Stage == stage })
	return st
}

// versions gives the versions as callers see them. They share no memory with the
// records.
func (st state) versions() map[secretstore.Stage]secretstore.Version {
	versions := make(map[secretstore.Stage]secretstore.Version, len(st.Versions))
	for _, r := range st.Versions {
		versions[r.Stage] = secretstore.Version{
			ID: r.ID, Foreign: r.Foreign, Intent: r.Intent.Shown(), Account: r.Account,
			Created: r.Created, Promoted: r.Promoted,
		}
	}
	return versions
}

// noted takes the notes over.
func (st state) noted(n secretstore.Notes) state {
	st.Intent, st.Facts = jsonnotes.KeepIntent(n.Intent), jsonnotes.KeepFacts(n)
	return st
}
