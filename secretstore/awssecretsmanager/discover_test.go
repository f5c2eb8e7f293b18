package awssecretsmanager_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
)

// TestCredentialsThatAWSAcceptsAreFound: with the account and the region that go with them.
func TestCredentialsThatAWSAcceptsAreFound(t *testing.T) {
	status := http.StatusOK
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::111122223333:user/ops</Arn><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	t.Cleanup(sts.Close)
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_STS": sts.URL, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "an-example",
		"AWS_REGION": "eu-west-1", "AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	found, err := awssecretsmanager.Kind().Discover(t.Context())
	if want := "account 111122223333, as arn:aws:iam::111122223333:user/ops, region eu-west-1"; err != nil || found.As != want || found.Settings["region"] != "eu-west-1" {
		t.Errorf("found %+v, %v, want %s", found, err, want)
	}
	status = http.StatusForbidden
	if found, err := awssecretsmanager.Kind().Discover(t.Context()); err == nil {
		t.Errorf("credentials that are refused are found: %+v", found)
	}
}
