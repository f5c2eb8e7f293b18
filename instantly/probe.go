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
		return Probe{Err: &Error{Op: "test call", classes: []error{ErrBadRequest}, cause: err}}
	}
	chosen := chooseProbe(scopes)
	err := c.try(ctx, chosen, value)
	if chosen.byID() && (errors.Is(err, ErrNotFound) || errors.Is(err, ErrBadRequest)) {
		// The id that no thing has was looked for, or refused, as expected. But
		// that the API looked at the key before is inferred, not documented.
		err = c.try(ctx, workspaceProbe(), value)
	}
	return probeOf(err)
}

// try makes one test call. Only the reading of a 2xx answer as JSON counts as
// success; its content, which may be secret, is dropped.
func (c *Client) try(ctx context.Context, p probeCall, value secret.Value) error {
	r := p.request()
	r.credential = value
	budget := c.options.RetryBudget
	if budget > probeBudget {
		budget = probeBudget
	}
	got, err := c.repeat(ctx, r, budget)
	if err != nil {
		return err
	}
	_, err = decode[any](r.op, got)
	return err
}

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
}

// byID tells whether the call asks for something that does not exist.
func (p probeCall) byID() bool { return p.value != nil }

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
	case p.byID():
		r.value = p.value()
	}
	r.op = "test call " + r.method + " " + r.route
	return r
}
