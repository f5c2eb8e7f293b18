package awssecretsmanager

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Without credentials the metadata service of a machine at EC2 is asked last, which is
// not there on others: nobody should have to wait long, or to know its address.
func TestNoCredentialsAreToldSoonAndWithTheWaysToGiveThem(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_ROLE_ARN": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
		"AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_CONFIG_FILE": "/nowhere", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1",
	} {
		t.Setenv(name, value)
	}
	c, err := Connect(t.Context(), Site{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = c.Open(Options{Secret: "sending"}).Describe(ctx)
	if !errors.Is(err, secretstore.ErrNoCredentials) || !strings.Contains(err.Error(), "no credentials were found for AWS: DescribeSecret: set AWS_ACCESS_KEY_ID") {
		t.Error(err)
	}
}

func TestAReplicaNamesThePrimarysRegion(t *testing.T) {
	st := state{arn: "arn:aws:secretsmanager:us-east-1:111122223333:secret:sending-abcdef", primary: "eu-west-1"}
	if err := st.writable(); !errors.Is(err, secretstore.ErrDenied) || !strings.Contains(err.Error(), "region: eu-west-1") {
		t.Error(err)
	}
	r := read(st.clone())
	if advice := strings.Join(r.advice(), "\n"); !strings.Contains(advice, "eu-west-1") {
		t.Errorf("advice %q", advice)
	}
}

func TestAPendingVersionOfSomebodyElsesComesWithTheCommandThatGivesItUp(t *testing.T) {
	st := state{arn: "arn", labels: map[string]string{labelCurrent: "v1", labelPending: "v2"}}
	r := read(st.clone())
	const want = "aws secretsmanager update-secret-version-stage --secret-id arn --version-stage AWSPENDING --remove-from-version-id v2"
	if advice := strings.Join(r.advice(), "\n"); !strings.Contains(advice, want) {
		t.Errorf("advice %q", advice)
	}
}

func TestLabelsThatAreNotOursAreNamedWhenThereIsNoRoom(t *testing.T) {
	st := state{labels: map[string]string{labelCurrent: "v1", "team/old": "v1", "blue": "v1"}}
	for i := range maxLabels {
		st.labels["z"+string(rune('a'+i))] = "v1"
	}
	op := &write{reading: read(st.clone())}
	if err := op.room(1); !errors.Is(err, secretstore.ErrDenied) || !strings.Contains(err.Error(), `"blue", "team/old"`) {
		t.Error(err)
	}
}

func TestHTTPSAgainstAPlainPortSaysSo(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	c, err := Connect(t.Context(), Site{
		Region: "eu-west-1", Endpoint: strings.Replace(plain.URL, "http:", "https:", 1), Credentials: aws.AnonymousCredentials{},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Open(Options{Secret: "sending"}).Describe(t.Context())
	if !errors.Is(err, secretstore.ErrUnavailable) || !strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
		t.Error(err)
	}
}
