package azuretest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault/azuretest"
)

// call makes a request as the reference has it.
func call(s *azuretest.Server, method, path, body string, token bool) (status int, header http.Header, text string) {
	r := httptest.NewRequest(method, azuretest.Vault+path, strings.NewReader(body))
	if token {
		r.Header.Set("Authorization", "Bearer "+azuretest.Token)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	raw, _ := io.ReadAll(w.Body)
	return w.Code, w.Header(), string(raw)
}

const version = "?api-version=2025-07-01"

// normal puts what is drawn or told by the clock in an answer into a fixed form.
func normal(text string) string {
	text = regexp.MustCompile(`[0-9a-f]{32}`).ReplaceAllString(text, "VERSION")
	text = regexp.MustCompile(`:1[0-9]{9}\b`).ReplaceAllString(text, ":TIME")
	return strings.TrimSpace(text)
}

// TestAnswersHaveTheDocumentedShape walks through the samples of the REST reference: Set
// Secret, Get Secret, Update Secret, Get Deleted Secret, and the errors that the service
// was seen to give.
func TestAnswersHaveTheDocumentedShape(t *testing.T) {
	const path = "/secrets/mysecretname"
	attributes := `"attributes":{"enabled":true,"created":TIME,"updated":TIME,"recoveryLevel":"Recoverable+Purgeable","recoverableDays":90}`
	id := `"id":"https://acme-prod.vault.azure.net/secrets/mysecretname/VERSION",`
	s := azuretest.New()
	for _, c := range []struct {
		what               string
		do                 func()
		method, path, body string
		status             int
		want               string
	}{
		{"no such secret", nil, "GET", path + "/" + version, "", 404, `{"error":{"code":"SecretNotFound","message":"A secret with (name/id) mysecretname was not found in this key vault."}}`},
		{"no such deleted secret", nil, "GET", "/deletedsecrets/mysecretname" + version, "", 404, `{"error":{"code":"SecretNotFound","message":"A secret with (name/id) mysecretname was not found in this key vault."}}`},
		{"no value", nil, "PUT", path + version, `{}`, 400, `{"error":{"code":"BadParameter","message":"Property value is required"}}`},
		{"no version of the API", nil, "PUT", path, `{"value": "x"}`, 400, `{"error":{"code":"BadParameter","message":"api-version must be specified"}}`},
		{"a set", nil, "PUT", path + version, `{"value": "mysecretvalue", "tags": {"purpose": "unit test"}}`, 200, `{"value":"mysecretvalue",` + id + attributes + `,"tags":{"purpose":"unit test"}}`},
		{"a get", nil, "GET", path + "/" + version, "", 200, `{"value":"mysecretvalue",` + id + attributes + `,"tags":{"purpose":"unit test"}}`},
		{"a get in capitals", nil, "GET", "/secrets/MySecretName/" + version, "", 200, `{"value":"mysecretvalue",` + id + attributes + `,"tags":{"purpose":"unit test"}}`},
		{"of a disabled version", func() { s.Enable("mysecretname", false) }, "GET", path + "/" + version, "", 403, `{"error":{"code":"Forbidden","innererror":{"code":"SecretDisabled"},"message":"Operation get is not allowed on a disabled secret."}}`},
		{"a deleted secret", func() { s.Enable("mysecretname", true); s.Delete("mysecretname") }, "GET", "/deletedsecrets/mysecretname" + version, "", 200, `{` + id + attributes + `,"tags":{"purpose":"unit test"},"recoveryId":"https://acme-prod.vault.azure.net/deletedsecrets/mysecretname","deletedDate":TIME,"scheduledPurgeDate":TIME}`},
		{"a get of it", nil, "GET", path + "/" + version, "", 404, `{"error":{"code":"SecretNotFound","message":"A secret with (name/id) mysecretname was not found in this key vault."}}`},
		{"a set of it", nil, "PUT", path + version, `{"value": "x"}`, 409, `{"error":{"code":"Conflict","innererror":{"code":"ObjectIsDeletedButRecoverable"},"message":"Secret mysecretname is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."}}`},
		{"too long a value", func() { s.Recover("mysecretname") }, "PUT", path + version, `{"value": "` + strings.Repeat("x", 25*1024+1) + `"}`, 400, `{"error":{"code":"BadParameter","message":"The property value has an invalid length"}}`},
		{"too many tags", nil, "PUT", path + version, `{"value": "x", "tags": ` + manyTags(t, 16) + `}`, 400, `{"error":{"code":"BadParameter","message":"There are too many tags"}}`},
		{"an underscore", nil, "PUT", "/secrets/my_secret" + version, `{"value": "x"}`, 400, `{"error":{"code":"BadParameter","message":"The request URI contains an invalid name"}}`},
	} {
		if c.do != nil {
			c.do()
		}
		status, _, text := call(s, c.method, c.path, c.body, true)
		if status != c.status || normal(text) != c.want {
			t.Errorf("%s: %d %s\nwant %d %s", c.what, status, normal(text), c.status, c.want)
		}
	}
}

func manyTags(t *testing.T, n int) string {
	t.Helper()
	tags := map[string]string{}
	for i := range n {
		tags[strings.Repeat("x", i+1)] = "y"
	}
	text, err := json.Marshal(tags)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhoHasNoTokenIsChallenged(t *testing.T) {
	status, header, text := call(azuretest.New(), "GET", "/secrets/sending/"+version, "", false)
	const challenge = `Bearer authorization="https://login.microsoftonline.com/16b3c013-d300-468d-ac64-7eda0820b6d3", resource="https://vault.azure.net"`
	if status != 401 || header.Get("WWW-Authenticate") != challenge ||
		normal(text) != `{"error":{"code":"Unauthorized","message":"AKV10000: Request is missing a Bearer or PoP token."}}` {
		t.Errorf("%d %q %s", status, header.Get("WWW-Authenticate"), text)
	}
}

// TestASetIsCurrentAtOnceAndOldVersionsStay: an update changes one version and no other, and
// leaves out what it does not name.
func TestASetIsCurrentAtOnceAndOldVersionsStay(t *testing.T) {
	s := azuretest.New()
	s.Put("sending", "one")
	s.PutTagged("sending", "two", map[string]string{"a": "b"})
	if got := s.Served("sending"); got != "two" {
		t.Errorf("readers get %s", got)
	}
	old := s.Versions("sending")[0]
	status, _, text := call(s, "PATCH", "/secrets/sending/"+old.ID+version, `{"attributes": {"enabled": false}}`, true)
	if status != 200 || strings.Contains(text, `"value"`) || !strings.Contains(text, `"enabled":false`) {
		t.Errorf("%d %s", status, text)
	}
	now := s.Versions("sending")
	if now[0].Enabled || !now[1].Enabled || now[1].Tags["a"] != "b" {
		t.Errorf("versions are %+v", now)
	}
	if status, _, _ := call(s, "GET", "/secrets/sending/"+old.ID+version, "", true); status != 403 {
		t.Errorf("a disabled version is answered with %d", status)
	}
	if status, _, _ := call(s, "PATCH", "/secrets/sending/"+strings.Repeat("0", 32)+version, `{}`, true); status != 404 {
		t.Errorf("no version is answered with %d", status)
	}
}
