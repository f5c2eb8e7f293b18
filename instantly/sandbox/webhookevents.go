package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// keptEvents and storedEvents bound the log of deliveries of a workspace, in memory and
// in the state file.
const (
	keptEvents   = 5000
	storedEvents = 500
)

// eventBody is the schema WebhookEvent of the OpenAPI file: one attempt to deliver.
type eventBody struct {
	ID              string         `json:"id"`
	Created         timestamp      `json:"timestamp_created"`
	CreatedDate     string         `json:"timestamp_created_date"`
	OrganizationID  string         `json:"organization_id"`
	Payload         map[string]any `json:"payload"`
	Success         bool           `json:"success"`
	RetryCount      int            `json:"retry_count"`
	WillRetry       bool           `json:"will_retry"`
	URL             string         `json:"webhook_url"`
	StatusCode      *int           `json:"status_code"`
	ErrorMessage    *string        `json:"error_message"`
	NextRetry       *timestamp     `json:"timestamp_next_retry"`
	Group           *string        `json:"retry_group_id"`
	RetrySuccessful *bool          `json:"retry_successful"`
	LeadEmail       *string        `json:"lead_email"`
	ResponseTimeMS  int64          `json:"response_time_ms"`

	seq int
}

func eventOf(d delivery, retry int, o outcome, now time.Time, wait time.Duration, more bool) eventBody {
	e := eventBody{
		ID: newID(now), Created: timestamp{now}, CreatedDate: now.UTC().Format(time.DateOnly),
		OrganizationID: d.workspace.ID, Payload: d.payload, Success: o.success(), RetryCount: retry,
		WillRetry: more, URL: d.url, ErrorMessage: textOrNull(o.problem()), Group: &d.group,
		LeadEmail: textOrNull(d.leadEmail), ResponseTimeMS: o.took.Milliseconds(),
	}
	if o.status != 0 {
		e.StatusCode = &o.status
	}
	if more {
		e.NextRetry = &timestamp{now.Add(wait)}
	}
	if retry > 0 {
		e.RetrySuccessful = &e.Success
	}
	return e
}

// delivered adds an attempt to the workspace's log of deliveries.
func (w *workspace) delivered(e eventBody) {
	if n := len(w.events); n > 0 {
		e.seq = w.events[n-1].seq + 1
	}
	w.events = append(w.events, e)
	if len(w.events) > keptEvents {
		w.events = w.events[len(w.events)-keptEvents:]
	}
}

// newestEvents gives what the state file keeps.
func (w *workspace) newestEvents() []eventBody {
	return w.events[max(0, len(w.events)-storedEvents):]
}

// listEvents answers GET /webhook-events, newest first; the order is undocumented. The
// day to is included; undocumented.
func listEvents(s *Server, c *call) reply {
	limit, wrong := readLimit(c.query, s.faults.PageSize, 100)
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	keep, wrong := readEventFilter(c)
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	asked := c.query.Get("starting_after")
	w := walk{after: -1, limit: limit, newest: true}
	if asked != "" {
		w.after = c.workspace.eventSeq(asked)
		if w.after < 0 {
			return success(listBody{Items: []eventBody{}})
		}
	}
	page, more := pageOf(c.workspace.events, func(e eventBody) int { return e.seq }, keep, w)
	last := ""
	if len(page) > 0 {
		last = page[len(page)-1].ID
	}
	return success(listBody{Items: page, Next: nextCursor(last, more, asked, s.faults)})
}

func (w *workspace) eventSeq(id string) int {
	for _, e := range w.events {
		if e.ID == id {
			return e.seq
		}
	}
	return -1
}

func readEventFilter(c *call) (keep func(eventBody) bool, wrong string) {
	from, to, search := c.query.Get("from"), c.query.Get("to"), strings.ToLower(c.query.Get("search"))
	for name, text := range map[string]string{"from": from, "to": to} {
		if _, err := time.Parse(time.DateOnly, text); text != "" && err != nil {
			return nil, "querystring/" + name + ` must match format "date"`
		}
	}
	success := c.query.Get("success")
	return func(e eventBody) bool {
		lead := ""
		if e.LeadEmail != nil {
			lead = *e.LeadEmail
		}
		return (success == "" || success == strconv.FormatBool(e.Success)) &&
			(from == "" || e.CreatedDate >= from) && (to == "" || e.CreatedDate <= to) &&
			strings.Contains(strings.ToLower(e.URL+" "+lead), search)
	}, ""
}
