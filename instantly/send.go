package instantly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// withRetries sends a request until it is answered for good, the budget is spent or
// ctx is over; anew if it is told to. It is for requests that change nothing when
// repeated.
func (c *Client) withRetries(ctx context.Context, r request, budget time.Duration) (answer, error) {
	if budget < 0 {
		return c.pacedAttempt(ctx, r)
	}
	for {
		cuttable, end := c.inHand.add(ctx)
		got, err := c.withinBudget(cuttable, r, budget)
		again := err != nil && ctx.Err() == nil && errors.Is(context.Cause(cuttable), errRetryNow)
		end()
		if !again {
			return got, err
		}
	}
}

// errRetryNow: [Client.RetryNow] was called.
var errRetryNow = errors.New("to be tried again at once")

// RetryNow has what is being retried, or waited for, tried again at once, with all of
// its time. Somebody knows that an outage is over.
func (c *Client) RetryNow() { c.inHand.cut(errRetryNow) }

// callsInHand are the calls that may be cut short.
type callsInHand struct {
	mu    sync.Mutex
	calls map[context.Context]context.CancelCauseFunc
}

// add gives a context that can be cut, until end is called.
func (h *callsInHand) add(parent context.Context) (cuttable context.Context, end func()) {
	cuttable, cut := context.WithCancelCause(parent)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls[cuttable] = cut
	return cuttable, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.calls, cuttable)
		cut(nil)
	}
}

func (h *callsInHand) cut(why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, cut := range h.calls {
		cut(why)
	}
}

// withinBudget sends a request until it is answered for good, the budget is spent or
// ctx is over.
func (c *Client) withinBudget(ctx context.Context, r request, budget time.Duration) (answer, error) {
	var last error
	attempt := func() (answer, error) {
		got, err := c.pacedAttempt(ctx, r)
		last = err
		return got, retryDecision(err)
	}
	wait := backoff.NewExponentialBackOff()
	wait.Multiplier = 2
	wait.MaxInterval = 15 * time.Second
	got, err := backoff.Retry(ctx, attempt, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(budget))
	switch {
	case err == nil:
		return got, nil
	case ctx.Err() != nil && retryable(last):
		return answer{}, interrupted(last, ctx.Err())
	default:
		return answer{}, last
	}
}

// retryDecision tells backoff what to do after an attempt.
func retryDecision(err error) error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case !retryable(err):
		return backoff.Permanent(err)
	case errors.As(err, &e) && e.RetryAfter > 0:
		return &backoff.RetryAfterError{Duration: e.RetryAfter}
	default:
		return err
	}
}

// interrupted is the last attempt's error with the reason why there was no
// further one.
func interrupted(last, reason error) error {
	var e *Error
	if !errors.As(last, &e) {
		return reason
	}
	stopped := *e
	stopped.cause = reason
	return &stopped
}

// pacedAttempt makes one attempt when the pacer allows it, and another one where the
// admin key has been replaced meanwhile and the old one is not known any more. That is
// safe for a create too: the API has said in its own words that it does not know who
// asks, so it has not done what was asked. Any other answer, and none, is left to the
// caller; so is the second one, whatever it is.
func (c *Client) pacedAttempt(ctx context.Context, r request) (answer, error) {
	if !r.byAdmin {
		return c.permittedAttempt(ctx, r)
	}
	r.credential = c.options.Credential.Value()
	got, err := c.permittedAttempt(ctx, r)
	if errors.Is(err, ErrUnauthorized) && c.options.Credential.renewed(ctx, r.credential) {
		r.credential = c.options.Credential.Value()
		return c.permittedAttempt(ctx, r)
	}
	return got, err
}

// permittedAttempt makes one attempt when the pacer allows it.
func (c *Client) permittedAttempt(ctx context.Context, r request) (answer, error) {
	answered, err := c.waitForPermit(ctx, r.op)
	if err != nil {
		return answer{}, err
	}
	defer answered()
	return c.attempt(ctx, r)
}

// errNotSent: the pacer did not allow the request, since ctx is over or would be
// before it was allowed.
var errNotSent = errors.New("not sent within the rate limit")

