package vaultkv_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

func tokenFile(t testing.TB, token string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	writeFile(t, path, token)
	return path
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEachMethodLogsIn(t *testing.T) {
	for _, preferred := range []string{"BAO_TOKEN", "BAO_SECRET_ID"} {
		t.Setenv(preferred, "")
		if err := os.Unsetenv(preferred); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("VAULT_TOKEN", vaulttest.RootToken)
	t.Setenv("VAULT_SECRET_ID", "shh")
	jwt, secretID := tokenFile(t, "ey.jwt"), tokenFile(t, "shh")
	for name, c := range map[string]struct {
		auth vaultkv.Auth
		path string
		body map[string]string
	}{
		"token in the environment":     {auth: vaultkv.Auth{}},
		"token in a file":              {auth: vaultkv.Auth{Method: "token", TokenFile: tokenFile(t, vaulttest.RootToken)}},
		"kubernetes":                   {vaultkv.Auth{Method: "kubernetes", Role: "r", JWTFile: jwt}, "auth/kubernetes/login", map[string]string{"role": "r", "jwt": "ey.jwt"}},
		"jwt at another mount":         {vaultkv.Auth{Method: "jwt", Mount: "ci/jwt", Role: "r", JWTFile: jwt}, "auth/ci/jwt/login", map[string]string{"role": "r", "jwt": "ey.jwt"}},
		"approle":                      {vaultkv.Auth{Method: "approle", RoleID: "id", SecretIDFile: secretID}, "auth/approle/login", map[string]string{"role_id": "id", "secret_id": "shh"}},
		"approle with the environment": {vaultkv.Auth{Method: "approle", RoleID: "id"}, "auth/approle/login", map[string]string{"role_id": "id", "secret_id": "shh"}},
	} {
		w := newWorld(vaulttest.NewKV())
		w.server.Namespace = "growth/eu"
		w.server.Logins = map[string]vaulttest.Login{c.path: {Body: c.body, Token: vaulttest.RootToken}}
		s := w.openAs(t, newPath(), c.auth)
		steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
		logins := slices.DeleteFunc(w.server.Calls(), func(call string) bool { return !strings.HasSuffix(call, "/login") })
		if want := c.path != ""; len(logins) > 1 || want != (len(logins) == 1) {
			t.Errorf("%s: logins %v", name, logins)
		}
	}
}

// TestATokenIsReplacedBeforeItExpiresAndWhenItIsRefused, and no call fails for it.
func TestATokenIsReplacedBeforeItExpiresAndWhenItIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(vaulttest.NewKV())
		login := func(token string) {
			w.server.Logins = map[string]vaulttest.Login{"auth/approle/login": {Token: token, Lease: time.Hour}}
		}
		granted := []string{"create", "read", "update"}
		path := newPath()
		w.server.Policy = map[string][]string{}
		for _, at := range []string{"data/" + path, "data/" + path + "-rotator", "metadata/" + path + "-rotator", "destroy/" + path} {
			w.server.Policy["secret/"+at] = granted
		}
		login("first")
		s := w.openAs(t, path, vaultkv.Auth{Method: "approle", RoleID: "id", SecretIDFile: tokenFile(t, "shh")})
		steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
		login("second")
		time.Sleep(59 * time.Minute)
		steps.Must(t, s, steps.Annotating("late"))
		login("third")
		w.server.Revoke("second")
		time.Sleep(time.Minute)
		steps.Must(t, s, steps.Annotating("refused"))
		if logins := strings.Count(strings.Join(w.server.Calls(), "\n"), "/login"); logins != 3 {
			t.Errorf("%d logins, want 3", logins)
		}
	})
}

// TestATokenFileIsReadAgain: Vault Agent puts another token there.
func TestATokenFileIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, file := newWorld(vaulttest.NewKV()), tokenFile(t, "stale")
		s := w.openAs(t, newPath(), vaultkv.Auth{TokenFile: file})
		_, err := s.Describe(t.Context())
		steps.WantError(t, err, secretstore.ErrDenied)
		writeFile(t, file, vaulttest.RootToken)
		time.Sleep(time.Minute)
		steps.Must(t, s, steps.Annotating("x"))
	})
}

func TestATokenThatNobodyElseRenewsIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(vaulttest.NewKV())
		s := w.open(t, newPath())
		for range 10 {
			steps.Describe(t, s)
			time.Sleep(time.Hour + time.Minute)
		}
		if n := w.server.Renewed(); n < 5 || n > 10 {
			t.Errorf("%d renewals in ten hours", n)
		}
	})
}

func TestWithoutACredentialItIsSaidWhatLacks(t *testing.T) {
	for _, name := range []string{"BAO_TOKEN", "VAULT_TOKEN", "BAO_SECRET_ID", "VAULT_SECRET_ID", "BAO_ADDR", "VAULT_ADDR"} {
		t.Setenv(name, "")
	}
	for says, auth := range map[string]vaultkv.Auth{
		"there is none in BAO_TOKEN or VAULT_TOKEN":         {},
		"there is none in BAO_SECRET_ID or VAULT_SECRET_ID": {Method: "approle", RoleID: "id"},
		"no-token: no such file or directory":               {TokenFile: filepath.Join(t.TempDir(), "no-token")},
	} {
		_, err := newWorld(vaulttest.NewKV()).openAs(t, newPath(), auth).Describe(t.Context())
		steps.WantError(t, err, secretstore.ErrDenied, says)
	}
	_, err := vaultkv.Connect(vaultkv.Site{}, nil)
	steps.WantError(t, err, secretstore.ErrNotFound, "set BAO_ADDR or VAULT_ADDR")
}

func TestARefusedLoginIsSaid(t *testing.T) {
	w := newWorld(vaulttest.NewKV())
	w.server.Logins = map[string]vaulttest.Login{"auth/approle/login": {Body: map[string]string{"secret_id": "other"}}}
	_, err := w.openAs(t, newPath(), vaultkv.Auth{Method: "approle", RoleID: "id", SecretIDFile: tokenFile(t, "canary-4711")}).Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrDenied, "log in at auth/approle/login", "400 invalid role or secret ID")
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("the error shows the secret id: %v", err)
	}
}
