package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// memberBody is a member as the API shows it (schema WorkspaceMember of the OpenAPI
// file, of which the rest is optional).
type memberBody struct {
	ID          string    `json:"id"`
	Email       string    `json:"email"`
	UserID      string    `json:"user_id"`
	Nickname    string    `json:"nickname,omitempty"`
	Role        string    `json:"role"`
	Created     timestamp `json:"timestamp_created"`
	WorkspaceID string    `json:"workspace_id"`
	Accepted    bool      `json:"accepted"`
}

func (w *workspace) showMember(m Member) memberBody {
	if m.Created.IsZero() {
		m.Created = w.created
	}
	return memberBody{m.ID, m.Email, m.UserID, m.Nickname, m.Role, timestamp{m.Created}, w.ID, !m.Pending}
}

// memberRoutes are the operations on members.
func memberRoutes() []Route {
	const members, one = apiPrefix + "workspace-members", apiPrefix + "workspace-members/{id}"
	return []Route{
		read("workspace-members", "workspace_members", listMembers),
		read("workspace-members/{id}", "workspace_members", showMember),
		{http.MethodPost, members, accepted("workspace_members", "create"), inviteMember},
		{http.MethodPatch, one, accepted("workspace_members", "update"), changeMember},
		{http.MethodDelete, one, accepted("workspace_members", "delete"), removeMember},
	}
}

// listMembers answers GET /workspace-members. What search reads is
// undocumented; here it is the email.
func listMembers(s *Server, c *call) reply {
	accepted, search := c.query.Get("accepted"), strings.ToLower(c.query.Get("search"))
	var members []memberBody
	for _, m := range c.workspace.Members {
		if accepted != "" && accepted != strconv.FormatBool(!m.Pending) ||
			!strings.Contains(strings.ToLower(m.Email), search) {
			continue
		}
		members = append(members, c.workspace.showMember(m))
	}
	return listOf(s, c, members, func(m memberBody) string { return m.ID })
}

// member finds the member that the call is about; -1 if there is none.
func (c *call) member() int {
	return slices.IndexFunc(c.workspace.Members, func(m Member) bool { return m.ID == c.id })
}

func memberNotFound() reply { return failure(http.StatusNotFound, "Workspace member not found") }

// showMember answers GET /workspace-members/{id}.
func showMember(_ *Server, c *call) reply {
	at := c.member()
	if at < 0 {
		return memberNotFound()
	}
	return success(c.workspace.showMember(c.workspace.Members[at]))
}

// grantable are the roles that the API gives: an owner is who made the workspace, and
// clients are made in the web application only (OpenAPI file).
func grantable() func(any) string { return oneOf("admin", "editor", "view") }

// inviteMember answers POST /workspace-members. Whoever is there already is refused;
// undocumented.
func inviteMember(s *Server, c *call) reply {
	fields, wrong := readFields(c.body, []string{"email", "role"}, []field{
		{"email", isEmail}, {"role", grantable()}, {"nickname", orNull(isText)},
		{"user_email", orNull(isEmail)}, {"permissions", func(any) string { return "" }},
	})
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	m := Member{Email: textIn(fields, "email"), Role: textIn(fields, "role"), Nickname: textIn(fields, "nickname"), Pending: true}
	if slices.ContainsFunc(c.workspace.Members, func(n Member) bool { return strings.EqualFold(n.Email, m.Email) }) {
		return failure(http.StatusBadRequest, "User is already a member of this workspace")
	}
	m = m.withDefaults(c.now)
	c.workspace.Members = append(c.workspace.Members, m)
	return s.saved(success(c.workspace.showMember(m)))
}

// changeMember answers PATCH /workspace-members/{id}. That the owner stays the owner is
// inferred.
func changeMember(s *Server, c *call) reply {
	at := c.member()
	if at < 0 {
		return memberNotFound()
	}
	fields, wrong := readFields(c.body, nil, []field{{"role", grantable()}, {"nickname", orNull(isText)}})
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	m := &c.workspace.Members[at]
	role := textIn(fields, "role")
	if role != "" && m.Role == "owner" {
		return failure(http.StatusForbidden, "The owner's role cannot be changed")
	}
	if role != "" {
		m.Role = role
	}
	if _, given := fields["nickname"]; given {
		m.Nickname = textIn(fields, "nickname")
	}
	return s.saved(success(c.workspace.showMember(*m)))
}

// removeMember answers DELETE /workspace-members/{id}. That an owner stays is inferred.
// The member's keys live on: nothing says that a key has an owner.
func removeMember(s *Server, c *call) reply {
	at := c.member()
	switch {
	case c.body != nil:
		return failure(http.StatusBadRequest, "body must be null")
	case at < 0:
		return memberNotFound()
	case c.workspace.Members[at].Role == "owner":
		return failure(http.StatusForbidden, "The owner cannot be removed")
	}
	gone := c.workspace.Members[at]
	c.workspace.Members = slices.Delete(c.workspace.Members, at, at+1)
	return s.saved(success(c.workspace.showMember(gone)))
}

// saved gives the reply to a change, once that is on disk.
func (s *Server) saved(answer reply) reply {
	if err := s.save(); err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	return answer
}

func (m Member) withDefaults(now time.Time) Member {
	if m.ID == "" {
		m.ID = newID(now)
	}
	if m.UserID == "" {
		m.UserID = newID(now)
	}
	if m.Created.IsZero() {
		m.Created = now
	}
	return m
}

// Members gives the people in a workspace; nil for an unknown one.
func (s *Server) Members(workspaceID string) []Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.registry.byID[workspaceID]
	if !ok {
		return nil
	}
	return slices.Clone(w.Members)
}

// AddMember adds a person, as the workspace's owner does in the vendor's web
// application: an invitation if m is pending. An unknown workspace is ErrNotFound.
func (s *Server) AddMember(workspaceID string, m Member) (Member, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.registry.byID[workspaceID]
	if !ok {
		return Member{}, fmt.Errorf("add member to workspace %s: %w", workspaceID, ErrNotFound)
	}
	m = m.withDefaults(s.now())
	w.Members = append(w.Members, m)
	return m, s.save()
}

// AcceptInvitation is the invited person, who also logs in. An unknown member is
// ErrNotFound.
func (s *Server) AcceptInvitation(memberID string) error {
	return s.byHand(memberID, func(w *workspace, at int) {
		m := &w.Members[at]
		m.Pending = false
		e := entryByHand(w, s.now(), activityLogin)
		e.UserID, e.UserName = &m.UserID, &m.Email
		w.log(e)
	})
}

// SetRole gives a member another role. An unknown member is ErrNotFound.
func (s *Server) SetRole(memberID, role string) error {
	return s.byHand(memberID, func(w *workspace, at int) { w.Members[at].Role = role })
}

// RemoveMember removes a member. An unknown member is ErrNotFound. No published
// activity of the audit log is about members.
func (s *Server) RemoveMember(memberID string) error {
	return s.byHand(memberID, func(w *workspace, at int) { w.Members = slices.Delete(w.Members, at, at+1) })
}

func (s *Server) byHand(memberID string, change func(w *workspace, at int)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.registry.workspaces {
		if at := slices.IndexFunc(w.Members, func(m Member) bool { return m.ID == memberID }); at >= 0 {
			change(w, at)
			return s.save()
		}
	}
	return fmt.Errorf("member %s: %w", memberID, ErrNotFound)
}
