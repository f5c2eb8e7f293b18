package sandbox

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// controlWebhook is a webhook as the control endpoint shows it, without its headers'
// values.
type controlWebhook struct {
	ID          string    `json:"id"`
	WorkspaceID string    `json:"workspace_id"`
	Name        string    `json:"name"`
	URL         string    `json:"target_hook_url"`
	EventType   string    `json:"event_type"`
	Headers     []string  `json:"headers"`
	Disabled    time.Time `json:"disabled,omitzero"`
}

// controlWebhooks adds what people do with webhooks in the vendor's web application,
// and what happens by itself.
func (s *Server) controlWebhooks(mux *http.ServeMux) {
	mux.HandleFunc("GET "+controlPrefix+"webhooks", s.showHooks)
	mux.HandleFunc("POST "+controlPrefix+"webhooks", s.postHook)
	mux.HandleFunc("DELETE "+controlPrefix+"webhooks/{id}", func(w http.ResponseWriter, r *http.Request) {
		done(w, s.DeleteWebhook(r.PathValue("id")))
	})
	mux.HandleFunc("POST "+controlPrefix+"events", s.postEvent)
	mux.HandleFunc("GET "+controlPrefix+"deliveries", func(w http.ResponseWriter, _ *http.Request) {
		success(map[string]int{"pending": s.PendingDeliveries()}).deliver(w)
	})
}

func (s *Server) showHooks(w http.ResponseWriter, _ *http.Request) {
	hooks := []controlWebhook{}
	for _, space := range s.Workspaces() {
		for _, h := range s.Webhooks(space.ID) {
			hooks = append(hooks, controlWebhook{
				h.ID, h.WorkspaceID, h.Name, h.URL, h.EventType, slices.Sorted(maps.Keys(h.Headers)), h.Disabled,
			})
		}
	}
	success(hooks).deliver(w)
}

// postHook adds a webhook by hand; it is for everything unless it says otherwise.
func (s *Server) postHook(w http.ResponseWriter, r *http.Request) {
	var body struct {
		WorkspaceID string            `json:"workspace_id"`
		Name        string            `json:"name"`
		URL         string            `json:"target_hook_url"`
		EventType   string            `json:"event_type"`
		Headers     map[string]string `json:"headers"`
	}
	if err := readBody(r, &body); err != nil {
		failure(http.StatusBadRequest, err.Error()).deliver(w)
		return
	}
	if wrong := isHookURL(body.URL); wrong != "" {
		failure(http.StatusBadRequest, "target_hook_url "+wrong).deliver(w)
		return
	}
	headers := map[string]secret.Value{}
	for name, text := range body.Headers {
		headers[name] = secret.New(text)
	}
	added, err := s.AddWebhook(cmp.Or(body.WorkspaceID, s.Workspaces()[0].ID), Webhook{
		Name: body.Name, URL: body.URL, EventType: cmp.Or(body.EventType, "all_events"), Headers: headers,
	})
	if err != nil {
		done(w, err)
		return
	}
	success(map[string]string{"id": added.ID}).deliver(w)
}

// postEvent has an event happen.
func (s *Server) postEvent(w http.ResponseWriter, r *http.Request) {
	var e Event
	if err := readBody(r, &e); err != nil {
		failure(http.StatusBadRequest, err.Error()).deliver(w)
		return
	}
	n, err := s.Emit(e)
	if err != nil {
		failure(http.StatusBadRequest, err.Error()).deliver(w)
		return
	}
	success(map[string]int{"deliveries": n}).deliver(w)
}
