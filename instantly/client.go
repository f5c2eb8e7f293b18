package instantly

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	defaultBaseURL = "https://api.instantly.ai"
	defaultTimeout = 30 * time.Second
	bodyTimeout    = 10 * time.Second
	defaultPace    = 5 // requests a second
	modulePath     = "github.com/instantly-rotator/instantly-rotator"
	apiPath        = "/api/v2"
)

// DefaultRetryBudget bounds all attempts of one GET or DELETE together.
const DefaultRetryBudget = time.Minute

// Options say which workspace a client talks to, and how. Only AdminKey, or
// Credential in its place, is required.
type Options struct {
	// BaseURL is scheme, host and, for a gateway, a path before /api/v2.
	// Default https://api.instantly.ai. Plain http only to this machine.
	BaseURL string
	// AdminKey is the key that calls are made with. What it needs: api_keys:create,
	// api_keys:read and api_keys:delete, better workspaces:read too.
	AdminKey secret.Value
	// Credential is in place of AdminKey one that may be replaced.
	Credential *Credential
	// AsWorkspace is the id of a sub-workspace that an agency's admin key acts
	// for (header x-as-workspace, vendor's workspace group guide). That creating
	// a key under it makes one of the sub-workspace follows from that guide but
	// is not documented: compare Key.Organization.
	AsWorkspace string
	// UserAgent is sent with every request; the vendor's edge refuses some
	// libraries' default ones. Default "instantly-rotator/<version> (+<URL>)".
	UserAgent string
	// Pacer keeps attempts within the rate limit. Share one among all clients of a workspace: the
	// vendor counts by workspace, not by key. Default: one of its own, for 5
	// requests a second. The vendor documents 100 a second and 6000 a minute by
	// workspace, but older client code has lower numbers (600 a minute), and others
	// share the budget.
	Pacer *Pacer
	// Timeout bounds one attempt, reading the answer included. Default 30 s. Once
	// the head of the answer has come, its body has 10 s, whatever is left. An
	// attempt that took all of its time is the last one of its call: what was as
	// slow once would be as slow again, while somebody waits.
	Timeout time.Duration
	// Transport sends the requests. Default: one of its own. An *http.Transport
	// is copied, so that POSTs can be kept off its connections; any other one
	// must never send a POST twice by itself.
	Transport http.RoundTripper
	// RetryBudget bounds all attempts of one GET or DELETE together, the waits
	// between them included. 0 is the default, 1 min; negative means one attempt.
	RetryBudget time.Duration
	// Observe, if not nil, is told of every attempt that was sent. It must be
	// quick and safe for concurrent use.
	Observe func(Call)
}

// Call is one finished HTTP attempt, for metrics.
type Call struct {
	Method string
	// Route is the path with placeholders ("/api/v2/api-keys/{id}"), so that
	// its values are few.
	Route string
	// Status is the HTTP status; 0 if there was no answer.
	Status int
	// Duration runs from sending to the end of the answer; waiting for
	// the pacer is not in it.
	Duration time.Duration
	// Date is the server's clock when it answered, to the second; zero if it does not say.
	Date time.Time
	// RateLimit is what the answer says of the workspace's budget.
	RateLimit RateLimit
}

// RateLimit is what is left of a workspace's budget of calls, by the headers
// x-ratelimit-limit and x-ratelimit-remaining. They are not documented: public client
// code reads them.
type RateLimit struct {
	Known            bool
	Limit, Remaining int
}

// Client makes calls to the API. Its methods return errors of type *Error. It is
// safe for concurrent use.
type Client struct {
	base      string
	options   Options
	repeating *http.Client // for what may be sent twice
	single    *http.Client // for POST and PATCH
	inHand    *callsInHand
	probes    func() []probeCall // made when they are first asked for
}

// NewClient checks the options; it sends nothing. A base URL that would send the
// key in clear over a network, or that has a password in it, is ErrInsecureURL.
func NewClient(o Options) (*Client, error) {
	o = withDefaults(o)
	base, err := checkBaseURL(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("instantly: base URL: %w", err)
	}
	if err := checkSendable(o.Credential.Value()); err != nil {
		return nil, fmt.Errorf("instantly: admin key: %w", err)
	}
	if o.AsWorkspace != "" && !isID(o.AsWorkspace) {
		return nil, errors.New("instantly: workspace to act for: not an id")
	}
	if strings.IndexFunc(o.UserAgent, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		return nil, errors.New("instantly: user agent: not printable ASCII")
	}
	repeating, single := transports(o.Transport)
	return &Client{
		base:      base,
		options:   o,
		repeating: &http.Client{Transport: repeating, CheckRedirect: refuseRedirect},
		single:    &http.Client{Transport: single, CheckRedirect: refuseRedirect},
		inHand:    &callsInHand{calls: map[context.Context]context.CancelCauseFunc{}},
		probes:    sync.OnceValue(probeCalls),
	}, nil
}

// CloseIdleConnections gives back the connections that no call is using.
func (c *Client) CloseIdleConnections() {
	c.repeating.CloseIdleConnections()
	c.single.CloseIdleConnections()
}

func withDefaults(o Options) Options {
	if o.BaseURL == "" {
		o.BaseURL = defaultBaseURL
	}
	if o.UserAgent == "" {
		o.UserAgent = "instantly-rotator/" + version() + " (+https://" + modulePath + ")"
	}
	if o.Credential == nil {
		o.Credential = NewCredential(o.AdminKey, nil)
	}
	if o.Pacer == nil {
		o.Pacer = NewPacer(defaultPace)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.RetryBudget == 0 {
		o.RetryBudget = DefaultRetryBudget
	}
	if o.Observe == nil {
		o.Observe = func(Call) {}
	}
	return o
}

// version is the module's version as the Go command recorded it; "dev" where it
// recorded none.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Path != modulePath || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}

// checkBaseURL gives the URL without a slash at its end and without the
// /api/v2 that users paste with it. Its errors do not quote the URL, which may
// have a password in it.
func checkBaseURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return "", errors.New("not of the form https://host")
	}
	if u.User != nil {
		return "", fmt.Errorf("%w: it has a user name or password in it", ErrInsecureURL)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return "", fmt.Errorf("%w: https is required, except for http to this machine", ErrInsecureURL)
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", errors.New("it has a query or a fragment")
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), apiPath), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
