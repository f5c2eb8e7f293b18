package sandbox

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// storedWebhook is a webhook in the state file, its headers in the clear.
type storedWebhook struct {
	ID             string            `json:"id"`
	URL            string            `json:"url"`
	Name           string            `json:"name,omitempty"`
	EventType      string            `json:"event_type,omitempty"`
	Campaign       string            `json:"campaign,omitempty"`
	CustomInterest *float64          `json:"custom_interest,omitempty"`
	Headers        map[string]string `json:"headers"`
	Created        time.Time         `json:"created"`
	Disabled       time.Time         `json:"disabled,omitzero"`
	Failures       int               `json:"failures,omitempty"`
}

func (w *webhook) stored() storedWebhook {
	return storedWebhook{
		ID: w.ID, URL: w.URL, Name: w.Name, EventType: w.EventType, Campaign: w.Campaign,
		CustomInterest: w.CustomInterest, Headers: headersText(w.Headers, KeyFull),
		Created: w.Created, Disabled: w.Disabled, Failures: w.failures,
	}
}

func (w storedWebhook) restored(workspaceID string) *webhook {
	headers := make(map[string]secret.Value, len(w.Headers))
	for name, text := range w.Headers {
		headers[name] = secret.New(text)
	}
	return &webhook{failures: w.Failures, Webhook: Webhook{
		ID: w.ID, WorkspaceID: workspaceID, URL: w.URL, Name: w.Name, EventType: w.EventType, Campaign: w.Campaign,
		CustomInterest: w.CustomInterest, Headers: headers, Created: w.Created, Disabled: w.Disabled,
	}}
}
