// Package rest sends keys to the HTTP interfaces of services, for the sinks that do. What
// was answered is never told, since it may repeat what was sent: errors say the method,
// the path without its query, the host and the status, and wrap one of package secretstore's sentinels.
//
// Nothing is sent twice, no redirect is followed, and nothing is sent in clear but to this machine.
package rest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// Timeout is how long a call may take, unless its context ends sooner.
const Timeout = 30 * time.Second

// maxBody is the most of an answer that is read.
const maxBody = 1 << 20

// Client calls one service. It is safe for concurrent use.
type Client struct {
	base *url.URL
	http *http.Client
}

// New makes the client of a service at an address. A nil transport is one of its own, as
// net/http's default: by way of the proxies that the environment names.
func New(address string, transport http.RoundTripper) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil {
		return nil, errors.New("not an address") // the cause repeats it
	}
	if base.Scheme != "https" && (base.Scheme != "http" || !isLoopback(base.Hostname())) {
		return nil, errors.New("a key is sent over https only, and over http to this machine")
	}
	if transport == nil {
		transport = ownTransport()
	}
	return &Client{base: base, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func ownTransport() http.RoundTripper {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		own := t.Clone()
		own.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		own.MaxResponseHeaderBytes = 64 << 10
		return own
	}
	return http.DefaultTransport
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Close ends connections that are idle.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Request is one call.
type Request struct {
	Method string
	// Path behind the address, escaped, with a query if there is one.
	Path   string
	Header http.Header
	// Body is sent as JSON, unless the header says otherwise.
	Body []byte
	// Unnamed: the path is not told, since it may be what lets one call it.
	Unnamed bool
}

// named says what is called.
func (c *Client) named(r Request) string {
	path, _, _ := strings.Cut(r.Path, "?")
	if r.Unnamed {
		return r.Method + " at " + c.base.Host
	}
	return r.Method + " " + path + " at " + c.base.Host
}

// Answer is what a service said.
type Answer struct {
	Status int
	Header http.Header
	// Body may repeat a value, or a part of one: it is for decoding, never for messages.
	Body []byte

	called string
}

// OK tells whether the service did what it was asked for.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status <= 299 }

// Do calls. Its error is that no answer was had, and whether the call had an effect is
// not known then; what the answer says is up to the caller.
func (c *Client) Do(ctx context.Context, r Request) (Answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, Timeout, fmt.Errorf("no answer within %s: %w", Timeout, context.DeadlineExceeded))
	defer cancel()
	called := c.named(r)
	req, err := http.NewRequestWithContext(ctx, r.Method, c.base.String()+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return Answer{}, fmt.Errorf("%s: not an address", called) // the cause repeats it
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if len(r.Body) > 0 && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "instantly-rotator")
	}
	req.Host = cmp.Or(req.Header.Get("Host"), req.Host) // net/http sends it from there only
	res, err := c.http.Do(req)
	if err != nil {
		return Answer{}, failed(ctx, called, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return Answer{}, failed(ctx, called, err)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: body, called: called}, nil
}

// failed says that no answer was had.
func failed(ctx context.Context, called string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w: %w", called, sink.ErrUnavailable, context.Cause(ctx))
	}
	return fmt.Errorf("%s: %w: %w", called, sink.ErrUnavailable, presentable(err))
}

// errBroken stands for errors whose text cannot be trusted: net/http quotes what the
// server sent in some of them.
var errBroken = errors.New("connection failed")

// presentable gives the part of a transport's error that may be shown: the kinds whose
// texts are made from addresses and system errors only.
func presentable(err error) error {
	var (
		untrusted *tls.CertificateVerificationError
		lookup    *net.DNSError
		network   *net.OpError
	)
	switch {
	case errors.As(err, &untrusted):
		return untrusted
	case errors.As(err, &lookup):
		return lookup
	case errors.As(err, &network):
		return network
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	default:
		return errBroken
	}
}

// Refused is the error of an answer that is none of those that the caller expects, with
// the sentinel that its status stands for.
func (a Answer) Refused() error {
	text := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	switch {
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden, a.Status == http.StatusProxyAuthRequired:
		return fmt.Errorf("%s: it answers %s: %w", a.called, text, secretstore.ErrDenied)
	case a.Status == http.StatusNotFound, a.Status == http.StatusGone:
		return fmt.Errorf("%s: it answers %s: %w", a.called, text, secretstore.ErrNotFound)
	case a.Status >= 300 && a.Status <= 399:
		return fmt.Errorf("%s: it answers %s, and a redirect is not followed with a key: write the address that it leads to: %w", a.called, text, secretstore.ErrUnfit)
	case a.Status == http.StatusRequestTimeout, a.Status == http.StatusConflict, a.Status == http.StatusLocked, a.Status == http.StatusTooEarly, a.Status == http.StatusTooManyRequests, a.Status >= 500:
		return fmt.Errorf("%s: it answers %s: %w", a.called, text, sink.ErrUnavailable)
	default:
		return fmt.Errorf("%s: it answers %s: %w", a.called, text, secretstore.ErrUnfit)
	}
}

// Unreadable is the error of an answer that is not what was expected.
func (a Answer) Unreadable(what string) error {
	return fmt.Errorf("%s: it answers %d with %s: %w", a.called, a.Status, what, secretstore.ErrCorrupt)
}
