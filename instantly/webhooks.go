package instantly

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	routeWebhooks      = "/webhooks"
	routeWebhook       = routeWebhooks + "/" + placeholder
	routeWebhookTest   = routeWebhook + "/test"
	routeWebhookResume = routeWebhook + "/resume"
)

// WebhookStatus is whether a webhook is delivered to. Expect other numbers than these.
type WebhookStatus int

const (
	// WebhookStatusUnknown: the API did not say.
	WebhookStatusUnknown WebhookStatus = 0
	// WebhookActive: events are delivered.
	WebhookActive WebhookStatus = 1
	// WebhookDisabled: the vendor has given up after deliveries that failed.
	WebhookDisabled WebhookStatus = -1
)

// Webhook is where the workspace's events are delivered to (schema Webhook of the
// vendor's OpenAPI file). Nothing signs a delivery: the only thing that
// authenticates it is what Headers has.
type Webhook struct {
	ID           string
	Organization string
	Name         string // may be empty
	// URL that events are posted to. It may have secrets in its path and query: show
	// Origin.
	URL string
	// EventType is what it is for, "all_events" for everything; empty for the events of
	// a label of the workspace's own.
	EventType string
	// Campaign that it is limited to; empty for all.
	Campaign string
	// Headers that deliveries carry, all of them. Every value is a secret, since
	// which one is cannot be told; whether the API shows them in full is not documented.
	Headers map[string]secret.Value
	Status  WebhookStatus
	Created time.Time
	// Failed is when it was disabled; zero if it is not.
	Failed time.Time
}

