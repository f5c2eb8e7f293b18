package gcpsecretmanager_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// storing gives a store that writes keys as the template says; nil for the key
// alone.
func storing(t testing.TB, template map[string]string) func(*gcpsecretmanager.Options) {
	t.Helper()
	if template == nil {
		return func(o *gcpsecretmanager.Options) { o.Payload = payload.Raw{} }
	}
	form, err := payload.NewJSON(template)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *gcpsecretmanager.Options) { o.Payload = form }
}

// openJSON gives a store that keeps the key in the field token, and its id.
func openJSON(t testing.TB, server *gcptest.Server) *gcpsecretmanager.Store {
	t.Helper()
	return open(t, server, storing(t, map[string]string{"token": "{key}", "id": "{id}"}))
}

// wantStored checks what readers of the latest version get, to the letter.
func wantStored(t testing.TB, server *gcptest.Server, want string) {
	t.Helper()
	if got := server.Served(id, "latest"); got != want {
		t.Errorf("latest serves %s, want %s", got, want)
	}
}

func TestJSONPayloadKeepsTheOtherFields(t *testing.T) {
	server := newServer(t)
	server.Put(id, `{"host": "smtp", "token": "theirs"}`)
	s := openJSON(t, server)
	must(t, s, reserving("a"), staging("a"), promoting("a"))
	wantStored(t, server, `{"host":"smtp","id":"a","token":"value of a"}`)
	if got, err := s.Read(t.Context(), "a"); err != nil || !got.Equal(valueOf("a")) {
		t.Errorf("read: %v, or another value", err)
	}
	// A person changes a field of the live secret, and leaves the key as it is.
	server.Put(id, `{"host":"smtp2","id":"a","token":"value of a"}`)
	must(t, s, destroying("gcp-version-1"), staging("b"), promoting("b"))
	wantStored(t, server, `{"host":"smtp2","id":"b","token":"value of b"}`)
}

func TestFieldsOfADisabledVersionComeFromTheOneBefore(t *testing.T) {
	server := newServer(t)
	server.Put(id, `{"host": "smtp"}`)
	s := openJSON(t, server)
	must(t, s, staging("a"), promoting("a"))
	server.Set(id, 2, secretmanagerpb.SecretVersion_DISABLED)
	must(t, s, staging("b"))
	wantStored(t, server, `{"host":"smtp","id":"b","token":"value of b"}`)
}

// A version given up leaves readers with all the fields that were there.
func TestGivenUpJSONVersionIsCoveredByTheCurrentOne(t *testing.T) {
	server := newServer(t)
	server.Put(id, `{"host": "smtp", "token": "theirs"}`)
	s := openJSON(t, server)
	must(t, s, staging("a"), promoting("a"), staging("b"), destroying("b"))
	wantStored(t, server, `{"host":"smtp","id":"a","token":"value of a"}`)
}

func TestHandMadeObjectWithoutTheKeyIsNoKey(t *testing.T) {
	server := newServer(t)
	server.Put(id, `{"host": "smtp"}`)
	s := openJSON(t, server)
	wantHeld(t, s, "/gcp-version-1/")
	_, err := s.Read(t.Context(), "gcp-version-1")
	wantError(t, err, secretstore.ErrNotFound)
}

func TestDamagedFieldsAreNotKept(t *testing.T) {
	server := newServer(t)
	s := openJSON(t, server)
	seen := must(t, s, staging("a"), promoting("a"))
	server.Quirks = gcptest.Quirks{DamageAccess: true, NoChecksums: true}
	_, err := staging("b").call(t, s, seen)
	wantError(t, err, secretstore.ErrCorrupt)
	server.Quirks = gcptest.Quirks{}
	if n := len(server.Versions(id)); n != 1 {
		t.Errorf("%d versions are stored, want the first one only", n)
	}
}

func TestValueThatIsTooLargeIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	before := len(server.Calls())
	_, err := s.Stage(t.Context(), describe(t, s), version("a"), secret.New(strings.Repeat("x", 64*1024+1)))
	wantError(t, err, secretstore.ErrDenied)
	if err == nil || !strings.Contains(err.Error(), "larger than the 65536 bytes") {
		t.Errorf("error %v", err)
	}
	for _, c := range server.Calls()[before:] {
		if c.Method == "UpdateSecret" || c.Method == "AddSecretVersion" {
			t.Errorf("%s was called", c.Method)
		}
	}
}
