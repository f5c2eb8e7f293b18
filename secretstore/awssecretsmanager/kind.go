package awssecretsmanager

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Kind is AWS Secrets Manager in the configuration.
func Kind() storekind.Kind {
	return storekind.Kind{
		Name: "aws", Title: "AWS Secrets Manager", Settings: func() storekind.Settings { return &Settings{} }, Discover: discover,
	}
}

// Settings say where one account and region keeps its secrets.
type Settings struct {
	// Region; empty for what the environment or the profile says.
	Region string
	// Profile of the shared AWS configuration; empty for the environment's.
	Profile string
	// AssumeRole is a role to take on; none if its ARN is empty.
	AssumeRole AssumeRole
	// Endpoint in place of AWS's own; empty for that.
	Endpoint string
	// CreateMissing: a secret that is not there is made, encrypted with KMSKeyID
	// and with Tags.
	CreateMissing bool
	KMSKeyID      string
	Tags          map[string]string
	// Payload is how a key is written.
	Payload payload.Settings
}

var (
	_ storekind.Settings = (*Settings)(nil)
	_ storekind.ByHand   = (*Settings)(nil)
	_ storekind.Named    = (*Settings)(nil)
)

// Options implements [storekind.Settings].
func (s *Settings) Options() []storekind.Option {
	options := []storekind.Option{
		{
			Name: "region", Into: &s.Region, Asked: true, Pattern: `^[a-z]{2}(-[a-z]+)+-[0-9]+$`, Want: "want for example eu-west-1",
			Doc:      "The AWS region. Left out, that of the profile or of AWS_REGION.",
			Examples: []string{"eu-west-1", "us-east-1"},
		},
		{
			Name: "profile", Into: &s.Profile,
			Doc: "A profile of the shared AWS configuration. Left out, credentials come from where every AWS tool takes them: " +
				"the environment, a web identity (EKS), the role of the pod, task or machine.",
		},
		{
			Name: "assume_role", Into: s.AssumeRole.options(),
			Doc: "A role to take on with these credentials, such as one in another account.",
		},
		{
			Name: "endpoint", Into: &s.Endpoint, URL: true,
			Want: "write for example https://vpce-0123456789abcdef0.secretsmanager.eu-west-1.vpce.amazonaws.com",
			Doc:  "Another address of the service, such as a VPC endpoint; plain http only for a loopback host, such as an emulator.",
		},
		{
			Name: "create_missing", Into: &s.CreateMissing, Asked: true,
			Doc: "Makes a secret that is not there on the first write. Left out, false: " +
				"a mistyped name is an error rather than a new secret.",
		},
		{
			Name: "kms_key_id", Into: &s.KMSKeyID,
			Doc: "The KMS key to encrypt a new secret with. Left out, the account's aws/secretsmanager.",
		},
		{Name: "tags", Into: &s.Tags, Doc: "Tags for a new secret. A secret that is there keeps its own."},
	}
	return append(options, s.Payload.Options()...)
}

func (a *AssumeRole) options() []storekind.Option {
	return []storekind.Option{
		{
			Name: "arn", Into: &a.ARN, Required: true, Pattern: `^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$`,
			Want: "want arn:aws:iam::ACCOUNT:role/NAME", Doc: "The role's ARN.",
		},
		{Name: "external_id", Into: &a.ExternalID, Doc: "The external id that the role's trust policy asks for."},
	}
}

// Check implements [storekind.Settings].
func (s *Settings) Check(c storekind.Checker) {
	s.Payload.Check(c)
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		if reason := badTag(key, s.Tags[key]); reason != "" {
			c.Fail("tags", reason, "bad tag %s", c.Quote(key))
		}
	}
}

// badTag says why AWS would refuse a tag (API reference, data type Tag); empty
// if it would not.
func badTag(key, value string) string {
	const text = `[\p{L}\p{Z}\p{N}_.:/=+@-]`
	switch {
	case strings.HasPrefix(strings.ToLower(key), "aws:") || strings.HasPrefix(key, ours):
		return "keys that begin with aws: or rotator/ are taken"
	case !storekind.Pattern(`^`+text+`{1,128}$`).MatchString(key) || !storekind.Pattern(`^`+text+`{0,256}$`).MatchString(value):
		return "want letters, digits, spaces and _.:/=+-@, at most 128 in the key and 256 in the value"
	default:
		return ""
	}
}

// namePattern is what AWS takes (API reference, CreateSecret), less "!", with which
// AWS names the secrets that its own services manage.
const namePattern = `[A-Za-z0-9/_+=.@-]{1,512}`

// secretARN matches a secret's ARN: its region, and its name with the six
// characters that AWS adds.
func secretARN() *regexp.Regexp {
	return storekind.Pattern(`^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):[0-9]{12}:secret:(` + namePattern + `)$`)
}

// Refuse implements [storekind.Settings].
func (s *Settings) Refuse(secret string) string {
	m := secretARN().FindStringSubmatch(secret)
	switch {
	case m != nil && s.Region != "" && m[1] != s.Region:
		return "its ARN is of another region than the store"
	case m == nil && strings.HasPrefix(secret, "arn:"):
		return "want the ARN of a secret: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME"
	case m == nil && !storekind.Pattern(`^`+namePattern+`$`).MatchString(secret):
		return "want an ARN, or a name of letters, digits and /_+=.@-, at most 512"
	default:
		return ""
	}
}

// Place implements [storekind.Settings]. It does not know which account the
// credentials are of: the same secret through two profiles is not noticed.
func (s *Settings) Place(secret string) string {
	region, name := s.Region, secret
	if m := secretARN().FindStringSubmatch(secret); m != nil {
		region, name = m[1], storekind.Pattern(`-[A-Za-z0-9]{6}$`).ReplaceAllString(m[2], "")
	}
	return strings.Join([]string{s.Endpoint, s.Profile, s.AssumeRole.ARN, region, name}, " ")
}

// PutCommand implements [storekind.ByHand].
func (s *Settings) PutCommand(secret string) string {
	command := "aws secretsmanager put-secret-value --secret-id " + secret + " --secret-string file:///dev/stdin"
	if s.Region != "" {
		command += " --region " + s.Region
	}
	if s.Profile != "" {
		command += " --profile " + s.Profile
	}
	return command
}

// Open implements [storekind.Settings]. All secrets of a site share a client: a
// role is taken on once, not for each of them.
func (s *Settings) Open(ctx context.Context, env *storekind.Environment, secret string) (secretstore.Store, error) {
	form, err := s.Payload.Form()
	if err != nil {
		return nil, err
	}
	site := Site{Region: s.Region, Profile: s.Profile, Endpoint: s.Endpoint, AssumeRole: s.AssumeRole}.Of(secret)
	client, err := storekind.Share(env, site, func() (*Client, error) { return Connect(ctx, site) })
	if err != nil {
		return nil, err
	}
	o := Options{Secret: secret, Payload: form, Owner: env.Owner, Now: env.Now}
	if s.CreateMissing {
		o.Create = &Create{KMSKeyID: s.KMSKeyID, Tags: s.Tags}
	}
	return client.Open(o), nil
}
