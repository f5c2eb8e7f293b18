package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// KeyForm says how much of a key's value an answer shows.
type KeyForm string

// The forms. What lists and deletions really show is undocumented: the OpenAPI
// file has the value in them, the vendor's quickstart says it is shown once.
const (
	KeyFull   KeyForm = "full"
	KeyMasked KeyForm = "masked"
	KeyEmpty  KeyForm = "empty"
)

// DeleteBody says what the answer to a deletion carries.
type DeleteBody string

// The object is what the OpenAPI file says; the vendor's own clients take an
// empty body as well.
const (
	DeleteObject DeleteBody = "object"
	DeleteEmpty  DeleteBody = "empty"
)

// ListOrder of the API keys; undocumented.
type ListOrder string

// The two orders that a list by position can have.
const (
	OldestFirst ListOrder = "oldest"
	NewestFirst ListOrder = "newest"
)

// AuditState says what there is of the audit log.
type AuditState string

// The states. What a plan without an audit log answers is undocumented: of the errors
// of that call 402 is the one about plans.
const (
	AuditFull    AuditState = "full"
	AuditEmpty   AuditState = "empty"
	AuditRefused AuditState = "refused"
)

// HeadersPatch says what becomes of a webhook's headers that a PATCH leaves out.
type HeadersPatch string

// Either is undocumented.
const (
	HeadersReplaced HeadersPatch = "replace"
	HeadersMerged   HeadersPatch = "merge"
)

// OtherID for Faults.CreateAnswerID: a new one for each create.
const OtherID = "other"

