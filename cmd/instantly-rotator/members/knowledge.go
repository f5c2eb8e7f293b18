package members

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// Person is somebody, as the workspaces and their audit logs call them.
type Person struct {
	Address string
	UserIDs []string
}

// Is tells whether an entry of an audit log is about what the person did.
func (p Person) Is(l instantly.AuditLog) bool {
	return l.UserID != "" && slices.Contains(p.UserIDs, l.UserID) || l.UserName != "" && strings.EqualFold(l.UserName, p.Address)
}

// Records are what a workspace says about who made which keys.
type Records struct {
	Workspace string
	Made      []instantly.AuditLog // keys, by anybody
	Keys      []instantly.Key      // that are alive
	// Err is why not all of it is known.
	Err error
}

// Target is one whose keys somebody could know.
type Target struct {
	Name, Workspace string
	// KnownTo is who could know it; nil if nobody said.
	KnownTo []string
	// Opens are the workspaces whose keys can be read with it: it is an admin key.
	Opens []string
	// Keys are the ids of those that its store has.
	Keys []string
	// Err is why that is not known.
	Err error
}

// Known is a target that somebody could know, and why.
type Known struct {
	Target string `json:"target"`
	Why    string `json:"why"`
	Admin  bool   `json:"admin,omitempty"`
}

// Loose is a key that somebody made and that is no target's: only a person can revoke it.
type Loose struct {
	Workspace string `json:"workspace"`
	ID        string `json:"id"`
	Name      string `json:"name"`
}

// Knowledge is what somebody could know.
type Knowledge struct {
	Known []Known
	Loose []Loose
	// Unknown is what could not be found out, and Limits what cannot be.
	Unknown, Limits []string
}

// Could gives what a person could know: what the configuration says, and the keys that
// they made, by the audit logs. Who knows an admin key could read all keys of its
// workspaces.
func Could(p Person, records []Records, targets []Target) Knowledge {
	var k Knowledge
	made := map[string]bool{}
	for _, r := range records {
		for _, key := range r.madeBy(p) {
			made[key.ID] = true
			if !slices.ContainsFunc(targets, func(t Target) bool { return slices.Contains(t.Keys, key.ID) }) {
				k.Loose = append(k.Loose, Loose{r.Workspace, key.ID, key.Name})
			}
		}
	}
	var opened []string
	for _, t := range targets {
		if why := t.couldKnow(p, made); why != "" {
			k.Known = append(k.Known, Known{t.Name, why, len(t.Opens) > 0})
			opened = append(opened, t.Opens...)
		}
	}
	for _, t := range targets {
		if slices.Contains(opened, t.Workspace) && !k.has(t.Name) {
			k.Known = append(k.Known, Known{t.Name, "the admin key of its workspace, which they could know, opens it", false})
		}
	}
	k.doubt(records, targets)
	return k
}

func (k *Knowledge) has(target string) bool {
	return slices.ContainsFunc(k.Known, func(known Known) bool { return known.Target == target })
}

func (t Target) couldKnow(p Person, made map[string]bool) (why string) {
	switch {
	case slices.ContainsFunc(t.KnownTo, func(a string) bool { return strings.EqualFold(a, p.Address) }):
		return "known_to has them"
	case slices.ContainsFunc(t.Keys, func(id string) bool { return made[id] }):
		return "they made its key, by the audit log"
	default:
		return ""
	}
}

// beside is how far the time of a key may be from that of the entry about it: entries
// are not documented to name the key.
const beside = time.Minute

// madeBy gives the keys, of those that are alive, that a person made. Where the log does not
// name the key, each that was made at that time is one.
func (r Records) madeBy(p Person) (keys []instantly.Key) {
	for _, l := range r.Made {
		if l.Activity != instantly.KeyCreated || !p.Is(l) {
			continue
		}
		named := r.keys(func(k instantly.Key) bool { return l.Mentions(k.ID) })
		if len(named) == 0 {
			named = r.keys(func(k instantly.Key) bool { return !l.At.IsZero() && k.Created.Sub(l.At).Abs() <= beside })
		}
		for _, key := range named {
			if !slices.ContainsFunc(keys, func(k instantly.Key) bool { return k.ID == key.ID }) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

func (r Records) keys(match func(instantly.Key) bool) (keys []instantly.Key) {
	for _, k := range r.Keys {
		if match(k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// doubt says of the targets of which nobody said who knows them what is not known.
func (k *Knowledge) doubt(records []Records, targets []Target) {
	for _, r := range records {
		if names := k.undecided(targets, func(t Target) bool { return t.Workspace == r.Workspace }); r.Err != nil {
			about := ""
			if len(names) > 0 {
				about = ", so not whether they could know " + strings.Join(names, ", ") + " (known_to would say)"
			}
			k.Unknown = append(k.Unknown, fmt.Sprintf("which keys they made in workspace %s is not known%s: %v", r.Workspace, about, r.Err))
		}
	}
	for _, t := range targets {
		if t.Err != nil && t.KnownTo == nil && !k.has(t.Name) {
			k.Unknown = append(k.Unknown, fmt.Sprintf("whether they made the key of %s is not known: %v", t.Name, t.Err))
		}
	}
	if names := k.undecided(targets, func(Target) bool { return true }); len(names) > 0 {
		k.Limits = append(k.Limits, "who read or copied a key is in no log: whether they know "+strings.Join(names, ", ")+
			", which they did not make, only known_to can say")
	}
}

// undecided gives the targets that the person is not found to know, and of which nobody
// said who does.
func (k *Knowledge) undecided(targets []Target, of func(Target) bool) (names []string) {
	for _, t := range targets {
		if of(t) && t.KnownTo == nil && !k.has(t.Name) {
			names = append(names, t.Name)
		}
	}
	return names
}
