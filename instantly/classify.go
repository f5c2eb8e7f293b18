package instantly

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// classify turns an answer that is not a success into an error; nil for a 2xx
// that does not speak of an error itself. What the API says about itself counts only if it reads like the API: a JSON
// object with a reason. hide cuts the known secrets out of a text.
func classify(op string, got answer, hide func(string) string, now time.Time) *Error {
	if isSuccess(got.status) {
		return errorInSuccess(op, got, hide)
	}
	said := readReason(got)
	class := classOf(got, said)
	e := &Error{
		Op:         op,
		Status:     got.status,
		Code:       presentableText(said.code, hide),
		Message:    presentableText(said.message, hide),
		RetryAfter: retryAfter(got.header, now),
		classes:    []error{class},
	}
	if errors.Is(class, ErrScope) {
		e.Required, e.Found = namedScopes(hide(said.text()))
	}
	return e
}

// errorInSuccess is the error for a 2xx that names an error in its body, as some
// of the vendor's operations do ({"error": "ACC_…"}): it says neither that the
// call was done nor that it was refused. No answer that a call of this client wants
// has a field of that name, but for those of request.namesErrors.
func errorInSuccess(op string, got answer, hide func(string) string) *Error {
	var body struct{ Error, Message any }
	if got.broken != nil || !mayNameError(got.body) || json.Unmarshal(got.body, &body) != nil {
		return nil //nolint:nilerr // whoever wants more of the body finds out
	}
	code, isText := body.Error.(string)
	if body.Error == nil || body.Error == false || isText && code == "" {
		return nil
	}
	message, _ := body.Message.(string)
	return &Error{
		Op:      op,
		Status:  got.status,
		Code:    presentableText(code, hide),
		Message: presentableText(message, hide),
		classes: []error{ErrMalformed},
		cause:   errors.New("an error beside a status of success"),
	}
}

// mayNameError tells whether a body has the name "error" somewhere, in whatever spelling
// counts as it: in any case, or escaped. Most answers do not, and need not be read for it.
func mayNameError(body []byte) bool {
	if bytes.IndexByte(body, '\\') >= 0 {
		return true
	}
	for text := range bytes.SplitSeq(body, []byte(`"`)) {
		if bytes.EqualFold(text, []byte("error")) {
			return true
		}
	}
	return false
}

// classOf is the table of statuses.
func classOf(got answer, said reason) error {
	switch {
	case got.status >= 300 && got.status <= 399:
		return ErrRedirect
	case got.status == http.StatusUnauthorized:
		return classOfUnauthorized(got, said)
	case got.status == http.StatusPaymentRequired:
		return ErrPlan
	case got.status == http.StatusForbidden:
		return classOfForbidden(said)
	case got.status == http.StatusNotFound:
		return classOfNotFound(got, said)
	case got.status == http.StatusTooManyRequests:
		return ErrRateLimited
	case got.status == http.StatusRequestTimeout, got.status >= 500:
		return ErrUnavailable
	case got.status >= 400:
		return ErrBadRequest
	default:
		return ErrMalformed
	}
}

// A 401 decides about a key's life, so it must be the API's own.
func classOfUnauthorized(got answer, said reason) error {
	switch {
	case said.isInvalidScope():
		return ErrScope
	case said.ok && !said.isEdgeCode():
		return ErrUnauthorized
	case isFromEdge(got, said):
		return ErrBlocked
	default:
		return ErrMalformed
	}
}

// A 403 without the API's own words comes from before the API. (Scope denial
// was only ever seen as 401.)
func classOfForbidden(said reason) error {
	if !said.ok || said.isEdgeCode() {
		return ErrBlocked
	}
	return ErrForbidden
}

// A 404 counts as "there is no such thing" from the API, in its words or
// without any. The framework's text for an unknown route ("Route GET:/… not
// found") means a wrong base URL; a web page, that somebody else answered.
func classOfNotFound(got answer, said reason) error {
	switch {
	case said.ok && strings.HasPrefix(said.message, "Route "):
		return ErrBadRequest
	case said.ok, len(got.body) == 0 && got.broken == nil:
		return ErrNotFound
	default:
		return ErrMalformed
	}
}

