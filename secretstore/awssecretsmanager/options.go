package awssecretsmanager

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
)

// Site says where AWS is and who asks. Stores of one site share a client: its
// connections, and the role taken on.
type Site struct {
	// Region of the secrets; empty for what the environment or the profile says.
	Region string
	// Profile of the shared configuration; empty for the environment's.
	Profile string
	// AssumeRole is a role to take on; none if its ARN is empty.
	AssumeRole AssumeRole
	// Endpoint replaces AWS's own address: an emulator, a VPC endpoint.
	Endpoint string

	// HTTPClient sends the requests; the SDK's own if nil.
	HTTPClient HTTPClient
	// Credentials replaces the default chain of the SDK if not nil.
	Credentials aws.CredentialsProvider
}

// Of gives the site of a secret: with an ARN, the ARN's region goes first.
func (s Site) Of(secret string) Site {
	if region := arnRegion(secret); region != "" {
		s.Region = region
	}
	return s
}

// Options say which secret it is, and how it is kept.
type Options struct {
	// Secret is the secret's name or ARN.
	Secret string
	// Create makes the secret on the first write; nil if it must be there.
	Create *Create
	// Payload is how a key is written; the key alone if nil.
	Payload payload.Form
	// Owner is the mark that goes into the tag rotator/owner: letters, digits,
	// hyphens. A secret that bears another one is refused. Empty: no mark is
	// set or asked for.
	Owner string
	// Now gives the time that marks are written with; time.Now if nil.
	Now func() time.Time
}

// HTTPClient sends a request. *http.Client is one.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

// AssumeRole is a role to take on with the credentials found.
type AssumeRole struct {
	ARN string
	// ExternalID that the role's trust policy asks for; may be empty.
	ExternalID string
}

// Create says how a secret is made that is not there.
type Create struct {
	// KMSKeyID is the key to encrypt with; empty for the account's
	// aws/secretsmanager.
	KMSKeyID string
	// Tags beside the ownership mark.
	Tags map[string]string
}

// Store keeps one secret in AWS Secrets Manager. It is safe for concurrent use
// and holds no goroutine between its calls.
type Store struct {
	client
	create *Create
	form   payload.Form
	owner  string
	now    func() time.Time

	mu sync.Mutex
	// last is the state behind the snapshot that was given out last: a write
	// that was decided on it needs no read before it.
	last state
}

var _ secretstore.Store = (*Store)(nil)

// Client reaches a site. It is safe for concurrent use and needs no closing.
type Client struct{ api *secretsmanager.Client }

// Connect readies a client. It asks AWS for nothing yet, not even credentials.
// Its errors are of the configuration: a profile that does not exist, no region.
func Connect(ctx context.Context, s Site) (*Client, error) {
	api, err := connect(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("awssecretsmanager: %w", err)
	}
	return &Client{api}, nil
}

// Open makes a store that is bound to one secret of the client's site. It asks
// AWS for nothing yet.
func (c *Client) Open(o Options) *Store {
	s := &Store{client: client{api: c.api, name: o.Secret}, create: o.Create, form: o.Payload, owner: o.Owner, now: o.Now}
	if s.form == nil {
		s.form = payload.Raw{}
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

func connect(ctx context.Context, s Site) (*secretsmanager.Client, error) {
	cfg, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		return nil, fmt.Errorf("no region: set it in the store's configuration, the profile or AWS_REGION: %w", secretstore.ErrNotFound)
	}
	if s.AssumeRole.ARN != "" {
		cfg.Credentials = aws.NewCredentialsCache(s.AssumeRole.provider(cfg))
	}
	return secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) {
		if s.Endpoint != "" {
			o.BaseEndpoint = aws.String(s.Endpoint)
		}
	}), nil
}

// load reads what the environment and the shared configuration say.
func (s Site) load(ctx context.Context) (aws.Config, error) {
	load := []func(*config.LoadOptions) error{
		// The SDK must not log whatever the environment says: a body has a value in it.
		config.WithLogger(logging.Nop{}), config.WithClientLogMode(0),
		config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) { o.Client = quickMetadata() }),
	}
	if s.Region != "" {
		load = append(load, config.WithRegion(s.Region))
	}
	if s.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(s.Profile))
	}
	if s.Credentials != nil {
		load = append(load, config.WithCredentialsProvider(s.Credentials))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if s.HTTPClient != nil {
		cfg.HTTPClient = s.HTTPClient
	}
	return cfg, nil
}

// quickMetadata asks the metadata service of a machine at EC2, which answers within
// milliseconds; elsewhere nothing does, and the SDK's own client tries for 11 s.
func quickMetadata() *imds.Client {
	return imds.New(imds.Options{
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(time.Second),
		Retryer:    retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 2 }),
	})
}

func (a AssumeRole) provider(cfg aws.Config) aws.CredentialsProvider {
	return stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), a.ARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "instantly-rotator"
		if a.ExternalID != "" {
			o.ExternalID = aws.String(a.ExternalID)
		}
	})
}

// tagsToCreate are the tags of a new secret, in a stable order.
func (s *Store) tagsToCreate() []tag {
	var tags []tag
	if s.owner != "" {
		tags = append(tags, tag{tagOwner, s.owner})
	}
	for key, value := range s.create.Tags {
		tags = append(tags, tag{key, value})
	}
	slices.SortFunc(tags, tag.compare)
	return tags
}
