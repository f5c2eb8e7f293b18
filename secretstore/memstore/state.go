package memstore

import (
	"fmt"
	"maps"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Held is a version with its value and stage, as [Store.Contents] shows it.
type Held struct {
	Stage   secretstore.Stage
	Version secretstore.Version
	Value   secret.Value
}

// state is what the store remembers. Its methods are the contract's
// transitions; they tell whether they changed anything.
type state struct {
	held  map[secretstore.Stage]Held
	notes secretstore.Notes
}

// copy is deep: below the map nothing is shared.
func (st *state) copy() state {
	held := maps.Clone(st.held)
	if held == nil {
		held = make(map[secretstore.Stage]Held)
	}
	return state{held: held, notes: st.notes}
}

func (st *state) find(id string) (Held, secretstore.Stage, bool) {
	for stage, h := range st.held {
		if h.Version.ID == id {
			return h, stage, true
		}
	}
	return Held{}, "", false
}

// put sets a version on a stage in place of what is there.
func (st *state) put(stage secretstore.Stage, h Held) {
	h.Stage = stage
	st.held[stage] = h
}

func (st *state) stage(v secretstore.Version, value secret.Value, created time.Time) (bool, error) {
	if v.ID == "" {
		return false, fmt.Errorf("a version needs an id: %w", secretstore.ErrConflict)
	}
	if h, stage, ok := st.find(v.ID); ok {
		if stage != secretstore.Pending {
			return false, fmt.Errorf("version %s is %s already: %w", v.ID, stage, secretstore.ErrConflict)
		}
		if !h.Value.Equal(value) {
			return false, fmt.Errorf("version %s is pending with another value: %w", v.ID, secretstore.ErrConflict)
		}
		return false, nil
	}
	fresh := copyVersion(secretstore.Version{ID: v.ID, Intent: v.Intent, Account: v.Account, Created: created})
	st.put(secretstore.Pending, Held{Version: fresh, Value: value})
	st.notes.Intent = secretstore.Intent{}
	return true, nil
}

func (st *state) promote(id string, at time.Time) (bool, error) {
	h, stage, _ := st.find(id)
	switch stage {
	case secretstore.Current:
		if !h.Version.Promoted.Before(at) {
			return false, nil
		}
		h.Version.Promoted = at
		st.put(secretstore.Current, h)
		return true, nil
	case secretstore.Pending:
		displaced, hadCurrent := st.held[secretstore.Current]
		if _, stands := st.held[secretstore.Previous]; hadCurrent && !stands {
			st.put(secretstore.Previous, displaced)
		}
		h.Version.Promoted = at
		st.put(secretstore.Current, h)
		delete(st.held, secretstore.Pending)
		return true, nil
	default:
		return false, fmt.Errorf("version %s is neither pending nor current: %w", id, secretstore.ErrNotFound)
	}
}

func (st *state) destroy(id string) (bool, error) {
	_, stage, ok := st.find(id)
	if !ok {
		return false, nil
	}
	if stage == secretstore.Current {
		return false, fmt.Errorf("version %s is current: %w", id, secretstore.ErrConflict)
	}
	delete(st.held, stage)
	return true, nil
}

func copyVersion(v secretstore.Version) secretstore.Version {
	v.Intent = copyIntent(v.Intent)
	return v
}

func copyNotes(n secretstore.Notes) secretstore.Notes {
	n.Intent = copyIntent(n.Intent)
	n.Failure.At = plainTime(n.Failure.At)
	n.Hold.Since, n.Hold.Until = plainTime(n.Hold.Since), plainTime(n.Hold.Until)
	n.Incident.At = plainTime(n.Incident.At)
	return n
}

func copyIntent(i secretstore.Intent) secretstore.Intent {
	i.At, i.Until = plainTime(i.At), plainTime(i.Until)
	return i
}

// plainTime is t in UTC, without a monotonic reading: as it comes back from a
// store that writes it down.
func plainTime(t time.Time) time.Time { return t.UTC().Round(0) }
