package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// AuditEntry is an entry for the audit log of something that the sandbox does not do
// itself: a login, an export of leads, an old key that acts.
type AuditEntry struct {
	// WorkspaceID of the log; the first workspace if empty.
	WorkspaceID string `json:"workspace_id"`
	// Activity is the activity type; any number but 0.
	Activity int `json:"activity_type"`
	// At is when it was; now if zero. The log is in order of time.
	At      time.Time `json:"timestamp"`
	FromAPI bool      `json:"from_api"`
	// KeyID of the key that acted.
	KeyID string `json:"api_key_id"`
	// UserName is a member's email or any other text; UserID is that member's if empty.
	UserID    string `json:"user_id"`
	UserName  string `json:"user_name"`
	UserAgent string `json:"user_agent"`
	// IP is 127.0.0.1 if empty.
	IP            string         `json:"ip_address"`
	Affected      int            `json:"affected_count"`
	CampaignID    string         `json:"campaign_id"`
	WebhookID     string         `json:"webhook_id"`
	SubsequenceID string         `json:"subsequence_id"`
	ListID        string         `json:"list_id"`
	Metadata      map[string]any `json:"audit_metadata"`
}

// PlantEntry puts an entry into an audit log. An unknown workspace is ErrNotFound.
func (s *Server) PlantEntry(e AuditEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, err := s.workspaceOrFirst(e.WorkspaceID)
	switch {
	case err != nil:
		return fmt.Errorf("plant audit log entry: %w", err)
	case e.Activity == 0:
		return errors.New("plant audit log entry: it has no activity_type")
	}
	w.log(e.shown(w, s.now()))
	return s.save()
}

func (s *Server) workspaceOrFirst(id string) (*workspace, error) {
	if id == "" {
		return s.registry.workspaces[0], nil
	}
	w, ok := s.registry.byID[id]
	if !ok {
		return nil, fmt.Errorf("workspace %s: %w", id, ErrNotFound)
	}
	return w, nil
}

func (e AuditEntry) shown(w *workspace, now time.Time) auditEntry {
	if e.At.IsZero() {
		e.At = now
	}
	if e.IP == "" {
		e.IP = "127.0.0.1"
	}
	at := slices.IndexFunc(w.Members, func(m Member) bool { return m.Email == e.UserName })
	if e.UserID == "" && at >= 0 {
		e.UserID = w.Members[at].UserID
	}
	shown := auditEntry{
		ID: newID(e.At), Timestamp: timestamp{e.At}, OrganizationID: w.ID, ActivityType: e.Activity,
		IPAddress: e.IP, UserAgent: e.UserAgent, FromAPI: e.FromAPI, APIKeyID: textOrNull(e.KeyID),
		UserID: textOrNull(e.UserID), UserName: textOrNull(e.UserName), CampaignID: textOrNull(e.CampaignID),
		WebhookID: textOrNull(e.WebhookID), SubsequenceID: textOrNull(e.SubsequenceID), ListID: textOrNull(e.ListID),
		Metadata: e.Metadata,
	}
	if e.Affected != 0 {
		shown.AffectedCount = &e.Affected
	}
	return shown
}

// textOrNull is null for an empty text.
func textOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