// Origin is scheme and host of the URL, which are safe to show; empty if it has none.
func (w Webhook) Origin() string {
	u, err := url.Parse(w.URL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Webhooks lists all webhooks of the workspace. It is all pages or an error: a list
// with one id that cannot be an id, or with a header whose value is not a text, is
// unreadable as a whole. Needs webhooks:read, as far as is known.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	r := request{op: "list webhooks", method: http.MethodGet, route: routeWebhooks}
	answers, err := listAll[webhookAnswer](ctx, c, r, itemsPerPage)
	if err != nil {
		return nil, err
	}
	webhooks := make([]Webhook, 0, len(answers))
	seen := make(map[string]bool, len(answers))
	for _, w := range answers {
		if !isID(w.ID) {
			return nil, malformed(r.op, http.StatusOK, "a webhook without an id, or with none that can be one")
		}
		if !seen[w.ID] {
			webhooks = append(webhooks, w.toWebhook())
		}
		seen[w.ID] = true
	}
	return webhooks, nil
}

// Webhook gives the webhook with that id; ErrNotFound if there is none. Needs
// webhooks:read.
func (c *Client) Webhook(ctx context.Context, id string) (Webhook, error) {
	r := request{op: "read webhook " + id, method: http.MethodGet, route: routeWebhook, value: id}
	if err := checkWebhookID(r.op, id); err != nil {
		return Webhook{}, err
	}
	got, err := c.withRetries(ctx, c.admin(r), c.options.RetryBudget)
	if err != nil {
		return Webhook{}, err
	}
	return decodeWebhook(r.op, id, got)
}

// SetWebhookHeaders has deliveries to the webhook carry these headers and no others.
// Whether the API merges or replaces is not documented: give the whole map, those of
// others included, and compare what [Client.Webhook] says afterwards. It is asked for
// once. An error that is ErrOutcomeUnknown leaves open which headers the webhook has.
// Needs webhooks:update.
func (c *Client) SetWebhookHeaders(ctx context.Context, id string, headers map[string]secret.Value) (Webhook, error) {
	r := request{op: "set the headers of webhook " + id, method: http.MethodPatch, route: routeWebhook, value: id}
	if err := checkWebhookID(r.op, id); err != nil {
		return Webhook{}, err
	}
	body, err := headersBody(headers)
	if err != nil {
		return Webhook{}, &Error{Op: r.op, classes: []error{ErrBadRequest}, cause: errors.New("the request cannot be built")}
	}
	r.body, r.confidential = body, valuesOf(headers)
	got, err := c.once(ctx, r)
	if err != nil {
		return Webhook{}, err
	}
	w, err := decodeWebhook(r.op, id, got)
	if err != nil {
		return Webhook{}, withOutcome(err)
	}
	return w, nil
}

// WebhookTest is what became of a test delivery.
type WebhookTest struct {
	// Success as the API has it.
	Success bool
	// Status is what the receiver answered; 0 if nothing, or if the API does not say.
	Status int
	// Message and Problem are the API's words: printable, at most 200 characters
	// each, known secrets cut out. Often empty.
	Message, Problem string
	Took             time.Duration
}

// TestWebhook has the API send a test delivery to w, once, with the headers that the
// webhook has there; those in w are cut out of texts. A receiver that refuses it is no
// error. An error that is ErrOutcomeUnknown leaves open whether it was sent. Needs
// webhooks:update, or less: no scope is documented.
func (c *Client) TestWebhook(ctx context.Context, w Webhook) (WebhookTest, error) {
	r := request{
		op: "test webhook " + w.ID, method: http.MethodPost, route: routeWebhookTest, value: w.ID,
		namesErrors: true, confidential: valuesOf(w.Headers),
	}
	if err := checkWebhookID(r.op, w.ID); err != nil {
		return WebhookTest{}, err
	}
	got, err := c.once(ctx, r)
	if err != nil {
		return WebhookTest{}, err
	}
	test, err := decode[testAnswer](r.op, got)
	if err == nil && test.Success == nil {
		err = malformed(r.op, got.status, "it does not say whether the test succeeded")
	}
	if err != nil {
		return WebhookTest{}, withOutcome(err)
	}
	return test.toTest(c.hiding(r)), nil
}

// ResumeWebhook has a disabled webhook delivered to again. It is asked for once;
// repeating it is harmless. Of what the API answers beside a 2xx only an error is
// heeded: the answer is not documented. Needs webhooks:update, as far as is known.
func (c *Client) ResumeWebhook(ctx context.Context, id string) error {
	r := request{
		op: "resume webhook " + id, method: http.MethodPost, route: routeWebhookResume, value: id,
		ignoreAnswer: true,
	}
	if err := checkWebhookID(r.op, id); err != nil {
		return err
	}
	_, err := c.once(ctx, r)
	return err
}

func checkWebhookID(op, id string) error {
	if isID(id) {
		return nil
	}
	return &Error{Op: op, classes: []error{ErrBadRequest}, cause: errors.New("its id cannot be one")}
}

// decodeWebhook wants the webhook that was asked for.
func decodeWebhook(op, id string, got answer) (Webhook, error) {
	w, err := decode[webhookAnswer](op, got)
	if err != nil {
		return Webhook{}, err
	}
	if w.ID != id {
		return Webhook{}, malformed(op, got.status, "it is not about that webhook")
	}
	return w.toWebhook(), nil
}

// webhookAnswer is the schema Webhook of the vendor's OpenAPI file.
type webhookAnswer struct {
	ID           string        `json:"id"`
	Organization string        `json:"organization"`
	Name         string        `json:"name"`
	URL          string        `json:"target_hook_url"`
	EventType    string        `json:"event_type"`
	Campaign     string        `json:"campaign"`
	Headers      secretHeaders `json:"headers"`
	Status       float64       `json:"status"`
	Created      lenientTime   `json:"timestamp_created"`
	Failed       lenientTime   `json:"timestamp_error"`
}

func (w webhookAnswer) toWebhook() Webhook {
	return Webhook{
		ID: w.ID, Organization: w.Organization, Name: w.Name, URL: w.URL, EventType: w.EventType,
		Campaign: w.Campaign, Headers: w.Headers, Status: webhookStatusOf(w.Status),
		Created: w.Created.Time, Failed: w.Failed.Time,
	}
}

func webhookStatusOf(number float64) WebhookStatus {
	if number < 0 {
		return -WebhookStatus(countOf(-number))
	}
	return WebhookStatus(countOf(number))
}

// testAnswer is what the vendor's OpenAPI file has for a test; no field is required.
type testAnswer struct {
	Success *bool   `json:"success"`
	Message string  `json:"message"`
	Took    float64 `json:"response_time_ms"`
	Status  float64 `json:"status_code"`
	Error   string  `json:"error"`
}

func (t testAnswer) toTest(hide func(string) string) WebhookTest {
	return WebhookTest{
		Success: *t.Success, Status: countOf(t.Status), Took: milliseconds(t.Took),
		Message: presentableText(t.Message, hide), Problem: presentableText(t.Error, hide),
	}
}

// milliseconds reads a duration; 0 if it cannot be one.
func milliseconds(number float64) time.Duration {
	const most = float64(24 * time.Hour / time.Millisecond)
	if number < 0 || number > most {
		return 0
	}
	return time.Duration(number * float64(time.Millisecond))
}

// secretHeaders are header fields, each value a secret from its first moment on. They
// must be whole, since they are sent back whole: a value that is not a text cannot be.
type secretHeaders map[string]secret.Value

// UnmarshalJSON implements json.Unmarshaler.
func (h *secretHeaders) UnmarshalJSON(b []byte) error {
	var texts map[string]*string
	if err := json.Unmarshal(b, &texts); err != nil {
		return err
	}
	if texts == nil {
		return nil
	}
	*h = make(secretHeaders, len(texts))
	for name, text := range texts {
		if text == nil {
			return &json.UnmarshalTypeError{}
		}
		(*h)[name] = secret.New(*text)
	}
	return nil
}

func valuesOf(headers map[string]secret.Value) []secret.Value {
	values := make([]secret.Value, 0, len(headers))
	for _, v := range headers {
		values = append(values, v)
	}
	return values
}
