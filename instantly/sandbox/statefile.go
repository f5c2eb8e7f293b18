package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/google/renameio/v2/maybe"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// stateVersion is the version of the state file's format.
const stateVersion = 1

// The state file holds the values of keys and headers in the clear: they open nothing but the
// sandbox. It has mode 0600 all the same, so that habits stay good.
type storedState struct {
	Version    int               `json:"version"`
	Workspaces []storedWorkspace `json:"workspaces"`
}

type storedWorkspace struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Parent     string       `json:"parent,omitempty"`
	Invitation Invitation   `json:"invitation,omitempty"`
	Created    time.Time    `json:"created"`
	AdminKeyID string       `json:"admin_key_id"`
	Members    []Member     `json:"members"`
	Keys       []storedKey  `json:"keys"` // in order of creation
	Audit      []auditEntry `json:"audit"`
	Blocked    []blockBody  `json:"blocked,omitempty"`

	Webhooks []storedWebhook `json:"webhooks,omitempty"`
	Events   []eventBody     `json:"webhook_events,omitempty"`
}

type storedKey struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Scopes     []string  `json:"scopes"`
	Value      string    `json:"value"`
	Created    time.Time `json:"created"`
	ActiveFrom time.Time `json:"active_from"`
	Deleted    time.Time `json:"deleted,omitzero"`
	DeadFrom   time.Time `json:"dead_from,omitzero"`
}

// load reads the state file, if there is one.
func (s *Server) load() error {
	if s.stateFile == "" {
		return nil
	}
	text, err := os.ReadFile(s.stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read state file: %w", err)
	}
	var state storedState
	if err := decodeStrictly(text, &state); err != nil {
		return fmt.Errorf("read state file %s: %w", s.stateFile, err)
	}
	if state.Version != stateVersion {
		return fmt.Errorf("read state file %s: version %d, not %d", s.stateFile, state.Version, stateVersion)
	}
	for _, w := range state.Workspaces {
		if err := s.registry.restore(w); err != nil {
			return fmt.Errorf("read state file %s: %w", s.stateFile, err)
		}
	}
	return nil
}

// restore adds a stored workspace with all that belongs to it.
func (g *registry) restore(w storedWorkspace) error {
	if len(w.Members) == 0 {
		return fmt.Errorf("workspace %s has no members", w.ID)
	}
	added := g.open(Workspace{
		ID: w.ID, Name: w.Name, Parent: w.Parent, Invitation: w.Invitation, Members: w.Members,
	}, w.Created)
	for _, k := range w.Keys {
		g.add(KeyRecord{
			ID: k.ID, Name: k.Name, WorkspaceID: w.ID, Scopes: k.Scopes, Value: secret.New(k.Value),
			Created: k.Created, ActiveFrom: k.ActiveFrom, Deleted: k.Deleted, DeadFrom: k.DeadFrom,
		})
	}
	admin, ok := g.keysByID[w.AdminKeyID]
	if !ok {
		return fmt.Errorf("workspace %s has no admin key", w.ID)
	}
	added.adminKey = admin
	added.AdminKey, added.AdminScopes = admin.Value, admin.Scopes
	for _, e := range w.Audit {
		added.log(e)
	}
	added.blocked = w.Blocked
	for _, h := range w.Webhooks {
		added.webhooks = append(added.webhooks, h.restored(w.ID))
	}
	for _, e := range w.Events {
		added.delivered(e)
	}
	return nil
}

// save writes the state file whole, if there is one to write. If it fails the
// change stands in memory; the caller says so.
func (s *Server) save() error {
	if s.stateFile == "" {
		return nil
	}
	state := storedState{Version: stateVersion}
	for _, w := range s.registry.workspaces {
		state.Workspaces = append(state.Workspaces, w.stored())
	}
	text, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	if err := replaceFile(s.stateFile, text); err != nil {
		return fmt.Errorf("write state file: %w", err)
	}
	return nil
}

func (w *workspace) stored() storedWorkspace {
	out := storedWorkspace{
		ID: w.ID, Name: w.Name, Parent: w.Parent, Invitation: w.Invitation,
		Created: w.created, AdminKeyID: w.adminKey.ID, Members: w.Members, Audit: w.audit, Blocked: w.blocked,
		Events: w.newestEvents(),
	}
	for _, h := range w.webhooks {
		out.Webhooks = append(out.Webhooks, h.stored())
	}
	for _, k := range w.keys {
		out.Keys = append(out.Keys, storedKey{
			ID: k.ID, Name: k.Name, Scopes: k.Scopes, Value: valueText(k.Value, KeyFull),
			Created: k.Created, ActiveFrom: k.ActiveFrom, Deleted: k.Deleted, DeadFrom: k.DeadFrom,
		})
	}
	return out
}

// replaceFile puts text in the file's place, with mode 0600 also where the file had
// another; in one step where the system can do that (not on Windows).
func replaceFile(path string, text []byte) error {
	if err := os.Chmod(path, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return maybe.WriteFile(path, text, 0o600)
}
