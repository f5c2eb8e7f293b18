package sandbox

import (
	"cmp"
	"errors"
	"net/http"
)

// controlMember is a member as the control endpoint shows it.
type controlMember struct {
	Member
	WorkspaceID string `json:"workspace_id"`
}

// controlPeople adds what people do in the vendor's web application.
func (s *Server) controlPeople(mux *http.ServeMux) {
	mux.HandleFunc("GET "+controlPrefix+"members", s.showPeople)
	mux.HandleFunc("POST "+controlPrefix+"members", s.postMember)
	mux.HandleFunc("DELETE "+controlPrefix+"members/{id}", func(w http.ResponseWriter, r *http.Request) {
		done(w, s.RemoveMember(r.PathValue("id")))
	})
	mux.HandleFunc("POST "+controlPrefix+"members/{id}/accept", func(w http.ResponseWriter, r *http.Request) {
		done(w, s.AcceptInvitation(r.PathValue("id")))
	})
	mux.HandleFunc("PUT "+controlPrefix+"members/{id}/role", s.putRole)
	mux.HandleFunc("POST "+controlPrefix+"audit", s.postEntry)
}

// done answers what was done by hand.
func done(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, ErrNotFound):
		failure(http.StatusNotFound, err.Error()).deliver(w)
	case err != nil:
		failure(http.StatusInternalServerError, err.Error()).deliver(w)
	default:
		reply{status: http.StatusNoContent}.deliver(w)
	}
}

func (s *Server) showPeople(w http.ResponseWriter, _ *http.Request) {
	people := []controlMember{}
	for _, space := range s.Workspaces() {
		for _, m := range s.Members(space.ID) {
			people = append(people, controlMember{m, space.ID})
		}
	}
	success(people).deliver(w)
}

func (s *Server) postMember(w http.ResponseWriter, r *http.Request) {
	var m controlMember
	if err := readBody(r, &m); err != nil {
		failure(http.StatusBadRequest, err.Error()).deliver(w)
		return
	}
	added, err := s.AddMember(cmp.Or(m.WorkspaceID, s.Workspaces()[0].ID), m.Member)
	if err != nil {
		done(w, err)
		return
	}
	success(added).deliver(w)
}

func (s *Server) putRole(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Role string `json:"role"`
	}
	if err := readBody(r, &body); err != nil {
		failure(http.StatusBadRequest, err.Error()).deliver(w)
		return
	}
	done(w, s.SetRole(r.PathValue("id"), body.Role))
}

// postEntry plants an entry in an audit log.
func (s *Server) postEntry(w http.ResponseWriter, r *http.Request) {
	var e AuditEntry
	if err := readBody(r, &e); err != nil {
		failure(http.StatusBadRequest, err.Error()).deliver(w)
		return
	}
	done(w, s.PlantEntry(e))
}
