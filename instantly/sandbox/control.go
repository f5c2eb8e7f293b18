package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// controlPrefix is where the sandbox's own switches are. The API has nothing
// outside /api/, so that they cannot collide.
const controlPrefix = "/_sandbox/"

// controlKey is a key as the control endpoint shows it, without its value.
type controlKey struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	WorkspaceID string    `json:"workspace_id"`
	Scopes      []string  `json:"scopes"`
	Alive       bool      `json:"alive"`
	Created     time.Time `json:"created"`
	Deleted     time.Time `json:"deleted,omitzero"`
}

// newControl makes the handler of everything below /_sandbox/.
func (s *Server) newControl() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+controlPrefix+"faults", s.showFaults)
	mux.HandleFunc("PUT "+controlPrefix+"faults", s.putFaults)
	mux.HandleFunc("POST "+controlPrefix+"inject", s.postRule)
	mux.HandleFunc("DELETE "+controlPrefix+"inject", s.deleteRules)
	mux.HandleFunc("GET "+controlPrefix+"keys", s.showKeys)
	mux.HandleFunc("DELETE "+controlPrefix+"keys/{id}", s.deleteByHand)
	mux.HandleFunc("GET "+controlPrefix+"calls", s.showCalls)
	s.controlPeople(mux)
	s.controlWebhooks(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.mayControl(r) {
			failure(http.StatusUnauthorized, "the sandbox's control token is missing or wrong").deliver(w)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) mayControl(r *http.Request) bool {
	sent := bearer(r.Header.Get("Authorization"))
	return s.controlToken.IsZero() || digestOf(sent) == digestOf(s.controlToken)
}

func (s *Server) showFaults(w http.ResponseWriter, _ *http.Request) {
	success(s.Faults()).deliver(w)
}

// putFaults sets all switches anew: what the body leaves out is off.
func (s *Server) putFaults(w http.ResponseWriter, r *http.Request) {
	var f Faults
	if err := errors.Join(readBody(r, &f), f.Check()); err != nil {
		failure(http.StatusBadRequest, err.Error()).deliver(w)
		return
	}
	s.SetFaults(f)
	s.showFaults(w, r)
}

func (s *Server) postRule(w http.ResponseWriter, r *http.Request) {
	var rule Rule
	if err := readBody(r, &rule); err != nil {
		failure(http.StatusBadRequest, err.Error()).deliver(w)
		return
	}
	if err := rule.Check(); err != nil {
		failure(http.StatusBadRequest, err.Error()).deliver(w)
		return
	}
	s.Inject(rule)
	success(rule.withDefaults()).deliver(w)
}

func (s *Server) deleteRules(w http.ResponseWriter, _ *http.Request) {
	s.ClearRules()
	reply{status: http.StatusNoContent}.deliver(w)
}

func (s *Server) showKeys(w http.ResponseWriter, _ *http.Request) {
	now := s.now()
	keys := []controlKey{}
	for _, space := range s.Workspaces() {
		for _, k := range s.Keys(space.ID) {
			keys = append(keys, controlKey{
				k.ID, k.Name, k.WorkspaceID, k.Scopes, k.Alive(now), k.Created, k.Deleted,
			})
		}
	}
	success(keys).deliver(w)
}

func (s *Server) deleteByHand(w http.ResponseWriter, r *http.Request) {
	done(w, s.DeleteKey(r.PathValue("id")))
}

func (s *Server) showCalls(w http.ResponseWriter, _ *http.Request) {
	success(s.Calls()).deliver(w)
}

func readBody(r *http.Request, into any) error {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	return decodeStrictly(text, into)
}
