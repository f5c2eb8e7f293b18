package githubsecret

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/rest"
)

// Client calls one GitHub in the name of one token or App. All secrets of a section share
// it: its limit of requests is one.
type Client struct {
	rest  *rest.Client
	token func(context.Context) (secret.Value, error)
	now   func() time.Time

	mu    sync.Mutex
	until time.Time // no calls before, as GitHub wants it
}

// NewClient makes the client of an address.
func NewClient(r *rest.Client, token func(context.Context) (secret.Value, error), now func() time.Time) *Client {
	return &Client{rest: r, token: token, now: now}
}

// NewAppClient makes one in the name of an App.
func NewAppClient(r *rest.Client, app *App) *Client {
	app.client = NewClient(r, app.Token, app.Now)
	return app.client
}

// Close ends idle connections.
func (c *Client) Close() error { return c.rest.Close() }

// call makes one call, in answer to which the body is decoded if there is somewhere to.
func (c *Client) call(ctx context.Context, method, path string, body, into any) (rest.Answer, error) {
	if err := c.mayCall(); err != nil {
		return rest.Answer{}, err
	}
	token, err := c.token(ctx)
	if err != nil {
		return rest.Answer{}, err
	}
	a, err := c.send(ctx, method, path, bearer(token), body)
	if err != nil {
		return a, err
	}
	if a.OK() && into != nil && json.Unmarshal(a.Body, into) != nil {
		return a, fmt.Errorf("github: %w", a.Unreadable("what cannot be understood"))
	}
	return a, nil
}

// send makes a call with a header of authorization. A limit that the answer tells is an
// error, and kept to from then on.
func (c *Client) send(ctx context.Context, method, path, authorization string, body any) (rest.Answer, error) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return rest.Answer{}, fmt.Errorf("github: write down the request: %w", secretstore.ErrUnfit)
		}
	}
	header := http.Header{}
	header.Set("Authorization", authorization)
	header.Set("Accept", "application/vnd.github+json")
	header.Set("X-GitHub-Api-Version", "2022-11-28")
	a, err := c.rest.Do(ctx, rest.Request{Method: method, Path: path, Header: header, Body: raw})
	if err != nil {
		return a, fmt.Errorf("github: %w", err)
	}
	return a, c.limited(a)
}

// mayCall keeps to a limit that GitHub told: calls beyond it make it longer.
func (c *Client) mayCall() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Before(c.until) {
		return limitedUntil(c.until)
	}
	return nil
}

func limitedUntil(until time.Time) error {
	return fmt.Errorf("github: its limit of requests is reached until %s: %w", until.UTC().Format(time.RFC3339), sink.ErrUnavailable)
}

// limited tells whether an answer is that of a limit. The primary one is 403 or 429 with
// no requests remaining, a secondary one with a Retry-After, or a minute without one.
func (c *Client) limited(a rest.Answer) error {
	if a.Status != http.StatusForbidden && a.Status != http.StatusTooManyRequests {
		return nil
	}
	const atLeast = time.Minute
	var until time.Time
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		until = c.now().Add(time.Duration(seconds) * time.Second)
	} else if reset, err := strconv.ParseInt(a.Header.Get("X-Ratelimit-Reset"), 10, 64); err == nil && a.Header.Get("X-Ratelimit-Remaining") == "0" {
		until = time.Unix(reset, 0)
	} else if a.Status == http.StatusTooManyRequests {
		until = c.now().Add(atLeast)
	} else {
		return nil // for want of a right
	}
	const most = 2 * time.Hour // whatever a clock says
	if farthest := c.now().Add(most); until.After(farthest) {
		until = farthest
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if until.After(c.until) {
		c.until = until
	}
	return limitedUntil(until)
}