// Faults are switches that hold until they are set anew. The zero Faults are
// the sandbox at its best behaviour. In JSON durations are text as in "1.5s".
type Faults struct {
	// LostCreateResponse drops the connection after a key was created.
	LostCreateResponse bool `json:"lost_create_response"`
	// CreateAnswerID is the id that the answer to a create gives, while the key
	// list has the true one; [OtherID] makes one up each time. Empty: the true
	// one. That both are the same is documented, but only the answer to a create
	// has a key's id beside its value.
	CreateAnswerID string `json:"create_answer_id"`
	// ErrorInSuccess answers 200 with {"error": "ACC_…"} to every call that would
	// succeed, which then has no effect. The vendor does so on some operations.
	ErrorInSuccess bool `json:"error_in_success"`
	// ActivationDelay is how long a key answers 401 after it was created.
	ActivationDelay time.Duration `json:"-"`
	// RevocationDelay is how long a key works on after it was deleted.
	RevocationDelay time.Duration `json:"-"`
	// ListKey is the form of the value in lists and deletions; KeyFull if
	// empty, which is the worse case for leaks.
	ListKey KeyForm `json:"list_key"`
	// ListOrder of the API keys; OldestFirst if empty.
	ListOrder ListOrder `json:"list_order"`
	// DeleteBody of a deletion that succeeded; DeleteObject if empty.
	DeleteBody DeleteBody `json:"delete_body"`
	// DeleteNotFound answers 404 to every deletion and deletes nothing. (For a
	// deletion that happens and is answered 404, inject a Rule.)
	DeleteNotFound bool `json:"delete_not_found"`
	// PlanLapsed answers 402 to every key that is alive.
	PlanLapsed bool `json:"plan_lapsed"`
	// Unavailable answers 503 to everything.
	Unavailable bool `json:"unavailable"`
	// RateLimited answers 429 to every key that is alive.
	RateLimited bool `json:"rate_limited"`
	// RetryAfter is sent with every 429, in seconds rounded up; without it they
	// have no Retry-After header. The vendor documents none for these calls.
	RetryAfter time.Duration `json:"-"`
	// EdgeBlock answers 403 "error code: 1010" as Cloudflare does, to everything.
	EdgeBlock bool `json:"edge_block"`
	// Truncate closes the connection in the middle of every body.
	Truncate bool `json:"truncate"`
	// Latency of every call.
	Latency time.Duration `json:"-"`
	// CursorOnLastPage gives the last page that has items a cursor, too.
	CursorOnLastPage bool `json:"cursor_on_last_page"`
	// RepeatCursor gives the second page the cursor that it was asked with, so
	// that it comes again and again.
	RepeatCursor bool `json:"repeat_cursor"`
	// EndlessList gives every page of the API keys one key that is not there, and
	// a new cursor.
	EndlessList bool `json:"endless_list"`
	// PageSize of lists that are asked for without a limit, 1 to 100; 10 if 0.
	PageSize int `json:"page_size"`
	// StrictScopes refuses to create a key with a scope that is not in the enum
	// of the OpenAPI file. Whether the vendor does is undocumented: two scopes
	// that operations ask for are not in it.
	StrictScopes bool `json:"strict_scopes"`
	// IgnoreAsWorkspace takes no notice of the header x-as-workspace: that it
	// works for API keys follows from the documents, but nobody has shown it.
	IgnoreAsWorkspace bool `json:"ignore_as_workspace"`
	// DeadKeyText is what a key that is not known, or no longer, is told beside 401;
	// undocumented. Empty: a text of the sandbox's own.
	DeadKeyText string `json:"dead_key_text"`
	// AnyAgent lets the default User-Agents of libraries in. That they are blocked is
	// what a comment of the vendor's says, and not which.
	AnyAgent bool `json:"any_agent"`
	// LongestName is how many characters a key's name may have; 0: any number. None is
	// documented.
	LongestName int `json:"longest_name"`
	// RateLimitHeaders says with every answer to a key what is left of the minute's
	// budget. The vendor documents none, but public client code reads them.
	RateLimitHeaders bool `json:"rate_limit_headers"`
	// AuditLog is whether the plan has an audit log; AuditFull if empty. It is written
	// in any case.
	AuditLog AuditState `json:"audit_log"`
	// PatchHeaders is what a PATCH does to a webhook's headers; HeadersReplaced if empty.
	PatchHeaders HeadersPatch `json:"patch_headers"`
	// WebhookHeaders is the form of their values in answers; KeyFull if empty.
	WebhookHeaders KeyForm `json:"webhook_headers"`
	// DisableAfter is how many deliveries in a row a webhook may fail, retries included,
	// before it is disabled; 0 is any number.
	DisableAfter int `json:"disable_after"`
	// DeliveryDelay is how long events wait before they are delivered.
	DeliveryDelay time.Duration `json:"-"`
	// RetryWithin is the time for the three retries of a delivery; 30 s if zero.
	RetryWithin time.Duration `json:"-"`
}

// withDefaults puts the names of the defaults in for what was left empty.
func (f Faults) withDefaults() Faults {
	if f.ListKey == "" {
		f.ListKey = KeyFull
	}
	if f.ListOrder == "" {
		f.ListOrder = OldestFirst
	}
	if f.DeleteBody == "" {
		f.DeleteBody = DeleteObject
	}
	f.AuditLog = cmp.Or(f.AuditLog, AuditFull)
	f.PatchHeaders = cmp.Or(f.PatchHeaders, HeadersReplaced)
	f.WebhookHeaders = cmp.Or(f.WebhookHeaders, KeyFull)
	f.RetryWithin = cmp.Or(f.RetryWithin, 30*time.Second)
	if f.PageSize == 0 {
		f.PageSize = 10
	}
	return f
}

