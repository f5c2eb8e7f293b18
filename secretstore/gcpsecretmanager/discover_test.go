package gcpsecretmanager_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
)

// TestCredentialsForWhichGoogleGivesATokenAreFound: with their project.
func TestCredentialsForWhichGoogleGivesATokenAreFound(t *testing.T) {
	status := http.StatusOK
	google := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, `{"access_token": "an-example", "token_type": "Bearer", "expires_in": 3600}`)
	}))
	t.Cleanup(google.Close)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "my-project-123", "client_email": "rotator@my-project-123.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})),
		"token_uri":   google.URL,
	})
	path := filepath.Join(t.TempDir(), "credentials.json")
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
	t.Setenv("GOOGLE_CLOUD_PROJECT", "")
	found, err := gcpsecretmanager.Kind().Discover(t.Context())
	if want := "rotator@my-project-123.iam.gserviceaccount.com, project my-project-123"; err != nil || found.As != want || found.Settings["project"] != "my-project-123" {
		t.Errorf("found %+v, %v, want %s", found, err, want)
	}
	status = http.StatusUnauthorized
	if found, err := gcpsecretmanager.Kind().Discover(t.Context()); err == nil {
		t.Errorf("credentials that are refused are found: %+v", found)
	}
}
