package instantly

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// probeBudget bounds a test call with its retries. It is short, since the
// caller asks again by itself.
const probeBudget = 10 * time.Second

// Probe makes a test call with value, a key that was granted scopes, and says
// what the answer tells about it. It changes nothing at the API. Of the calls
// that the scopes allow it makes the cheapest; a key that may read nothing is
// asked for its workspace all the same, since the refusal ("Invalid scope")
// shows that it is alive.
//
// The call goes without x-as-workspace: a key works in the workspace it was
// created in.
func (c *Client) Probe(ctx context.Context, value secret.Value, scopes []string) Probe {
	if err := checkSendable(value); err != nil {
		return Probe{Verdict: Invalid, Err: &Error{Op: "test call", classes: []error{ErrNoKey}, cause: err}}
	}
	chosen := c.chooseProbe(scopes)
	err := c.testCall(ctx, chosen, value)
	if chosen.isInconclusive(err) {
		err = c.testCall(ctx, workspaceProbe(), value)
	}
	return probeOf(err)
}

// isInconclusive tells whether an outcome must be confirmed by the call whose
// answer is documented. A thing that does not exist was searched for, or its id
// refused, as expected; but that the API checked the key before is inferred. And
// what a success looks like is not known.
func (p probeCall) isInconclusive(err error) bool {
	return p.answers == nil && (err == nil || errors.Is(err, ErrNotFound) ||
		errors.Is(err, ErrBadRequest) || errors.Is(err, ErrMalformed))
}

// testCall makes one test call. It succeeds with a 2xx whose body is what that
// call answers, as far as that is documented; the content, which may be secret,
// is dropped.
func (c *Client) testCall(ctx context.Context, p probeCall, value secret.Value) error {
	r := p.request()
	r.credential = value
	got, err := c.withRetries(ctx, r, c.testBudget())
	if err != nil {
		return err
	}
	if _, err = decode[any](r.op, got); err != nil {
		return err
	}
	if p.answers != nil && !p.answers(got.body) {
		return malformed(r.op, got.status, "not what this call answers")
	}
	return nil
}

// testBudget bounds a test call.
func (c *Client) testBudget() time.Duration { return min(c.options.RetryBudget, probeBudget) }

// probeOf turns the outcome of a test call into what it says.
func probeOf(err error) Probe {
	p := Probe{Verdict: VerdictOf(err)}
	var e *Error
	if errors.As(err, &e) {
		p.Found = e.Found
	}
	if p.Verdict != Valid {
		p.Err = err
	}
	return p
}

// probeCall is a call that changes nothing and that a scope allows.
type probeCall struct {
	scope string
	route string
	limit bool   // ask for one item of a list
	body  string // JSON, for the list that is a POST
	// value makes what nothing has; it goes into the query parameter of that
	// name, or into the route if there is none.
	value     func() string
	parameter string
	// answers tells whether a body is what a success answers; nil if that is
	// not documented.
	answers func(body []byte) bool
}

func (p probeCall) request() request {
	r := request{method: http.MethodGet, route: p.route, maxAnswer: maxAnswer}
	if p.body != "" {
		r.method, r.body = http.MethodPost, []byte(p.body)
	}
	if p.limit {
		r.query = withQuery(r.query, "limit", "1")
	}
	switch {
	case p.parameter != "":
		r.query = withQuery(r.query, p.parameter, p.value())
	case p.value != nil:
		r.value = p.value()
	}
	r.op = "test call " + r.method + " " + r.route
	return r
}
