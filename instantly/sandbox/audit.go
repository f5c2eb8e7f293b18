package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// auditEntry is an entry as the API shows it (schema AuditLog of the OpenAPI
// file). Whether audit_metadata would name the key that was created or deleted
// is undocumented; the sandbox leaves it out.
type auditEntry struct {
	ID             string    `json:"id"`
	Timestamp      timestamp `json:"timestamp"`
	OrganizationID string    `json:"organization_id"`
	ActivityType   int       `json:"activity_type"`
	IPAddress      string    `json:"ip_address"`
	UserAgent      string    `json:"user_agent"`
	FromAPI        bool      `json:"from_api"`
	APIKeyID       *string   `json:"api_key_id"` // of the key that acted
	UserID         *string   `json:"user_id"`
	UserName       *string   `json:"user_name"`

	AffectedCount *int           `json:"affected_count,omitempty"`
	CampaignID    *string        `json:"campaign_id,omitempty"`
	WebhookID     *string        `json:"webhook_id,omitempty"`
	SubsequenceID *string        `json:"subsequence_id,omitempty"`
	ListID        *string        `json:"list_id,omitempty"`
	Metadata      map[string]any `json:"audit_metadata,omitempty"`
}

// timestamp is a time as the API writes it: UTC with milliseconds.
type timestamp struct{ time.Time }

// MarshalJSON implements [json.Marshaler].
func (t timestamp) MarshalJSON() ([]byte, error) {
	return []byte(t.UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// entryByKey is the entry for what a call did.
func entryByKey(c *call, activity int) auditEntry {
	return auditEntry{
		ID: newID(c.now), Timestamp: timestamp{c.now}, OrganizationID: c.workspace.ID,
		ActivityType: activity, IPAddress: c.ip, UserAgent: c.userAgent,
		FromAPI: true, APIKeyID: &c.actor.ID,
	}
}

// entryByHand is the entry for what the owner did in the web application.
func entryByHand(w *workspace, now time.Time, activity int) auditEntry {
	return auditEntry{
		ID: newID(now), Timestamp: timestamp{now}, OrganizationID: w.ID,
		ActivityType: activity, IPAddress: "127.0.0.1", UserAgent: "Mozilla/5.0",
		UserID: &w.owner.UserID, UserName: &w.owner.Email,
	}
}

// auditFilter is what a call wants to see of the log.
type auditFilter struct {
	activity int // any if 0
	from     time.Time
	until    time.Time // exclusive; no end if zero
	search   string    // lower case
}

func (f auditFilter) keeps(e auditEntry) bool {
	return (f.activity == 0 || e.ActivityType == f.activity) &&
		!e.Timestamp.Before(f.from) &&
		(f.until.IsZero() || e.Timestamp.Before(f.until)) &&
		(f.search == "" || strings.Contains(searchText(e), f.search))
}

// searchText is what the parameter search reads; undocumented.
func searchText(e auditEntry) string {
	text := activityText(e.ActivityType)
	if e.UserName != nil {
		text += " " + *e.UserName
	}
	return strings.ToLower(text + " " + e.UserAgent)
}

// readAuditFilter reads the query parameters activity_type, start_date, end_date
// and search. The two dates may be a day or a full time: the documents show
// both. A day as end_date is included to its end; undocumented.
func readAuditFilter(c *call) (f auditFilter, wrong string) {
	if text := c.query.Get("activity_type"); text != "" {
		activity, err := strconv.Atoi(text)
		if err != nil {
			return f, "querystring/activity_type must be number"
		}
		f.activity = activity
	}
	if text := c.query.Get("start_date"); text != "" {
		at, _, err := readDate(text)
		if err != nil {
			return f, "querystring/start_date must be a date"
		}
		f.from = at
	}
	if text := c.query.Get("end_date"); text != "" {
		at, isDay, err := readDate(text)
		if err != nil {
			return f, "querystring/end_date must be a date"
		}
		f.until = at.Add(time.Millisecond) // timestamps have milliseconds
		if isDay {
			f.until = at.AddDate(0, 0, 1)
		}
	}
	f.search = strings.ToLower(c.query.Get("search"))
	return f, ""
}

func readDate(text string) (at time.Time, isDay bool, err error) {
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, true, nil
	}
	at, err = time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read date: %w", err)
	}
	return at, false, nil
}

// listAudit answers GET /audit-logs, newest first; the order is undocumented.
func listAudit(s *Server, c *call) reply {
	if s.faults.AuditLog == AuditRefused {
		return failure(http.StatusPaymentRequired, "Your plan does not include audit logs")
	}
	limit, wrong := readLimit(c.query, s.faults.PageSize, 1000)
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	filter, wrong := readAuditFilter(c)
	if wrong != "" {
		return failure(http.StatusBadRequest, wrong)
	}
	if s.faults.AuditLog == AuditEmpty {
		return success(listBody{Items: []auditEntry{}})
	}
	asked := c.query.Get("starting_after")
	w := walk{after: -1, limit: limit, newest: true}
	if asked != "" {
		seq, known := c.workspace.auditSeq[asked]
		if !known {
			return success(listBody{Items: []auditEntry{}})
		}
		w.after = seq
	}
	seqOf := func(e auditEntry) int { return c.workspace.auditSeq[e.ID] }
	page, more := pageOf(c.workspace.audit, seqOf, filter.keeps, w)
	last := ""
	if len(page) > 0 {
		last = page[len(page)-1].ID
	}
	return success(listBody{Items: page, Next: nextCursor(last, more, asked, s.faults)})
}
