package instantly

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The classes of failure, to be matched with errors.Is. An error may be of more
// than one: a create that broke off half-way is ErrUnavailable and
// ErrOutcomeUnknown.
var (
	// ErrUnauthorized: the API does not accept the key: a readable 401 that is
	// not "Invalid scope". The vendor's OpenAPI file lists an invalid or missing
	// header and a revoked key as its reasons; the text for a revoked key is
	// not documented.
	ErrUnauthorized = errors.New("key not accepted")
	// ErrScope: the key is alive but lacks a scope: 401 with a message that
	// begins "Invalid scope". Undocumented; seen in several live answers.
	ErrScope = errors.New("key lacks a scope")
	// ErrPlan: the workspace has no active paid plan (402). It says nothing
	// about the key.
	ErrPlan = errors.New("workspace has no active paid plan")
	// ErrBlocked: the content delivery network in front of the API turned the
	// request away (403 that is not the API's own). It says nothing about the key.
	ErrBlocked = errors.New("blocked before reaching the API")
	// ErrForbidden: the API itself answered 403. The vendor documents it for
	// plan limits, and its quickstart for lacking scopes too.
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: the API answered that there is no such thing (404).
	ErrNotFound = errors.New("not found")
	// ErrBadRequest: the API refused the request itself: 400, 413, 422, another
	// 4xx without a class of its own, or a 404 that names the route as unknown.
	ErrBadRequest = errors.New("request refused")
	// ErrRateLimited: 429. Error.RetryAfter has the wait, where it was named.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: no answer, or none in time, or a 5xx (or 408).
	ErrUnavailable = errors.New("API unavailable")
	// ErrMalformed: an answer that cannot be understood: not JSON, truncated,
	// too large, of the wrong type, without what it must have, a success that
	// names an error, a list that does not end.
	ErrMalformed = errors.New("unreadable answer")
	// ErrNoKey: a text that can never be a key, so that no call was made with it.
	ErrNoKey = errors.New("no key at all")
	// ErrOutcomeUnknown: what was asked for, once, may or may not have been done.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrInsecureURL: the base URL would send keys in clear or carries
	// credentials of its own.
	ErrInsecureURL = errors.New("insecure URL")
	// ErrRedirect: the answer points elsewhere (3xx). None is documented, and
	// none is followed: the bearer stays with the host it was meant for.
	ErrRedirect = errors.New("unexpected redirect")
)

// Error is a failed call. Its text has what was tried, the class and, for an
// answer that said why, the API's own words; nothing else of any request or
// answer, and no known secret.
type Error struct {
	// Op is what was tried ("list API keys").
	Op string
	// Status is the HTTP status; 0 if there was no answer.
	Status int
	// Code and Message are the answer's `error` and `message`: printable, at
	// most 200 characters each, known secrets cut out. Often empty.
	Code, Message string
	// RetryAfter is the wait that the answer asked for, 0 to 1 h; 0 if it did
	// not say. Documented by the vendor for one unrelated 429 only.
	RetryAfter time.Duration
	// Required and Found are the scopes that an "Invalid scope" answer named:
	// those it wanted and those the key has. Undocumented, so advice only.
	Required, Found []string

	classes []error
	cause   error
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "instantly: %s: ", e.Op)
	for i, class := range e.classes {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(class.Error())
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if text := e.said(); text != "" {
		fmt.Fprintf(&b, ": %q", text)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %s", e.RetryAfter)
	}
	if e.cause != nil {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	return b.String()
}

// Unwrap gives the classes and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return e.classes
	}
	return slices.Concat(e.classes, []error{e.cause})
}

// said is the API's own reason: the message, or the code where there is none.
func (e *Error) said() string {
	if e.Message != "" {
		return e.Message
	}
	return e.Code
}

// as gives e with one class more.
func (e *Error) as(class error) *Error {
	more := *e
	more.classes = slices.Concat(e.classes, []error{class})
	return &more
}

// malformed is the error for a successful answer that cannot be used. The
// reason is a fixed text: what the answer held may be secret.
func malformed(op string, status int, reason string) *Error {
	return &Error{Op: op, Status: status, classes: []error{ErrMalformed}, cause: errors.New(reason)}
}

// VerdictOf says what the outcome of a call tells about the key it was made
// with. Only a clear answer of the API itself counts; everything else, from a
// 402 to a web page with status 401, is Indeterminate.
func VerdictOf(err error) Verdict {
	switch {
	case err == nil, errors.Is(err, ErrScope):
		return Valid
	case errors.Is(err, ErrUnauthorized):
		return Invalid
	default:
		return Indeterminate
	}
}

// retryable tells whether the same request may do better a little later.
func retryable(err error) bool {
	if errors.Is(err, errUntrusted) || errors.Is(err, errNotSent) || errors.Is(err, errTimedOut) {
		return false
	}
	return errors.Is(err, ErrRateLimited) || errors.Is(err, ErrUnavailable)
}
