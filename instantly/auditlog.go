package instantly

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// ErrNoAuditLog: the workspace's plan has no audit log, or does not let this key
// read it. The vendor documents 402 and 404 for the call, and 403 for what a
// plan lacks; which one it is here is not documented. A log that is empty may mean
// the same.
var ErrNoAuditLog = errors.New("no audit log to read")

// AuditLog is one entry of the workspace's audit log. The log has changes only:
// that a key is absent from it does not mean that nobody uses it.
type AuditLog struct {
	ID       string    // empty if it cannot be one
	At       time.Time // zero if it was not readable
	Activity Activity
	FromAPI  bool
	// KeyID is the key that performed the action, where the API knows it. The
	// key that was created or deleted is not documented to be named: see Mentions.
	KeyID        string
	UserID       string
	UserName     string
	UserAgent    string
	IP           string
	Organization string
	// What was affected, and how many of it; empty and 0 where the API does not say.
	Affected      int
	CampaignID    string
	WebhookID     string
	SubsequenceID string
	ListID        string
	// Metadata are the texts in audit_metadata. What else than ids is there is not
	// documented, so they are not for show.
	Metadata []secret.Value
}

// Mentions tells whether the entry's metadata has that id in it. That it does
// not proves nothing.
func (l AuditLog) Mentions(id string) bool {
	wanted := secret.New(id)
	for _, text := range l.Metadata {
		if text.Equal(wanted) {
			return true
		}
	}
	return false
}

// AuditQuery narrows a reading of the audit log. The zero value reads it all.
type AuditQuery struct {
	// Since and Until bound the time of the entries, both inclusive; zero means
	// open. Entries without a readable time are always given.
	Since, Until time.Time
	// Activity, if not 0, is the only one wanted.
	Activity Activity
}

// auditLogsPerPage is the most that the vendor's OpenAPI file allows.
const auditLogsPerPage = 1000

// AuditLogs reads the audit log, in the API's order, which is not documented; an
// entry that several pages show is given once. It is all pages or an error, and
// [ErrNoAuditLog] where there is no log. Needs audit_logs:read.
func (c *Client) AuditLogs(ctx context.Context, q AuditQuery) ([]AuditLog, error) {
	r := request{op: "read the audit log", method: http.MethodGet, route: "/audit-logs", query: q.values()}
	answers, err := listAll[auditAnswer](ctx, c, r, auditLogsPerPage)
	if err != nil {
		return nil, withNoAuditLog(err)
	}
	logs := make([]AuditLog, 0, len(answers))
	seen := make(map[string]bool, len(answers))
	for _, a := range answers {
		l := a.toAuditLog()
		if q.wants(l) && (l.ID == "" || !seen[l.ID]) {
			logs = append(logs, l)
		}
		seen[l.ID] = true
	}
	return logs, nil
}

// withNoAuditLog adds ErrNoAuditLog to the refusals that may mean it.
func withNoAuditLog(err error) error {
	var e *Error
	if errors.As(err, &e) && (errors.Is(err, ErrPlan) || errors.Is(err, ErrForbidden) || errors.Is(err, ErrNotFound)) {
		return e.as(ErrNoAuditLog)
	}
	return err
}

// values asks by whole days.
func (q AuditQuery) values() url.Values {
	v := url.Values{}
	setDays(v, "start_date", q.Since, "end_date", q.Until)
	if q.Activity != 0 {
		v.Set("activity_type", strconv.Itoa(int(q.Activity)))
	}
	return v
}

// setDays asks for a span of time by whole days, a form that the documents show, and
// for a day more on either side: time zone and inclusiveness are not documented.
// Whoever asks so leaves out by itself what is outside of the span.
func setDays(v url.Values, from string, since time.Time, to string, until time.Time) {
	if !since.IsZero() {
		v.Set(from, since.UTC().AddDate(0, 0, -1).Format(time.DateOnly))
	}
	if !until.IsZero() {
		v.Set(to, until.UTC().AddDate(0, 0, 2).Format(time.DateOnly))
	}
}

func (q AuditQuery) wants(l AuditLog) bool {
	return (q.Activity == 0 || l.Activity == q.Activity) && within(l.At, q.Since, q.Until)
}

// within tells whether at lies between the two, which are open if zero. A time that
// could not be read lies everywhere.
func within(at, since, until time.Time) bool {
	return at.IsZero() || !at.Before(since) && (until.IsZero() || !at.After(until))
}

// auditAnswer is the schema AuditLog of the vendor's OpenAPI file, where
// numbers are of JSON's one kind.
type auditAnswer struct {
	ID            string       `json:"id"`
	At            lenientTime  `json:"timestamp"`
	Activity      float64      `json:"activity_type"`
	FromAPI       bool         `json:"from_api"`
	KeyID         string       `json:"api_key_id"`
	UserID        string       `json:"user_id"`
	UserName      string       `json:"user_name"`
	UserAgent     string       `json:"user_agent"`
	IP            string       `json:"ip_address"`
	Organization  string       `json:"organization_id"`
	Affected      float64      `json:"affected_count"`
	CampaignID    string       `json:"campaign_id"`
	WebhookID     string       `json:"webhook_id"`
	SubsequenceID string       `json:"subsequence_id"`
	ListID        string       `json:"list_id"`
	Metadata      lenientTexts `json:"audit_metadata"`
}

func (a auditAnswer) toAuditLog() AuditLog {
	return AuditLog{
		ID: idOrNone(a.ID), At: a.At.Time, Activity: Activity(countOf(a.Activity)), FromAPI: a.FromAPI,
		KeyID: a.KeyID, UserID: a.UserID, UserName: a.UserName, UserAgent: a.UserAgent,
		IP: a.IP, Organization: a.Organization, Affected: countOf(a.Affected),
		CampaignID: a.CampaignID, WebhookID: a.WebhookID, SubsequenceID: a.SubsequenceID,
		ListID: a.ListID, Metadata: a.Metadata,
	}
}

// lenientTexts are all texts in a JSON value of any shape, secrets from their first
// moment on.
type lenientTexts []secret.Value

// UnmarshalJSON implements json.Unmarshaler.
func (l *lenientTexts) UnmarshalJSON(b []byte) error {
	var value any
	if json.Unmarshal(b, &value) == nil {
		l.collect(value)
	}
	return nil
}

func (l *lenientTexts) collect(value any) {
	switch v := value.(type) {
	case string:
		*l = append(*l, secret.New(v))
	case []any:
		for _, item := range v {
			l.collect(item)
		}
	case map[string]any:
		for _, item := range v {
			l.collect(item)
		}
	}
}
