package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Webhook is where a workspace's events are delivered to.
type Webhook struct {
	ID          string
	WorkspaceID string
	URL         string
	Name        string
	// EventType is what it is for; "all_events" is everything, and empty the events of a
	// label of the workspace's own.
	EventType string
	// Campaign that it is limited to; any if empty.
	Campaign       string
	CustomInterest *float64
	// Headers of its deliveries: all that authenticates them.
	Headers map[string]secret.Value
	Created time.Time
	// Disabled is when it was given up after deliveries that failed; zero while it works.
	Disabled time.Time
}

func (w Webhook) clone() Webhook {
	w.Headers = maps.Clone(w.Headers)
	return w
}

// webhook is a Webhook with what the sandbox counts.
type webhook struct {
	Webhook
	failures int // deliveries given up, in a row
}

// webhookBody is the schema Webhook of the OpenAPI file.
type webhookBody struct {
	ID             string            `json:"id"`
	Organization   string            `json:"organization"`
	URL            string            `json:"target_hook_url"`
	Created        timestamp         `json:"timestamp_created"`
	Name           string            `json:"name,omitempty"`
	EventType      string            `json:"event_type,omitempty"`
	Campaign       string            `json:"campaign,omitempty"`
	CustomInterest *float64          `json:"custom_interest_value,omitempty"`
	Headers        map[string]string `json:"headers"`
	Status         int               `json:"status"`
	Disabled       *timestamp        `json:"timestamp_error"`
}

func (s *Server) showWebhook(h *webhook) webhookBody {
	body := webhookBody{
		ID: h.ID, Organization: h.WorkspaceID, URL: h.URL, Created: timestamp{h.Created}, Name: h.Name,
		EventType: h.EventType, Campaign: h.Campaign, CustomInterest: h.CustomInterest,
		Headers: headersText(h.Headers, s.faults.WebhookHeaders), Status: 1,
	}
	if !h.Disabled.IsZero() {
		body.Status, body.Disabled = -1, &timestamp{h.Disabled}
	}
	return body
}

// webhookRoutes are the operations on webhooks. The list, the event types and the test
// publish no scope line (OpenAPI file): what is here is inferred. To resume is not in
// the file at all, but in the vendor's documents.
func webhookRoutes() []Route {
	const hooks, one = apiPrefix + "webhooks", apiPrefix + "webhooks/{id}"
	return []Route{
		read("webhooks", "webhooks", listWebhooks),
		read("webhooks/event-types", "webhooks", listEventTypes),
		read("webhooks/{id}", "webhooks", oneWebhook(showOneWebhook)),
		{http.MethodPost, hooks, accepted("webhooks", "create"), createWebhook},
		{http.MethodPatch, one, accepted("webhooks", "update"), oneWebhook(changeWebhook)},
		{http.MethodDelete, one, accepted("webhooks", "delete"), oneWebhook(deleteWebhook)},
		{http.MethodPost, one + "/test", accepted("webhooks", "update"), oneWebhook(testWebhook)},
		{http.MethodPost, one + "/resume", accepted("webhooks", "update"), oneWebhook(resumeWebhook)},
	}
}

// oneWebhook finds the webhook that a call is about.
func oneWebhook(answer func(*Server, *call, *webhook) reply) func(*Server, *call) reply {
	return func(s *Server, c *call) reply {
		at := slices.IndexFunc(c.workspace.webhooks, func(h *webhook) bool { return h.ID == c.id })
		if at < 0 {
			return failure(http.StatusNotFound, "Webhook not found")
		}
		return answer(s, c, c.workspace.webhooks[at])
	}
}

// listWebhooks answers GET /webhooks.
func listWebhooks(s *Server, c *call) reply {
	campaign, event := c.query.Get("campaign"), c.query.Get("event_type")
	var hooks []webhookBody
	for _, h := range c.workspace.webhooks {
		if (campaign == "" || h.Campaign == campaign) && (event == "" || h.EventType == event) {
			hooks = append(hooks, s.showWebhook(h))
		}
	}
	return listOf(s, c, hooks, func(h webhookBody) string { return h.ID })
}

func showOneWebhook(s *Server, _ *call, h *webhook) reply { return success(s.showWebhook(h)) }

// eventTypes is the enum of the OpenAPI file.
func eventTypes() []string {
	return []string{
		"all_events", "email_sent", "email_opened", "email_link_clicked", "reply_received", "email_bounced",
		"lead_unsubscribed", "campaign_completed", "account_error", "lead_neutral", "lead_interested",
		"lead_not_interested", "lead_meeting_booked", "lead_meeting_completed", "lead_closed",
		"lead_out_of_office", "lead_wrong_person", "lead_no_show", "supersearch_enrichment_completed",
	}
}

// listEventTypes answers GET /webhooks/event-types.
func listEventTypes(*Server, *call) reply {
	var types []map[string]string
	for _, t := range eventTypes() {
		types = append(types, map[string]string{"id": t, "label": t, "type": "default"})
	}
	return success(map[string]any{"event_types": types})
}

// webhookFields are those of a create and of a change.
func webhookFields() []field {
	return []field{
		{"target_hook_url", isHookURL}, {"name", orNull(isText)}, {"campaign", orNull(isText)},
		{"event_type", orNull(oneOf(eventTypes()...))}, {"custom_interest_value", orNull(isNumber)},
		{"headers", orNull(isHeaders)},
	}
}

