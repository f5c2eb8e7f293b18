package gcpsecretmanager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/impersonate"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
)

// Options say which secret it is and how to reach it.
type Options struct {
	// Project is the project's id or number.
	Project string
	// Location of a regional secret, such as europe-west3; empty for one that is
	// not regional. Regional secrets have another endpoint and another name.
	Location string
	// Secret is the secret's id: 1 to 255 letters, digits, "-" and "_".
	Secret string
	// Impersonate is the service account to act as; empty to act as the
	// Application Default Credentials say.
	Impersonate string
	// Endpoint of the service, host:port, for emulators and private endpoints;
	// empty for the service's own. It is spoken to in plain text and without
	// credentials if it is on this machine, and with TLS otherwise.
	Endpoint string
	// CreateMissing makes the secret at the first write if it is not there; nil:
	// its absence is ErrNotFound.
	CreateMissing *Create
	// Payload is how a key's value is written; [payload.Raw] if nil.
	Payload payload.Form
	// Owner is the deployment that the secret belongs to. One that bears the
	// mark of another is refused. "instantly-rotator" if empty.
	Owner string
	// KeepVersions is how many forgotten versions are kept, disabled, before
	// they are destroyed.
	KeepVersions int
	// Disable forgotten versions and destroy none.
	Disable bool
	// Now tells the time; time.Now if nil.
	Now func() time.Time
	// ClientOptions come after all others; for tests.
	ClientOptions []option.ClientOption
}

// Create says how a secret is made.
type Create struct {
	// Replication lists the locations that keep the values; empty for
	// automatic. A regional secret has none.
	Replication []string
	// KMSKey is the resource name of the Cloud KMS key that encrypts the values,
	// empty for Google's own. It must be where the values are, so that there is
	// one location at most.
	KMSKey string
	// Labels of the secret.
	Labels map[string]string
}

// defaultOwner is the owner where none is configured.
const defaultOwner = "instantly-rotator"

// Open gives the store of a secret. It reads credentials but makes no call to
// the service: what is wrong with the secret, Describe finds out.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Project == "" || o.Secret == "" {
		return nil, fmt.Errorf("gcpsecretmanager: open: a store needs a project and a secret: %w", secretstore.ErrNotFound)
	}
	o = o.withDefaults()
	s := &Store{o: o, service: service{names: namesOf(o)}}
	dial, err := o.dial(ctx)
	if err != nil {
		return nil, s.named("open", err)
	}
	if s.service.client, err = secretmanager.NewClient(ctx, append(dial, o.ClientOptions...)...); err != nil {
		return nil, s.named("open", noCredentials(err))
	}
	retryReads(s.service.client.CallOptions)
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Owner == "" {
		o.Owner = defaultOwner
	}
	if o.Payload == nil {
		o.Payload = payload.Raw{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// dial gives the client's options.
func (o Options) dial(ctx context.Context) ([]option.ClientOption, error) {
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
	case o.Endpoint != "" && isLoopback(o.Endpoint):
		return append(dial, option.WithEndpoint(o.Endpoint), option.WithoutAuthentication(),
			option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials()))), nil
	case o.Endpoint != "":
		dial = append(dial, option.WithEndpoint(o.Endpoint))
	case o.Location != "":
		dial = append(dial, option.WithEndpoint("secretmanager."+o.Location+".rep.googleapis.com:443"))
	}
	if o.Impersonate == "" {
		return dial, nil
	}
	source, err := impersonate.CredentialsTokenSource(ctx, impersonate.CredentialsConfig{
		TargetPrincipal: o.Impersonate, Scopes: secretmanager.DefaultAuthScopes(),
	})
	if err != nil {
		return nil, fmt.Errorf("act as %s: %w", o.Impersonate, noCredentials(err))
	}
	return append(dial, option.WithTokenSource(source)), nil
}

func noCredentials(err error) error {
	return fmt.Errorf("%w: no usable Application Default Credentials: %w", secretstore.ErrDenied, err)
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

// blank is the secret that [Create] describes.
func (c Create) blank(o Options) (*secretmanagerpb.Secret, error) {
	if c.KMSKey != "" && len(c.Replication) > 1 {
		return nil, errors.New("one KMS key cannot serve several locations; create the secret yourself, with a key for each")
	}
	sec := &secretmanagerpb.Secret{Labels: c.Labels}
	var encryption *secretmanagerpb.CustomerManagedEncryption
	if c.KMSKey != "" {
		encryption = &secretmanagerpb.CustomerManagedEncryption{KmsKeyName: c.KMSKey}
	}
	switch {
	case o.Location != "":
		sec.CustomerManagedEncryption = encryption
	case len(c.Replication) == 0:
		sec.Replication = &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_Automatic_{
			Automatic: &secretmanagerpb.Replication_Automatic{CustomerManagedEncryption: encryption},
		}}
	default:
		sec.Replication = userManaged(c.Replication, encryption)
	}
	return sec, nil
}

func userManaged(locations []string, encryption *secretmanagerpb.CustomerManagedEncryption) *secretmanagerpb.Replication {
	var replicas []*secretmanagerpb.Replication_UserManaged_Replica
	for _, location := range locations {
		replicas = append(replicas, &secretmanagerpb.Replication_UserManaged_Replica{
			Location: location, CustomerManagedEncryption: encryption,
		})
	}
	return &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_UserManaged_{
		UserManaged: &secretmanagerpb.Replication_UserManaged{Replicas: replicas},
	}}
}
