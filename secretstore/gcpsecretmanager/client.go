package gcpsecretmanager

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/impersonate"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Site says where the service is and as whom it is called. All secrets of a site
// can share one [Client]; sites can be compared.
type Site struct {
	// Location of regional secrets, such as europe-west3; empty for those that
	// are not regional. Regional secrets have another endpoint and other names.
	Location string
	// Impersonate is the service account to act as; empty to act as the
	// Application Default Credentials say.
	Impersonate string
	// Endpoint of the service, host:port, for emulators and private endpoints;
	// empty for the service's own. It is spoken to in plain text and without
	// credentials if it is on this machine, and with TLS otherwise.
	Endpoint string
}

// Client is a connection to a site, for any number of stores. It is safe for
// concurrent use.
type Client struct {
	site Site
	api  *secretmanager.Client
	// end stops the renewal of credentials.
	end context.CancelFunc
}

// Connect reads credentials but makes no call to the service. They are renewed
// until Close, whatever becomes of ctx. The options come after those that the
// site asks for; for tests.
func Connect(ctx context.Context, site Site, more ...option.ClientOption) (*Client, error) {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	api, err := site.connect(ctx, more)
	if err != nil {
		end()
		return nil, fmt.Errorf("gcpsecretmanager: connect: %w", err)
	}
	return &Client{site: site, api: api, end: end}, nil
}

func (s Site) connect(ctx context.Context, more []option.ClientOption) (*secretmanager.Client, error) {
	dial, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	api, err := secretmanager.NewClient(ctx, append(dial, more...)...)
	if err != nil {
		return nil, noCredentials(err)
	}
	retryReads(api.CallOptions)
	return api, nil
}

// Close ends the connection. Calls of its stores that are under way fail as if
// their answers were lost, and so do later ones, with secretstore.ErrUnavailable.
func (c *Client) Close() error {
	defer c.end()
	return c.api.Close()
}

// Open gives the store of a secret. It makes no call: what is wrong with the
// secret, Describe finds out.
func (c *Client) Open(o Options) (*Store, error) {
	if o.Project == "" || o.Secret == "" {
		return nil, fmt.Errorf("gcpsecretmanager: open: a store needs a project and a secret: %w", secretstore.ErrNotFound)
	}
	o = o.withDefaults()
	return &Store{o: o, site: c.site, service: service{client: c.api, names: namesOf(c.site, o)}}, nil
}

// dial gives the connection's options.
func (s Site) dial(ctx context.Context) ([]option.ClientOption, error) {
	dial := []option.ClientOption{
		// The client's debug log has whole requests and answers in it, values
		// included, and an environment variable turns it on.
		option.WithLogger(slog.New(slog.DiscardHandler)),
		option.WithUserAgent("instantly-rotator"),
		option.WithTelemetryDisabled(),
		// Nobody but retryReads decides what is sent twice.
		option.WithGRPCDialOption(grpc.WithDisableRetry()),
	}
	switch {
	case s.Endpoint != "" && isLoopback(s.Endpoint):
		return append(dial, option.WithEndpoint(s.Endpoint), option.WithoutAuthentication(),
			option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials()))), nil
	case s.Endpoint != "":
		dial = append(dial, option.WithEndpoint(s.Endpoint))
	case s.Location != "":
		dial = append(dial, option.WithEndpoint("secretmanager."+s.Location+".rep.googleapis.com:443"))
	}
	if s.Impersonate == "" {
		return dial, nil
	}
	source, err := impersonate.CredentialsTokenSource(ctx, impersonate.CredentialsConfig{
		TargetPrincipal: s.Impersonate, Scopes: secretmanager.DefaultAuthScopes(),
	})
	if err != nil {
		return nil, fmt.Errorf("act as %s: %w", s.Impersonate, noCredentials(err))
	}
	return append(dial, option.WithTokenSource(source)), nil
}

func noCredentials(err error) error {
	return fmt.Errorf("%w that Google Cloud takes (Application Default Credentials): %w", secretstore.ErrNoCredentials, err)
}

// isLoopback tells whether an endpoint is on this machine, without asking DNS.
func isLoopback(endpoint string) bool {
	host, _, err := net.SplitHostPort(endpoint)
	if err != nil {
		host = endpoint
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// retryReads sets which calls are sent again: those that change nothing. Above
// all AddSecretVersion is not: every time it arrives there is a version more.
func retryReads(calls *secretmanager.CallOptions) {
	again := []gax.CallOption{gax.WithRetry(func() gax.Retryer { return &readRetryer{} })}
	*calls = secretmanager.CallOptions{GetSecret: again, GetSecretVersion: again, AccessSecretVersion: again}
}

// readRetryer tries a read three times.
type readRetryer struct{ tries int }

// Retry implements [gax.Retryer].
func (r *readRetryer) Retry(err error) (time.Duration, bool) {
	const first = 200 * time.Millisecond
	_, again := gax.OnCodes([]codes.Code{codes.Unavailable, codes.ResourceExhausted}, gax.Backoff{}).Retry(err)
	pause := first << r.tries
	r.tries++
	return pause, again && r.tries < 3
}
