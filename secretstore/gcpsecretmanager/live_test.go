package gcpsecretmanager_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
)

// TestLive goes through a rotation on the real service, with the Application
// Default Credentials. INSTANTLY_ROTATOR_TEST_GCP_SECRET names, in the form
// projects/PROJECT/secrets/SECRET, what the names of its secrets begin with: it
// makes one of its own and deletes it in the end.
func TestLive(t *testing.T) {
	name := strings.Split(os.Getenv("INSTANTLY_ROTATOR_TEST_GCP_SECRET"), "/")
	if len(name) != 4 {
		t.Skip("runs only where INSTANTLY_ROTATOR_TEST_GCP_SECRET names a secret")
	}
	o := gcpsecretmanager.Options{
		Project: name[1], Secret: name[3] + "-" + time.Now().UTC().Format("20060102T150405"), Owner: "live-test",
		CreateMissing: &gcpsecretmanager.Create{},
	}
	t.Cleanup(func() { deleteLive(t, "projects/"+o.Project+"/secrets/"+o.Secret) })
	bound := func() *gcpsecretmanager.Store {
		s, err := connect(t, gcpsecretmanager.Site{}).Open(o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, other := bound(), bound()
	stale := must(t, s, reserving("a"))
	must(t, s, staging("a"), promoting("a"), reserving("b"), staging("b"))
	_, err := annotating("late").call(t, other, stale)
	wantError(t, err, secretstore.ErrConflict)
	must(t, other, promoting("b"))
	wantHeld(t, s, "/b/a")
	for _, key := range []string{"a", "b"} {
		if value, err := s.Read(t.Context(), key); err != nil || !value.Equal(valueOf(key)) {
			t.Errorf("read %s: %v", key, err)
		}
	}
	must(t, s, destroying("a"), staging("c"), destroying("c"))
	wantHeld(t, other, "/b/")
	_, err = s.Read(t.Context(), "a")
	wantError(t, err, secretstore.ErrNotFound)
}

func deleteLive(t *testing.T, name string) {
	client, err := secretmanager.NewClient(context.WithoutCancel(t.Context()))
	if err == nil {
		err = client.DeleteSecret(context.WithoutCancel(t.Context()), &secretmanagerpb.DeleteSecretRequest{Name: name})
	}
	if err != nil {
		t.Errorf("delete %s yourself: %v", name, err)
	}
}