// reason is what an error answer says. ok tells that it reads like the API.
type reason struct {
	code, message string
	ok            bool
}

func (r reason) text() string {
	if r.message != "" {
		return r.message
	}
	return r.code
}

func (r reason) isInvalidScope() bool {
	const prefix = "invalid scope"
	text := strings.TrimSpace(r.text())
	return r.ok && len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// isEdgeCode tells whether the text is the content delivery network's "error
// code: 10xx", in JSON or not.
func (r reason) isEdgeCode() bool { return hasEdgeCode(r.message) || hasEdgeCode(r.code) }

func hasEdgeCode(text string) bool {
	_, code, found := strings.Cut(strings.ToLower(text), "error code: 10")
	return found && len(code) >= 2 && isDigit(code[0]) && isDigit(code[1])
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// isFromEdge tells whether an answer that is not the API's own bears the marks
// of the network before it. The headers alone say nothing: that network adds
// them to the API's own answers too.
func isFromEdge(got answer, said reason) bool {
	return got.header.Get("Cf-Ray") != "" || strings.EqualFold(got.header.Get("Server"), "cloudflare") ||
		said.isEdgeCode() || hasEdgeCode(string(got.body))
}

// readReason reads an error body leniently: the vendor documents statusCode,
// error and message, but answers with only one of the texts were seen. A body
// that contradicts its own status is not believed.
func readReason(got answer) reason {
	var body struct {
		StatusCode, Error, Message any
	}
	if got.broken != nil || json.Unmarshal(got.body, &body) != nil {
		return reason{}
	}
	if status, isNumber := body.StatusCode.(float64); isNumber && status != float64(got.status) {
		return reason{}
	}
	code, _ := body.Error.(string)
	message, _ := body.Message.(string)
	return reason{code: code, message: message, ok: strings.TrimSpace(code+message) != ""}
}

// maxText is the most characters of an answer's text that are kept.
const maxText = 200

// presentableText makes an answer's text fit to print. Secrets are cut out
// before and after cleaning, since cleaning can join what was apart.
func presentableText(text string, hide func(string) string) string {
	text = hide(printable(hide(text)))
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText])
	}
	return text
}

// printable makes white space of any kind one space and drops what cannot be seen.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			return -1
		default:
			return r
		}
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// namedScopes reads "Invalid scope. Required: a:b. Found: c:d, e:f", as it was
// seen in live answers. What does not look like a scope is left out.
func namedScopes(text string) (required, found []string) {
	before, after, _ := strings.Cut(text, "Found:")
	_, wanted, _ := strings.Cut(before, "Required:")
	return scopesIn(wanted), scopesIn(after)
}

func scopesIn(text string) []string {
	var scopes []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		if s, err := ParseScope(strings.TrimRight(word, ".")); err == nil {
			scopes = append(scopes, s.String())
		}
	}
	return scopes
}

// maxRetryAfter caps what a server may ask for.
const maxRetryAfter = time.Hour

// retryAfter reads the header of RFC 9110 §10.2.3: seconds or a date; 0 if it
// is missing, unreadable or past.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(date.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// dateOf reads the server's clock; zero if it is missing or unreadable.
func dateOf(header http.Header) time.Time {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date.UTC()
}

// rateLimitOf reads what is left of the budget.
func rateLimitOf(header http.Header) RateLimit {
	limit, err := strconv.ParseUint(header.Get("X-Ratelimit-Limit"), 10, 31)
	if err != nil {
		return RateLimit{}
	}
	remaining, err := strconv.ParseUint(header.Get("X-Ratelimit-Remaining"), 10, 31)
	if err != nil {
		return RateLimit{}
	}
	return RateLimit{Known: true, Limit: int(limit), Remaining: int(remaining)}
}