// Check tells everything that is wrong with the faults; nil if nothing is.
func (f Faults) Check() error {
	f = f.withDefaults()
	var wrong []error
	if f.ListKey != KeyFull && f.ListKey != KeyMasked && f.ListKey != KeyEmpty {
		wrong = append(wrong, fmt.Errorf("list_key is %q: full, masked or empty", f.ListKey))
	}
	if f.ListOrder != OldestFirst && f.ListOrder != NewestFirst {
		wrong = append(wrong, fmt.Errorf("list_order is %q: oldest or newest", f.ListOrder))
	}
	if f.DeleteBody != DeleteObject && f.DeleteBody != DeleteEmpty {
		wrong = append(wrong, fmt.Errorf("delete_body is %q: object or empty", f.DeleteBody))
	}
	if f.AuditLog != AuditFull && f.AuditLog != AuditEmpty && f.AuditLog != AuditRefused {
		wrong = append(wrong, fmt.Errorf("audit_log is %q: full, empty or refused", f.AuditLog))
	}
	if f.PatchHeaders != HeadersReplaced && f.PatchHeaders != HeadersMerged {
		wrong = append(wrong, fmt.Errorf("patch_headers is %q: replace or merge", f.PatchHeaders))
	}
	if f.WebhookHeaders != KeyFull && f.WebhookHeaders != KeyMasked && f.WebhookHeaders != KeyEmpty {
		wrong = append(wrong, fmt.Errorf("webhook_headers is %q: full, masked or empty", f.WebhookHeaders))
	}
	if f.DisableAfter < 0 {
		wrong = append(wrong, fmt.Errorf("disable_after is %d: 0 for never", f.DisableAfter))
	}
	if f.PageSize < 1 || f.PageSize > 100 {
		wrong = append(wrong, fmt.Errorf("page_size is %d: 1 to 100", f.PageSize))
	}
	if f.LongestName < 0 {
		wrong = append(wrong, fmt.Errorf("longest_name is %d: 0 for any length", f.LongestName))
	}
	if min(f.ActivationDelay, f.RevocationDelay, f.RetryAfter, f.Latency, f.DeliveryDelay, f.RetryWithin) < 0 {
		wrong = append(wrong, errors.New("activation_delay, revocation_delay, retry_after, latency, delivery_delay and retry_within cannot be negative"))
	}
	return errors.Join(wrong...)
}

// plainFaults are Faults without methods; faultsJSON adds the durations as text.
type plainFaults Faults

type faultsJSON struct {
	plainFaults
	ActivationDelay durationText `json:"activation_delay"`
	RevocationDelay durationText `json:"revocation_delay"`
	RetryAfter      durationText `json:"retry_after"`
	Latency         durationText `json:"latency"`
	DeliveryDelay   durationText `json:"delivery_delay"`
	RetryWithin     durationText `json:"retry_within"`
}

// MarshalJSON implements [json.Marshaler].
func (f Faults) MarshalJSON() ([]byte, error) {
	return json.Marshal(faultsJSON{
		plainFaults:     plainFaults(f),
		ActivationDelay: durationText(f.ActivationDelay),
		RevocationDelay: durationText(f.RevocationDelay),
		RetryAfter:      durationText(f.RetryAfter),
		Latency:         durationText(f.Latency),
		DeliveryDelay:   durationText(f.DeliveryDelay),
		RetryWithin:     durationText(f.RetryWithin),
	})
}

// UnmarshalJSON implements [json.Unmarshaler]. It refuses unknown fields; those
// that are absent are off.
func (f *Faults) UnmarshalJSON(text []byte) error {
	var read faultsJSON
	if err := decodeStrictly(text, &read); err != nil {
		return fmt.Errorf("read faults: %w", err)
	}
	*f = Faults(read.plainFaults)
	f.ActivationDelay = time.Duration(read.ActivationDelay)
	f.RevocationDelay = time.Duration(read.RevocationDelay)
	f.RetryAfter = time.Duration(read.RetryAfter)
	f.Latency = time.Duration(read.Latency)
	f.DeliveryDelay = time.Duration(read.DeliveryDelay)
	f.RetryWithin = time.Duration(read.RetryWithin)
	return nil
}

// durationText is a duration that is text in JSON.
type durationText time.Duration

func (d durationText) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

func (d *durationText) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	*d = durationText(read)
	return err
}

// decodeStrictly reads one JSON value and refuses fields that into does not have.
func decodeStrictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.More() {
		return errors.New("there is more than one JSON value")
	}
	return nil
}
