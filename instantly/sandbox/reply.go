package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	typeJSON = "application/json; charset=utf-8"
	typeText = "text/plain; charset=utf-8"
	typeHTML = "text/html; charset=utf-8"
)

// hugeBytes is the length of the body of KindHuge.
const hugeBytes = 32 << 20

// reply is an answer that is not yet on the wire.
type reply struct {
	status      int
	header      map[string]string
	contentType string
	payload     any         // sent as JSON, unless nil
	text        string      // sent where payload is nil
	huge        bool        // hugeBytes of JSON are sent instead
	cut         bool        // the connection ends in the middle of the body
	dropped     bool        // the connection ends without an answer
	between     func() bool // if not nil, waits between one byte and the next; false if the caller left
	// later, if not nil, gives the rest of the reply without holding up other calls.
	later func(context.Context) reply
}

// finished gives the reply that is complete.
func (r reply) finished(ctx context.Context) reply {
	if r.later == nil {
		return r
	}
	done := r.later(ctx)
	done.header, done.cut = r.header, r.cut
	return done
}

func success(payload any) reply {
	return reply{status: http.StatusOK, contentType: typeJSON, payload: payload}
}

// errorBody is the shape of the API's errors (OpenAPI file). Only errors of the
// framework below it have a code.
type errorBody struct {
	StatusCode int    `json:"statusCode"`
	Code       string `json:"code,omitempty"`
	Error      string `json:"error"`
	Message    string `json:"message"`
}

func failure(status int, message string) reply {
	return frameworkFailure(status, "", message)
}

// frameworkFailure is an error of Fastify, which the API runs on (vendor's 404
// and validation texts).
func frameworkFailure(status int, code, message string) reply {
	return reply{status: status, contentType: typeJSON, payload: errorBody{
		StatusCode: status, Code: code, Error: http.StatusText(status), Message: message,
	}}
}

// usualFailure is what the API says of itself with that status: 401, 402 and
// 429 as in the OpenAPI file's samples, others in the same shape.
func usualFailure(status int) reply {
	switch status {
	case http.StatusUnauthorized:
		return failure(status, textUnknownKey)
	case http.StatusPaymentRequired:
		return failure(status, textNoPlan)
	case http.StatusTooManyRequests:
		return failure(status, textTooMany)
	default:
		return failure(status, http.StatusText(status))
	}
}

// tooMany is a 429; retryAfter goes into the header in whole seconds (RFC 9110
// §10.2.3), rounded up, unless it is zero.
func tooMany(retryAfter time.Duration) reply {
	r := usualFailure(http.StatusTooManyRequests)
	if retryAfter > 0 {
		r.header = map[string]string{"Retry-After": strconv.Itoa(int(math.Ceil(retryAfter.Seconds())))}
	}
	return r
}

// errorInSuccess is what some of the vendor's operations answer beside status 200.
func errorInSuccess() map[string]string { return map[string]string{"error": "ACC_NOT_FOUND"} }

// edgeBlocked is what Cloudflare answers to agents it does not like, seen in
// public on the vendor's host: not JSON, and not a word about the key.
func edgeBlocked() reply {
	return reply{
		status:      http.StatusForbidden,
		contentType: typeText,
		text:        "error code: 1010",
		header:      map[string]string{"Server": "cloudflare", "Cf-Ray": "8f0e5a1b2c3d4e5f-AMS"},
	}
}

// spoiltBy gives what becomes of a reply under a rule. It waits where the rule
// says so; a caller that leaves meanwhile gets nothing.
func (r reply) spoiltBy(ctx context.Context, rule Rule) reply {
	switch rule.Kind {
	case KindDrop:
		r.dropped = true
	case KindHang:
		hang(ctx, rule.For)
		r.dropped = true
	case KindDelay:
		r.dropped = r.dropped || !pause(ctx, rule.For)
	case KindStatus:
		return rule.reply()
	case KindTruncated:
		r.cut = true
	case KindHuge:
		r.contentType, r.huge = typeJSON, true
	case KindNotJSON:
		r.contentType, r.payload, r.text = typeHTML, nil, "<html><body><h1>Bad gateway</h1></body></html>"
	case KindWrongType:
		r.contentType, r.payload, r.text = typeJSON, nil, `{"items":42,"id":{},"name":[],"scopes":"none","key":false,"organization_id":1,"timestamp_created":true,"message":0}`
	case KindErrorInSuccess:
		r.contentType, r.payload = typeJSON, errorInSuccess()
	case KindTrickle:
		r.between = func() bool { return pause(ctx, cmp.Or(rule.For, time.Second)) }
	case KindEmpty:
		r.contentType, r.payload, r.text = "", nil, ""
	}
	return r
}

// reply gives the answer that a rule of KindStatus prescribes.
func (r Rule) reply() reply {
	answer := usualFailure(r.Status)
	if r.Body != "" {
		answer = reply{status: r.Status, contentType: typeText, text: r.Body}
	}
	if json.Valid([]byte(r.Body)) {
		answer.contentType = typeJSON
	}
	answer.header = r.Header
	return answer
}

// hang waits until the caller leaves, at most d unless that is zero.
func hang(ctx context.Context, d time.Duration) {
	if d == 0 {
		<-ctx.Done()
		return
	}
	pause(ctx, d)
}

// pause waits that long and tells whether the caller is still there. No timer is made
// for no time: one that is over at once, within a synctest bubble, crashes the race detector
// of Go 1.26.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// deliver puts the reply on the wire.
func (r reply) deliver(w http.ResponseWriter) {
	if r.dropped {
		panic(http.ErrAbortHandler) // closes the connection, of HTTP/2 the stream
	}
	if r.contentType != "" {
		w.Header().Set("Content-Type", r.contentType)
	}
	for name, value := range r.header {
		w.Header().Set(name, value)
	}
	if r.huge {
		r.deliverHuge(w)
		return
	}
	body := r.body()
	// A body shorter than its Content-Length ends the connection: net/http
	// closes it, and the client sees an unexpected end.
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(r.status)
	if r.cut {
		body = body[:len(body)/2]
	}
	if r.between != nil {
		trickle(w, body, r.between)
		return
	}
	_, _ = w.Write(body) //nolint:gosec // the sandbox answers with JSON, to API clients on this machine
}

// trickle sends the body one byte at a time, until it is complete or the caller leaves.
func trickle(w http.ResponseWriter, body []byte, between func() bool) {
	out := http.NewResponseController(w)
	for i := range body {
		_ = out.Flush() // in process there is nothing to flush
		if !between() {
			return
		}
		if _, err := w.Write(body[i : i+1]); err != nil { //nolint:gosec // JSON of the sandbox's own, for programs
			return
		}
	}
}

func (r reply) body() []byte {
	if r.payload == nil {
		return []byte(r.text)
	}
	body, err := json.Marshal(r.payload)
	if err != nil {
		panic(fmt.Errorf("encode a reply of the sandbox: %w", err)) // all payloads are ours
	}
	return body
}

// deliverHuge sends a JSON document without a Content-Length, until it is
// complete or the client has enough.
func (r reply) deliverHuge(w http.ResponseWriter) {
	w.WriteHeader(r.status)
	filler := []byte(strings.Repeat("x", 64<<10))
	_, err := w.Write([]byte(`{"name":"`))
	for sent := 0; err == nil && sent < hugeBytes; sent += len(filler) {
		_, err = w.Write(filler)
	}
	if err == nil {
		_, _ = w.Write([]byte(`"}`))
	}
}
