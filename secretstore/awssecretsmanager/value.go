package awssecretsmanager

import (
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// stored is a version's value as AWS has it: text, or bytes that somebody else
// put. This file is the only one of the package in which a value is in clear.
type stored struct {
	value  secret.Value
	absent bool // the version has neither text nor bytes
}

// hide wraps a value as soon as it has come in.
func hide(out *secretsmanager.GetSecretValueOutput) stored {
	switch {
	case out.SecretString != nil:
		return stored{value: secret.New(*out.SecretString)}
	case out.SecretBinary != nil:
		return stored{value: secret.New(string(out.SecretBinary))}
	default:
		return stored{absent: true}
	}
}

// show puts a value on the wire.
func (s stored) show(in *secretsmanager.PutSecretValueInput) {
	text := s.value.Reveal()
	in.SecretString = &text
}

// tooLarge tells whether AWS would refuse the value for its size.
func (s stored) tooLarge() bool { return len(s.value.Reveal()) > maxValue }

// maxValue is the most bytes of a value: user guide, "AWS Secrets Manager
// quotas".
const maxValue = 65536
