package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
)

// AWSStore is AWS Secrets Manager, as one account and region has it.
type AWSStore struct {
	// Region; empty for what the environment or the profile says.
	Region string
	// Profile of the shared AWS configuration; empty for the environment's.
	Profile string
	// RoleARN is a role to take on, with ExternalID if its trust policy asks for
	// one; empty if none.
	RoleARN, ExternalID string
	// Endpoint in place of AWS's own; empty for that.
	Endpoint string
	// CreateMissing: a secret that is not there is made, encrypted with KMSKeyID
	// and with Tags.
	CreateMissing bool
	KMSKeyID      string
	Tags          map[string]string
	// JSON is the template of what is stored; nil for the key alone.
	JSON map[string]string
}

// Form gives how keys are written. It fails for no configuration that was
// accepted.
func (s AWSStore) Form() (payload.Form, error) { return payloadForm(s.JSON) }

// place does not know which account the credentials are of: the same secret
// through two profiles is not noticed.
func (s AWSStore) place(secret string) string {
	region, name := s.Region, secret
	if m := awsARN().FindStringSubmatch(secret); m != nil {
		region, name = m[1], pattern(`-[A-Za-z0-9]{6}$`).ReplaceAllString(m[2], "")
	}
	return strings.Join([]string{"aws", s.Endpoint, s.Profile, s.RoleARN, region, name}, " ")
}

// awsARN matches a secret's ARN: its region, and its name with the six
// characters that AWS adds.
func awsARN() *regexp.Regexp {
	return pattern(`^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):[0-9]{12}:secret:(` + awsName + `)$`)
}

// awsName is what AWS takes (API reference, CreateSecret), less "!", with which
// AWS names the secrets that its own services manage.
const awsName = `[A-Za-z0-9/_+=.@-]{1,512}`

func (s AWSStore) refuse(secret string) string {
	m := awsARN().FindStringSubmatch(secret)
	switch {
	case m != nil && s.Region != "" && m[1] != s.Region:
		return "its ARN is of another region than the store"
	case m == nil && strings.HasPrefix(secret, "arn:"):
		return "want the ARN of a secret: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME"
	case m == nil && !pattern(`^`+awsName+`$`).MatchString(secret):
		return "want an ARN, or a name of letters, digits and /_+=.@-, at most 512"
	default:
		return ""
	}
}

// awsStoreForm is an entry of stores with kind: aws.
type awsStoreForm struct {
	mark
	Kind          text       `json:"kind"`
	Region        text       `json:"region"`
	Profile       text       `json:"profile"`
	AssumeRole    assumeForm `json:"assume_role"`
	Endpoint      text       `json:"endpoint"`
	CreateMissing flag       `json:"create_missing"`
	KMSKeyID      text       `json:"kms_key_id"`
	Tags          texts      `json:"tags"`
	Payload       text       `json:"payload"`
	JSON          texts      `json:"json"`
}

// assumeForm is a role to take on.
type assumeForm struct {
	mark
	ARN        text `json:"arn"`
	ExternalID text `json:"external_id"`
}

func (awsStoreForm) section() string { return "stores.*(aws)" }
func (assumeForm) section() string   { return "stores.*(aws).assume_role" }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f awsStoreForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f assumeForm) JSONSchemaExtend(s *jsonschema.Schema) {
	describe(s, f.section())
	s.Required = []string{"arn"}
}

func awsKind() storeKind {
	in, role := awsStoreForm{}.section(), assumeForm{}.section()
	options := []Option{
		{In: in, Name: "kind", Required: true, Doc: "What kind of store it is."},
		{
			In: in, Name: "region", Pattern: `^[a-z]{2}(-[a-z]+)+-[0-9]+$`, Want: "want for example eu-west-1",
			Doc:      "The AWS region. Left out, that of the profile or of AWS_REGION.",
			Examples: []string{"eu-west-1", "us-east-1"},
		},
		{
			In: in, Name: "profile",
			Doc: "A profile of the shared AWS configuration. Left out, credentials come from where every AWS tool takes them: " +
				"the environment, a web identity (EKS), the role of the pod, task or machine.",
		},
		{In: in, Name: "assume_role", Doc: "A role to take on with these credentials, such as one in another account."},
		{
			In: role, Name: "arn", Pattern: `^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$`,
			Want: "want arn:aws:iam::ACCOUNT:role/NAME", Doc: "The role's ARN.",
		},
		{In: role, Name: "external_id", Doc: "The external id that the role's trust policy asks for."},
		{
			In: in, Name: "endpoint",
			Doc: "Another address of the service, such as a VPC endpoint; plain http only for a loopback host, such as an emulator.",
		},
		{
			In: in, Name: "create_missing",
			Doc: "Makes a secret that is not there on the first write. Left out, false: " +
				"a mistyped name is an error rather than a new secret.",
		},
		{In: in, Name: "kms_key_id", Doc: "The KMS key to encrypt a new secret with. Left out, the account's aws/secretsmanager."},
		{In: in, Name: "tags", Doc: "Tags for a new secret. A secret that is there keeps its own."},
	}
	return storeKind{name: "aws", form: func() storeKindForm { return &awsStoreForm{} }, options: append(options, payloadOptions(in)...)}
}

func (f *awsStoreForm) resolve(c *checker) Backend {
	s := AWSStore{
		Region: f.Region.v, Profile: f.Profile.v, RoleARN: f.AssumeRole.ARN.v, ExternalID: f.AssumeRole.ExternalID.v,
		Endpoint: strings.TrimRight(f.Endpoint.v, "/"), CreateMissing: f.CreateMissing.v, KMSKeyID: f.KMSKeyID.v, Tags: f.Tags.v,
		JSON: c.template(f.Payload, f.JSON),
	}
	if f.Endpoint.ok {
		c.address(f.Endpoint.mark, s.Endpoint, "write for example https://vpce-0123456789abcdef0.secretsmanager.eu-west-1.vpce.amazonaws.com")
	}
	if f.AssumeRole.written() && !f.AssumeRole.ARN.written() && !c.hasErrorWithin(f.AssumeRole.path) {
		c.fail(f.AssumeRole.below("arn"), "the role's ARN", "is missing")
	}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		if reason := badTag(key, s.Tags[key]); reason != "" {
			c.fail(f.Tags.mark, reason, "bad tag %s", quote(key))
		}
	}
	return s
}

// badTag says why AWS would refuse a tag (API reference, data type Tag); empty
// if it would not.
func badTag(key, value string) string {
	const text = `[\p{L}\p{Z}\p{N}_.:/=+@-]`
	switch {
	case strings.HasPrefix(strings.ToLower(key), "aws:") || strings.HasPrefix(key, "rotator/"):
		return "keys that begin with aws: or rotator/ are taken"
	case !pattern(`^`+text+`{1,128}$`).MatchString(key) || !pattern(`^`+text+`{0,256}$`).MatchString(value):
		return "want letters, digits, spaces and _.:/=+-@, at most 128 in the key and 256 in the value"
	default:
		return ""
	}
}
