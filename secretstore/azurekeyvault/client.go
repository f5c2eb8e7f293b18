package azurekeyvault

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// callTimeout is how long one call may take, tries of a read included.
const callTimeout = 10 * time.Second

// Client is a connection to a vault, for any number of stores. It is safe for concurrent
// use.
type Client struct {
	vault string
	api   *azsecrets.Client
}

// Connect makes no call: credentials are looked for at the first one, in the order of the
// default chain.
func Connect(vault string) (*Client, error) {
	cred, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("azurekeyvault: connect: %w that Azure takes: %w", secretstore.ErrNoCredentials, oneLine(err))
	}
	return ConnectAs(vault, cred, nil)
}

// ConnectAs is Connect with credentials of the caller's, and a transport if not nil.
func ConnectAs(vault string, cred azcore.TokenCredential, transport policy.Transporter) (*Client, error) {
	api, err := azsecrets.NewClient(vault, cred, &azsecrets.ClientOptions{
		ClientOptions: azcore.ClientOptions{
			// Each set that arrives is a version more: reads alone ask for another try.
			Retry:     policy.RetryOptions{MaxRetries: -1},
			Telemetry: policy.TelemetryOptions{ApplicationID: "instantly-rotator"},
			Transport: transport,
		},
		// A stand-in on this machine cannot be named as the service is.
		DisableChallengeResourceVerification: isLoopback(vault),
	})
	if err != nil {
		return nil, fmt.Errorf("azurekeyvault: connect: %w", oneLine(err))
	}
	return &Client{vault: vault, api: api}, nil
}

func isLoopback(vault string) bool {
	u, err := url.Parse(vault)
	return err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

// sighting is a version of a secret as it was seen.
type sighting struct {
	// version is the service's name for it; empty if there is none, or if it is not told.
	version string
	// disabled: it is there and cannot be read.
	disabled    bool
	value       secret.Value
	tags        map[string]string
	contentType string
	created     time.Time
	// within is a value that stands in this one.
	within secret.Value
}

// readable tells whether readers get a value.
func (s sighting) readable() bool { return s.version != "" }

// newest reads the newest version; none is no error.
func (c *Client) newest(ctx context.Context, name string) (sighting, error) {
	return c.get(ctx, name, "")
}

// get reads a version, or the newest one. One that is not there is the zero sighting.
func (c *Client) get(ctx context.Context, name, version string) (sighting, error) {
	ctx, cancel := forRead(ctx)
	defer cancel()
	answer, err := c.api.GetSecret(ctx, name, version, nil)
	switch e := failed("getSecret", err); {
	case e == nil:
		return seen(answer.Secret), nil
	case e.is(http.StatusNotFound, ""):
		return sighting{}, nil
	case e.is(http.StatusForbidden, "SecretDisabled"):
		return sighting{disabled: true}, nil
	default:
		return sighting{}, e
	}
}

// set makes a new version, which is the newest one at once.
func (c *Client) set(ctx context.Context, name string, s sighting) (sighting, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.api.SetSecret(ctx, name, wire(s), nil)
	if e := failed("setSecret", err); e != nil {
		return sighting{}, e.without(s.value, s.within)
	}
	made := seen(answer.Secret)
	if !made.readable() {
		return sighting{}, fmt.Errorf("set: the answer names no version: %w", secretstore.ErrUnavailable)
	}
	return made, nil
}

// disable keeps a version from being read. One that is not there is fine.
func (c *Client) disable(ctx context.Context, name, version string) error {
	if e := c.switchOff(ctx, name, version); e != nil && !e.is(http.StatusNotFound, "") {
		return e
	}
	return nil
}

// mayUpdate asks for a change that there is nothing to be made to.
func (c *Client) mayUpdate(ctx context.Context, name string) *callError {
	e := c.switchOff(ctx, name, noVersion)
	if e != nil && e.is(http.StatusNotFound, "") {
		return nil
	}
	return e
}

func (c *Client) switchOff(ctx context.Context, name, version string) *callError {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	off := false
	_, err := c.api.UpdateSecretProperties(ctx, name, version, azsecrets.UpdateSecretPropertiesParameters{
		SecretAttributes: &azsecrets.SecretAttributes{Enabled: &off},
	}, nil)
	return failed("update", err)
}

// deleted tells whether a secret that is not there was deleted and could be recovered.
// Who may not ask does not know.
func (c *Client) deleted(ctx context.Context, name string) (bool, error) {
	ctx, cancel := forRead(ctx)
	defer cancel()
	_, err := c.api.GetDeletedSecret(ctx, name, nil)
	switch e := failed("readMetadata", err); {
	case e == nil:
		return true, nil
	case e.is(http.StatusNotFound, ""), e.is(http.StatusForbidden, ""):
		return false, nil
	default:
		return false, e
	}
}

// clock is the service's time, by the answer to a read; zero if it does not tell.
func (c *Client) clock(ctx context.Context, name string) time.Time {
	ctx, cancel := forRead(ctx)
	defer cancel()
	var raw *http.Response
	_, _ = c.api.GetSecret(policy.WithCaptureResponse(ctx, &raw), name, "", nil) // whatever it says, it has a date
	if raw == nil {
		return time.Time{}
	}
	at, _ := http.ParseTime(raw.Header.Get("Date"))
	return at
}

// forRead has a call that changes nothing sent three times at most.
func forRead(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: 2, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: 2 * time.Second})
	return context.WithTimeout(ctx, callTimeout)
}
