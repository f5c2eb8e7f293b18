package awssecretsmanager_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// liveVariable names the beginning of the names of secrets that the live suite
// may make and delete. Credentials and region come from the environment.
const liveVariable = "INSTANTLY_ROTATOR_TEST_AWS_SECRET"

// TestContractOnAWS runs the suite on the real service, where it is asked to.
// Every claim has a secret of its own, deleted at its end for good.
func TestContractOnAWS(t *testing.T) {
	prefix := os.Getenv(liveVariable)
	if prefix == "" {
		t.Skipf("NOT RUN: %s does not name where secrets may be made", liveVariable)
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	live := &liveService{secretsmanager.NewFromConfig(cfg), cfg.Region}
	storetest.Run(t, storetest.Harness{
		Fresh: func(t *testing.T) storetest.Secret { return live.fresh(t, prefix) },
		Skip: map[string]string{
			"Of many annotates at once exactly one wins": "as on the fake: all may stand back",
		},
	})
}

type liveService struct {
	api    *secretsmanager.Client
	region string
}

func (l *liveService) fresh(t *testing.T, prefix string) storetest.Secret {
	t.Helper()
	name := aws.String(prefix + "/" + strings.ToLower(rand.Text()))
	if _, err := l.api.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: name}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in := &secretsmanager.DeleteSecretInput{SecretId: name, ForceDeleteWithoutRecovery: aws.Bool(true)}
		if _, err := l.api.DeleteSecret(context.Background(), in); err != nil {
			t.Errorf("delete %s by hand: %v", *name, err)
		}
	})
	return storetest.Secret{
		Open: func(t *testing.T) secretstore.Store {
			return openWith(t, options{awssecretsmanager.Options{Secret: *name, Owner: owner}, awssecretsmanager.Site{Region: l.region}})
		},
		PutByHand: func(t *testing.T, value secret.Value) {
			in := &secretsmanager.PutSecretValueInput{SecretId: name, SecretString: aws.String(value.Reveal())}
			if _, err := l.api.PutSecretValue(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		},
	}
}
