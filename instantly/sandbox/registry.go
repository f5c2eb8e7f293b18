package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// ErrNotFound: the sandbox has no such workspace, living key, member or webhook.
var ErrNotFound = errors.New("not in the sandbox")

// KeyRecord is all that the sandbox knows about a key.
type KeyRecord struct {
	ID          string
	Name        string
	WorkspaceID string
	Scopes      []string
	Value       secret.Value
	Created     time.Time
	// ActiveFrom is when the key starts to open things: Created, and the
	// activation delay of that time.
	ActiveFrom time.Time
	// Deleted is zero while the key exists.
	Deleted time.Time
	// DeadFrom is when a deleted key stops opening things: Deleted, and the
	// revocation delay of that time.
	DeadFrom time.Time
}

// Alive tells whether the key opens anything at that moment.
func (k KeyRecord) Alive(at time.Time) bool {
	return !at.Before(k.ActiveFrom) && (k.Deleted.IsZero() || at.Before(k.DeadFrom))
}

// key is a record with its place in the order of its workspace's keys.
type key struct {
	KeyRecord
	seq int
}

// workspace is what the registry keeps of one workspace.
type workspace struct {
	Workspace
	owner    Member
	created  time.Time
	adminKey *key
	keys     []*key // all there ever were, in order of creation
	living   []*key // those that exist, in order of creation
	audit    []auditEntry
	auditSeq map[string]int // by entry id
	blocked  []blockBody
	webhooks []*webhook
	events   []eventBody // attempts to deliver, in order
	spent    spending
}

// registry is what the sandbox remembers: workspaces and their keys, found by
// id and by value. It does not lock.
type registry struct {
	workspaces []*workspace
	byID       map[string]*workspace
	keysByID   map[string]*key
	keysByText map[digest]*key
}

func newRegistry() *registry {
	return &registry{
		byID:       map[string]*workspace{},
		keysByID:   map[string]*key{},
		keysByText: map[digest]*key{},
	}
}

// open adds a workspace, still without keys.
func (g *registry) open(w Workspace, created time.Time) *workspace {
	added := &workspace{Workspace: w, created: created, owner: ownerOf(w.Members), auditSeq: map[string]int{}}
	g.workspaces = append(g.workspaces, added)
	g.byID[w.ID] = added
	return added
}

func ownerOf(members []Member) Member {
	i := slices.IndexFunc(members, func(m Member) bool { return m.Role == "owner" })
	return members[max(i, 0)]
}

// subsOf gives the workspaces in the group of an admin workspace.
func (g *registry) subsOf(admin *workspace) []*workspace {
	var subs []*workspace
	for _, w := range g.workspaces {
		if w.Parent == admin.ID {
			subs = append(subs, w)
		}
	}
	return subs
}

// add takes a key in as the newest of its workspace.
func (g *registry) add(record KeyRecord) *key {
	w := g.byID[record.WorkspaceID]
	k := &key{KeyRecord: record, seq: len(w.keys)}
	w.keys = append(w.keys, k)
	if k.Deleted.IsZero() {
		w.living = append(w.living, k)
	}
	g.keysByID[k.ID] = k
	g.keysByText[digestOf(k.Value)] = k
	return k
}

// remove deletes a key of that workspace. Its record stays.
func (g *registry) remove(w *workspace, id string, now time.Time, delay time.Duration) (*key, error) {
	k, ok := g.keysByID[id]
	if !ok || k.WorkspaceID != w.ID || !k.Deleted.IsZero() {
		return nil, fmt.Errorf("key %s of workspace %s: %w", id, w.ID, ErrNotFound)
	}
	k.Deleted, k.DeadFrom = now, now.Add(delay)
	at := sort.Search(len(w.living), func(i int) bool { return w.living[i].seq >= k.seq })
	w.living = slices.Delete(w.living, at, at+1)
	return k, nil
}

// log adds an entry to the workspace's audit log, which is in order of time.
func (w *workspace) log(e auditEntry) {
	at := len(w.audit)
	for at > 0 && w.audit[at-1].Timestamp.After(e.Timestamp.Time) {
		at--
	}
	w.audit = slices.Insert(w.audit, at, e)
	for i := at; i < len(w.audit); i++ {
		w.auditSeq[w.audit[i].ID] = i
	}
}