// createWebhook answers POST /webhooks.
func createWebhook(s *Server, c *call) reply {
	fields, wrong := readFields(c.body, []string{"target_hook_url"}, webhookFields())
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	h := &webhook{Webhook: Webhook{ID: newID(c.now), WorkspaceID: c.workspace.ID, Created: c.now}}
	h.change(fields, HeadersReplaced)
	c.workspace.webhooks = append(c.workspace.webhooks, h)
	c.workspace.log(entryAbout(h.ID, entryByKey(c, activityWebhookCreated)))
	return s.saved(success(s.showWebhook(h)))
}

// changeWebhook answers PATCH /webhooks/{id}. One that is disabled stays so; undocumented.
func changeWebhook(s *Server, c *call, h *webhook) reply {
	fields, wrong := readFields(c.body, nil, webhookFields())
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	h.change(fields, s.faults.PatchHeaders)
	c.workspace.log(entryAbout(h.ID, entryByKey(c, activityWebhookUpdated)))
	return s.saved(success(s.showWebhook(h)))
}

// change takes up the fields of a body. Deliveries under way keep the headers that they
// began with, so the map is made anew.
func (w *webhook) change(fields map[string]any, how HeadersPatch) {
	for name, into := range map[string]*string{
		"target_hook_url": &w.URL, "name": &w.Name, "event_type": &w.EventType, "campaign": &w.Campaign,
	} {
		if _, given := fields[name]; given {
			*into = textIn(fields, name)
		}
	}
	if number, given := fields["custom_interest_value"]; given {
		w.CustomInterest = nil
		if n, ok := number.(float64); ok {
			w.CustomInterest = &n
		}
	}
	given, sent := fields["headers"]
	if !sent {
		return
	}
	headers := map[string]secret.Value{}
	if how == HeadersMerged && given != nil {
		maps.Copy(headers, w.Headers)
	}
	texts, _ := given.(map[string]any)
	for name, text := range texts {
		headers[name] = secret.New(text.(string)) // isHeaders has seen to it
	}
	w.Headers = headers
}

// deleteWebhook answers DELETE /webhooks/{id}. No published activity of the audit log is
// about that.
func deleteWebhook(s *Server, c *call, h *webhook) reply {
	if c.body != nil {
		return failure(http.StatusBadRequest, "body must be null")
	}
	c.workspace.forget(h)
	return s.saved(success(s.showWebhook(h)))
}

func (w *workspace) forget(h *webhook) {
	w.webhooks = slices.DeleteFunc(w.webhooks, func(other *webhook) bool { return other == h })
}

// resumeWebhook answers POST /webhooks/{id}/resume; what it answers is undocumented.
func resumeWebhook(s *Server, c *call, h *webhook) reply {
	h.Disabled, h.failures = time.Time{}, 0
	c.workspace.log(entryAbout(h.ID, entryByKey(c, activityWebhookResumed)))
	return s.saved(success(s.showWebhook(h)))
}

// entryAbout has an entry name a webhook.
func entryAbout(webhookID string, e auditEntry) auditEntry {
	e.WebhookID = &webhookID
	return e
}

// Webhooks gives the webhooks of a workspace; nil for an unknown one.
func (s *Server) Webhooks(workspaceID string) []Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.registry.byID[workspaceID]
	if !ok {
		return nil
	}
	var hooks []Webhook
	for _, h := range w.webhooks {
		hooks = append(hooks, h.clone())
	}
	return hooks
}

// AddWebhook creates a webhook by hand, as the workspace's owner does in the vendor's web
// application. ID and Created are made up if empty. An unknown workspace is ErrNotFound.
func (s *Server) AddWebhook(workspaceID string, h Webhook) (Webhook, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.registry.byID[workspaceID]
	if !ok {
		return Webhook{}, fmt.Errorf("add webhook to workspace %s: %w", workspaceID, ErrNotFound)
	}
	now := s.now()
	if h.ID == "" {
		h.ID = newID(now)
	}
	if h.Created.IsZero() {
		h.Created = now
	}
	h.WorkspaceID = workspaceID
	w.webhooks = append(w.webhooks, &webhook{Webhook: h.clone()})
	w.log(entryAbout(h.ID, entryByHand(w, now, activityWebhookCreated)))
	return h, s.save()
}

// ChangeWebhook changes a webhook by hand. An unknown one is ErrNotFound.
func (s *Server) ChangeWebhook(id string, change func(*Webhook)) error {
	return s.withWebhook(id, func(w *workspace, h *webhook) {
		changed := h.clone()
		change(&changed)
		h.Webhook = changed
		w.log(entryAbout(id, entryByHand(w, s.now(), activityWebhookUpdated)))
	})
}

// DeleteWebhook deletes a webhook by hand. An unknown one is ErrNotFound.
func (s *Server) DeleteWebhook(id string) error {
	return s.withWebhook(id, func(w *workspace, h *webhook) { w.forget(h) })
}

func (s *Server) withWebhook(id string, change func(*workspace, *webhook)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, h := s.registry.webhook(id)
	if h == nil {
		return fmt.Errorf("webhook %s: %w", id, ErrNotFound)
	}
	change(w, h)
	return s.save()
}

// webhook finds a webhook; nil if there is none.
func (g *registry) webhook(id string) (*workspace, *webhook) {
	for _, w := range g.workspaces {
		for _, h := range w.webhooks {
			if h.ID == id {
				return w, h
			}
		}
	}
	return nil, nil
}
