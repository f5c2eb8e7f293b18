package instantly

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// WebhookEvent is an attempt to deliver an event to a webhook (schema WebhookEvent of
// the vendor's OpenAPI file). What was sent, and what was said about it, is left
// out: it has people's data in it, and may have secrets.
type WebhookEvent struct {
	ID           string    // empty if it cannot be one
	At           time.Time // zero if it was not readable
	Organization string
	// URL that it was sent to: all that says which webhook it was. See [Webhook.URL].
	URL     string
	Success bool
	// Status is what the receiver answered; 0 if nothing, or if the API does not say.
	Status int
	// Retries before this attempt, and whether another one follows, when.
	Retries   int
	WillRetry bool
	NextRetry time.Time // zero if the API does not say
	// Group is what an attempt and its retries have in common; may be empty.
	Group string
	Took  time.Duration
}

// WebhookEventQuery narrows a reading of deliveries. The zero value reads all.
type WebhookEventQuery struct {
	// Since and Until bound the time of the attempts, both inclusive; zero means
	// open. Those without a readable time are always given.
	Since, Until time.Time
	// FailedOnly leaves out the attempts that succeeded.
	FailedOnly bool
}

// WebhookEvents lists attempts to deliver events, in the API's order, which is not
// documented; one that several pages show is given once. It is all pages or an
// error; but where all that was seen is newest first, what is older than q.Since is not
// read: a busy webhook has more pages than the rate limit allows for. Needs
// webhook_events:read.
func (c *Client) WebhookEvents(ctx context.Context, q WebhookEventQuery) ([]WebhookEvent, error) {
	r := request{op: "list webhook events", method: http.MethodGet, route: "/webhook-events", query: q.values()}
	answers, err := listUntil(ctx, c, r, itemsPerPage, onlyOlder(q.Since))
	if err != nil {
		return nil, err
	}
	events := make([]WebhookEvent, 0, len(answers))
	seen := make(map[string]bool, len(answers))
	for _, a := range answers {
		e := a.toEvent()
		if q.wants(e) && (e.ID == "" || !seen[e.ID]) {
			events = append(events, e)
		}
		seen[e.ID] = true
	}
	return events, nil
}

// onlyOlder tells, page after page, whether what follows is older than since, as far as
// the order shows: times fell, none rose, and none could not be read.
func onlyOlder(since time.Time) func([]webhookEventAnswer) bool {
	var last time.Time
	fell, ordered := false, true
	return func(page []webhookEventAnswer) bool {
		for _, e := range page {
			ordered = ordered && !e.At.IsZero() && (last.IsZero() || !e.At.After(last))
			fell = fell || e.At.Before(last)
			last = e.At.Time
		}
		return fell && ordered && last.Before(since)
	}
}

func (q WebhookEventQuery) values() url.Values {
	v := url.Values{}
	setDays(v, "from", q.Since, "to", q.Until)
	if q.FailedOnly {
		v.Set("success", "false")
	}
	return v
}

func (q WebhookEventQuery) wants(e WebhookEvent) bool {
	return (!q.FailedOnly || !e.Success) && within(e.At, q.Since, q.Until)
}

type webhookEventAnswer struct {
	ID           string      `json:"id"`
	At           lenientTime `json:"timestamp_created"`
	Organization string      `json:"organization_id"`
	URL          string      `json:"webhook_url"`
	Success      bool        `json:"success"`
	Status       float64     `json:"status_code"`
	Retries      float64     `json:"retry_count"`
	WillRetry    bool        `json:"will_retry"`
	NextRetry    lenientTime `json:"timestamp_next_retry"`
	Group        string      `json:"retry_group_id"`
	Took         float64     `json:"response_time_ms"`
}

func (a webhookEventAnswer) toEvent() WebhookEvent {
	return WebhookEvent{
		ID: idOrNone(a.ID), At: a.At.Time, Organization: a.Organization, URL: a.URL, Success: a.Success,
		Status: countOf(a.Status), Retries: countOf(a.Retries), WillRetry: a.WillRetry,
		NextRetry: a.NextRetry.Time, Group: a.Group, Took: milliseconds(a.Took),
	}
}