// waitForPermit waits until the pacer allows another request, and must be told of its
// answer. After an error of it nothing was sent.
func (c *Client) waitForPermit(ctx context.Context, op string) (answered func(), err error) {
	if answered, err = c.options.Pacer.Wait(ctx); err != nil {
		return nil, &Error{Op: op, classes: []error{ErrUnavailable}, cause: fmt.Errorf("%w: %w", errNotSent, err)}
	}
	return answered, nil
}

// attempt sends the request and gives the answer if it is a 2xx.
func (c *Client) attempt(ctx context.Context, r request) (answer, error) {
	timed, cancel := context.WithTimeoutCause(ctx, c.options.Timeout,
		fmt.Errorf("no complete answer within %s: %w", c.options.Timeout, errTimedOut))
	defer cancel()
	timed, tooSlow := context.WithCancelCause(timed)
	defer tooSlow(nil)
	req, err := c.newRequest(timed, r)
	if err != nil {
		return answer{}, &Error{Op: r.op, classes: []error{ErrBadRequest}, cause: err}
	}
	start := time.Now()
	got, err := exchange(c.clientFor(r.method), req, r.maxAnswer, tooSlow)
	c.options.Observe(Call{
		Method:    r.method,
		Route:     apiPath + r.route,
		Status:    got.status,
		Duration:  time.Since(start),
		Date:      dateOf(got.header),
		RateLimit: rateLimitOf(got.header),
	})
	if err == nil && isSuccess(got.status) && !r.ignoreAnswer {
		err = got.broken
	}
	if err != nil {
		return answer{}, unanswered(ctx, timed, r.op, got.status, err)
	}
	if e := c.classified(r, got); e != nil {
		return answer{}, e
	}
	return got, nil
}

// classified gives the error that an answer is; nil if it is none.
func (c *Client) classified(r request, got answer) *Error {
	if r.namesErrors && isSuccess(got.status) {
		return nil
	}
	return classify(r.op, got, c.hiding(r), time.Now())
}

// hiding cuts the secrets that a request has to do with out of a text.
func (c *Client) hiding(r request) func(string) string {
	hidden := append([]secret.Value{c.options.Credential.Value(), r.credential}, r.confidential...)
	return func(text string) string { return censor(text, hidden...) }
}

// clientFor keeps POSTs and PATCHes off the connections that may be used twice.
func (c *Client) clientFor(method string) *http.Client {
	if method == http.MethodPost || method == http.MethodPatch {
		return c.single
	}
	return c.repeating
}

// answer is what came back.
type answer struct {
	status int // 0 if nothing came back
	header http.Header
	body   []byte
	// broken is why the body is not all there; nil if it is. The status is worth
	// having even so.
	broken error
}

// errTimedOut: an attempt took all the time it had.
var errTimedOut = fmt.Errorf("%w", context.DeadlineExceeded)

// exchange sends req and reads the answer. It calls tooSlow if the body takes
// longer than bodyTimeout.
func exchange(client *http.Client, req *http.Request, limit int64, tooSlow context.CancelCauseFunc) (answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	timer := time.AfterFunc(bodyTimeout, func() {
		tooSlow(fmt.Errorf("the answer was not complete %s after it had begun: %w", bodyTimeout, errTimedOut))
	})
	defer timer.Stop()
	body, broken := readAll(resp.Body, limit)
	return answer{status: resp.StatusCode, header: resp.Header, body: body, broken: broken}, nil
}

var errTooLarge = errors.New("the answer is too large")

// readAll reads to the end, which also frees the connection for another use.
func readAll(body io.Reader, limit int64) ([]byte, error) {
	read, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(read)) > limit {
		err = errTooLarge
	}
	return read, err
}

func isSuccess(status int) bool { return status >= 200 && status <= 299 }

// unanswered is the error for a request that was sent, as far as is known,
// and has no answer, or only the beginning of one.
func unanswered(ctx, timed context.Context, op string, status int, err error) error {
	e := &Error{Op: op, Status: status, classes: []error{ErrUnavailable}}
	switch {
	case ctx.Err() != nil:
		e.cause = ctx.Err()
	case timed.Err() != nil:
		e.cause = context.Cause(timed)
	case errors.Is(err, errTooLarge):
		e.classes, e.cause = []error{ErrMalformed}, errTooLarge
	case status != 0:
		e.classes, e.cause = []error{ErrMalformed, ErrUnavailable}, fmt.Errorf("the answer broke off: %w", presentable(err))
	default:
		e.cause = presentable(err)
	}
	return e
}
