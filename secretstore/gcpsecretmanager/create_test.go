package gcpsecretmanager_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/protobuf/proto"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

func TestAbsentSecretNamesTheCommandThatMakesIt(t *testing.T) {
	server := newServer(t)
	for _, c := range []struct{ location, says string }{
		{"", "gcloud secrets create other --project=acme-prod --replication-policy=automatic"},
		{"europe-west3", "gcloud secrets create other --project=acme-prod --location=europe-west3"},
	} {
		s := openAt(t, server, gcpsecretmanager.Site{Location: c.location}, func(o *gcpsecretmanager.Options) { o.Secret = "other" })
		_, err := s.Describe(t.Context())
		wantError(t, err, secretstore.ErrNotFound)
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %q does not say %q", err, c.says)
		}
	}
}

func creating(c gcpsecretmanager.Create) func(*gcpsecretmanager.Options) {
	return func(o *gcpsecretmanager.Options) { o.Secret, o.CreateMissing = "other", &c }
}

func TestMissingSecretIsMadeAtTheFirstWriteAndNotBefore(t *testing.T) {
	server := newServer(t)
	s := open(t, server, creating(gcpsecretmanager.Create{Labels: map[string]string{"team": "growth"}}))
	if snap := describe(t, s); len(snap.Versions) != 0 {
		t.Errorf("a secret that is not there holds %s", held(snap))
	}
	for _, c := range server.Calls() {
		if c.Method == "CreateSecret" {
			t.Error("reading made the secret")
		}
	}
	snap := must(t, s, reserving("a"), staging("a"), promoting("a"))
	if held(snap) != "/a/" || snap.Identity == "" || server.Secret("other").GetLabels()["team"] != "growth" {
		t.Errorf("after the writes it holds %s, labels %v", held(snap), server.Secret("other").GetLabels())
	}
}

func TestSecretThatSomebodyElseMakesMeanwhileIsAConflict(t *testing.T) {
	server := newServer(t)
	s := open(t, server, creating(gcpsecretmanager.Create{}))
	seen := describe(t, s)
	server.Make("other")
	_, err := annotating("x").call(t, s, seen)
	wantError(t, err, secretstore.ErrConflict)
}

func TestHowASecretIsMade(t *testing.T) {
	key := "projects/p/locations/l/keyRings/r/cryptoKeys/k"
	encryption := &secretmanagerpb.CustomerManagedEncryption{KmsKeyName: key}
	for name, c := range map[string]struct {
		location string
		create   gcpsecretmanager.Create
		want     *secretmanagerpb.Secret
	}{
		"automatic": {"", gcpsecretmanager.Create{}, &secretmanagerpb.Secret{Replication: automatic(nil)}},
		"automatic, with a key": {"", gcpsecretmanager.Create{KMSKey: key},
			&secretmanagerpb.Secret{Replication: automatic(encryption)}},
		"in one place, with a key": {"", gcpsecretmanager.Create{Replication: []string{"europe-west3"}, KMSKey: key},
			&secretmanagerpb.Secret{Replication: inPlaces(encryption, "europe-west3")}},
		"in two places": {"", gcpsecretmanager.Create{Replication: []string{"europe-west3", "europe-west1"}},
			&secretmanagerpb.Secret{Replication: inPlaces(nil, "europe-west3", "europe-west1")}},
		"regional, with a key": {"europe-west3", gcpsecretmanager.Create{KMSKey: key},
			&secretmanagerpb.Secret{CustomerManagedEncryption: encryption}},
	} {
		server := newServer(t)
		s := openAt(t, server, gcpsecretmanager.Site{Location: c.location}, creating(c.create))
		must(t, s, annotating("x"))
		var got *secretmanagerpb.CreateSecretRequest
		for _, call := range server.Calls() {
			if req, ok := call.Request.(*secretmanagerpb.CreateSecretRequest); ok {
				got = req
			}
		}
		if !proto.Equal(got.GetSecret(), c.want) {
			t.Errorf("%s: made %v, want %v", name, got.GetSecret(), c.want)
		}
	}
}

func automatic(e *secretmanagerpb.CustomerManagedEncryption) *secretmanagerpb.Replication {
	return &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_Automatic_{
		Automatic: &secretmanagerpb.Replication_Automatic{CustomerManagedEncryption: e},
	}}
}

func inPlaces(e *secretmanagerpb.CustomerManagedEncryption, places ...string) *secretmanagerpb.Replication {
	var replicas []*secretmanagerpb.Replication_UserManaged_Replica
	for _, p := range places {
		replicas = append(replicas, &secretmanagerpb.Replication_UserManaged_Replica{Location: p, CustomerManagedEncryption: e})
	}
	return &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_UserManaged_{
		UserManaged: &secretmanagerpb.Replication_UserManaged{Replicas: replicas},
	}}
}

func TestOneKeyCannotServeTwoPlaces(t *testing.T) {
	server := newServer(t)
	s := open(t, server, creating(gcpsecretmanager.Create{Replication: []string{"a", "b"}, KMSKey: "key"}))
	_, err := annotating("x").call(t, s, describe(t, s))
	if err == nil || !strings.Contains(err.Error(), "one KMS key") {
		t.Errorf("error is %v", err)
	}
}

func TestRegionalSecretHasItsLocationInItsName(t *testing.T) {
	server := newServer(t)
	s := openAt(t, server, gcpsecretmanager.Site{Location: "europe-west3"}, creating(gcpsecretmanager.Create{}))
	snap := must(t, s, staging("a"), promoting("a"))
	want := "projects/" + gcptest.ProjectNumber + "/locations/europe-west3/secrets/other@"
	if !strings.HasPrefix(snap.Identity, want) {
		t.Errorf("identity is %q, want %q and the time it was made", snap.Identity, want)
	}
	if value, err := s.Read(t.Context(), "a"); err != nil || !value.Equal(valueOf("a")) {
		t.Errorf("read: %v", err)
	}
}

func TestSecretOfAnotherOwnerIsRefused(t *testing.T) {
	server := newServer(t)
	must(t, open(t, server), staging("a"))
	theirs := open(t, server, func(o *gcpsecretmanager.Options) { o.Owner = "staging" })
	_, err := theirs.Describe(t.Context())
	wantError(t, err, secretstore.ErrDenied)
	if err != nil && (!strings.Contains(err.Error(), `"prod"`) || !strings.Contains(err.Error(), `"staging"`)) {
		t.Errorf("error %q does not name both owners", err)
	}
}

func TestForgottenVersionsAreKeptAsConfigured(t *testing.T) {
	const enabled, disabled, destroyed = "ENABLED", "DISABLED", "DESTROYED"
	for name, c := range map[string]struct {
		keep    int
		disable bool
		want    []string
	}{
		"destroy": {0, false, []string{destroyed, destroyed, destroyed, enabled}},
		"keep 2":  {2, false, []string{destroyed, disabled, disabled, enabled}},
		"disable": {0, true, []string{disabled, disabled, disabled, enabled}},
	} {
		server := newServer(t)
		s := open(t, server, func(o *gcpsecretmanager.Options) { o.KeepVersions, o.Disable = c.keep, c.disable })
		must(t, s, staging("a"), promoting("a"))
		for _, keys := range [][2]string{{"a", "b"}, {"b", "c"}, {"c", "d"}} {
			must(t, s, staging(keys[1]), promoting(keys[1]), destroying(keys[0]))
		}
		for i, v := range server.Versions(id) {
			if v.State.String() != c.want[i] {
				t.Errorf("%s: version %d is %s, want %s", name, v.Number, v.State, c.want[i])
			}
		}
		wantServed(t, server, "d")
	}
}
