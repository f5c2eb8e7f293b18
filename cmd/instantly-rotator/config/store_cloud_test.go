package config_test

import (
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// withStore replaces the store of the minimal file.
func withStore(store string) string {
	return strings.Replace(minimal, "{kind: file, path: ./store}", store, 1)
}

func TestAWSStoreIsRead(t *testing.T) {
	got := parse(t, withStore(`{kind: aws, region: eu-west-1, profile: prod, endpoint: "http://127.0.0.1:5000/",
    assume_role: {arn: "arn:aws:iam::111122223333:role/r", external_id: e}, create_missing: true, kms_key_id: alias/k,
    tags: {Team: "a b"}, payload: json, json: {token: "{key}", "of key": "{id}"}}`))
	want := &awssecretsmanager.Settings{
		Region: "eu-west-1", Profile: "prod", AssumeRole: awssecretsmanager.AssumeRole{ARN: "arn:aws:iam::111122223333:role/r", ExternalID: "e"},
		Endpoint: "http://127.0.0.1:5000", CreateMissing: true, KMSKeyID: "alias/k", Tags: map[string]string{"Team": "a b"},
		Payload: payload.Settings{Kind: "json", JSON: map[string]string{"token": "{key}", "of key": "{id}"}},
	}
	wantDiff(t, storekind.Settings(want), got.Stores["local"].Settings)
}

func TestAWSStoreNeedsNothingButItsKind(t *testing.T) {
	got := parse(t, withStore("{kind: aws}")).Stores["local"].Settings
	wantDiff(t, storekind.Settings(&awssecretsmanager.Settings{}), got)
	if form, err := got.(*awssecretsmanager.Settings).Payload.Form(); err != nil || form != (payload.Raw{}) {
		t.Errorf("form %T, error %v", form, err)
	}
}

func TestGCPStoreKeepsTheKeyAloneUnlessAskedOtherwise(t *testing.T) {
	got := parse(t, withStore("{kind: gcp, project: my-project}")).Stores["local"].Settings.(*gcpsecretmanager.Settings)
	if form, err := got.Payload.Form(); err != nil || form != (payload.Raw{}) {
		t.Errorf("form %T, error %v", form, err)
	}
}

func TestPayloadJSONHasADefault(t *testing.T) {
	want := map[string]string{"api_key": "{key}"}
	aws := parse(t, withStore("{kind: aws, payload: json}")).Stores["local"].Settings.(*awssecretsmanager.Settings)
	wantDiff(t, want, aws.Payload.JSON)
	gcp := parse(t, withStore("{kind: gcp, project: my-project, payload: json}")).Stores["local"].Settings.(*gcpsecretmanager.Settings)
	wantDiff(t, want, gcp.Payload.JSON)
}

func TestAWSSecretsOfTwoStoresMayShareAName(t *testing.T) {
	for _, other := range []string{"{kind: aws, region: us-east-1}", "{kind: aws, region: eu-west-1, profile: other}"} {
		text := withStore("{kind: aws, region: eu-west-1}\n  other: " + other)
		parse(t, strings.Replace(text, "[{store: local}]", "[{store: local}, {store: other}]", 1))
	}
}
