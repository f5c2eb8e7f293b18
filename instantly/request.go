package instantly

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// The most bytes that are read of an answer, after decompression.
const (
	maxPage   = 8 << 20
	maxAnswer = 1 << 20
)

// request is one call of the API, before it is sent.
type request struct {
	op     string // what is tried, for errors
	method string
	route  string // path under /api/v2; a placeholder in it is filled by value
	value  string
	query  url.Values
	body   []byte // JSON; nil for none
	// credential and workspace go into headers; byAdmin: each attempt is made with the
	// admin key of that moment. See Client.admin.
	credential secret.Value
	workspace  string
	byAdmin    bool
	maxAnswer  int64 // bytes
	// ignoreAnswer: a 2xx is enough, whatever its body, unless that names an error.
	ignoreAnswer bool
	// namesErrors: a success may have an error in it that is not the API's own.
	namesErrors bool
	// confidential are secrets in the body, or known to the caller, that no text may show.
	confidential []secret.Value
}

// admin completes a request that is made with the admin key.
func (c *Client) admin(r request) request {
	r.byAdmin = true
	r.workspace = c.options.AsWorkspace
	if r.maxAnswer == 0 {
		r.maxAnswer = maxAnswer
	}
	return r
}

// placeholder in routes that take a value.
const placeholder = "{id}"

// newRequest builds the HTTP request of one attempt.
func (c *Client) newRequest(ctx context.Context, r request) (*http.Request, error) {
	target := c.base + apiPath + strings.ReplaceAll(r.route, placeholder, url.PathEscape(r.value))
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, nil)
	if err != nil {
		return nil, errors.New("the request cannot be built")
	}
	if r.body != nil {
		setBody(req, r.body)
	}
	authorize(req.Header, r.credential)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.options.UserAgent)
	if r.workspace != "" {
		req.Header.Set("X-As-Workspace", r.workspace)
	}
	return req, nil
}

// setBody leaves GetBody unset on purpose: without it no transport can send the
// body a second time. The Content-Type comes with the body and never without:
// the API's server is known to refuse an empty JSON body.
func setBody(req *http.Request, body []byte) {
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.ContentLength = int64(len(body))
	req.Header.Set("Content-Type", "application/json")
}
