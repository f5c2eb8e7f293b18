package vaultkv_test

import (
	"net/http"
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

// lookEvery is how often the daemon reads a secret unless told otherwise.
const lookEvery = 10 * time.Minute

// admitFor gives a store by a token that expires unless it is renewed.
func (w *world) admitFor(t testing.TB, period time.Duration) *vaultkv.Store {
	t.Helper()
	path := newPath()
	w.server.Policy = enough(path)
	w.server.AdmitFor("s.periodic", period)
	return w.openAs(t, path, vaultkv.Auth{TokenFile: tokenFile(t, "s.periodic")})
}

// enough is all that a store needs at a path.
func enough(path string) map[string][]string {
	policy := map[string][]string{}
	for _, at := range []string{"data/" + path, "data/" + path + "-rotator", "metadata/" + path + "-rotator", "destroy/" + path} {
		policy["secret/"+at] = []string{"create", "read", "update"}
	}
	return policy
}

// TestAPeriodicTokenOfHalfAnHourLives: the daemon looks every ten minutes, and nobody
// else renews the token.
func TestAPeriodicTokenOfHalfAnHourLives(t *testing.T) {
	for _, period := range []time.Duration{30 * time.Minute, time.Hour, 32 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(vaulttest.NewKV())
			s := w.admitFor(t, period)
			for range 6 * 24 {
				steps.Describe(t, s)
				time.Sleep(lookEvery)
			}
			if n, most := w.server.Renewed(), int(1+24*time.Hour*2/period); n > most {
				t.Errorf("%d renewals in a day of a token of %s", n, period)
			}
		})
	}
}

// TestARenewalThatMeetsAnOutageIsMadeUpFor, at the next look and not when the token is dead.
func TestARenewalThatMeetsAnOutageIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(vaulttest.NewKV())
		s := w.admitFor(t, time.Hour)
		steps.Describe(t, s)
		time.Sleep(31 * time.Minute)
		w.server.Down = true
		_, err := s.Describe(t.Context())
		steps.WantError(t, err, secretstore.ErrUnavailable)
		time.Sleep(30 * time.Second)
		w.server.Down = false
		for range 12 {
			steps.Describe(t, s)
			time.Sleep(lookEvery)
		}
	})
}

// TestATokenIsRenewedAtAStart: commands that end soon, each hour by cron, keep it alive.
func TestATokenIsRenewedAtAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(vaulttest.NewKV())
		w.admitFor(t, 90*time.Minute)
		for range 10 {
			path := newPath()
			w.server.Policy = enough(path)
			steps.Describe(t, w.openAs(t, path, vaultkv.Auth{TokenFile: tokenFile(t, "s.periodic")}))
			time.Sleep(time.Hour)
		}
	})
}

// TestATokenThatCannotBeRenewedServes, such as root's: the server is asked once an hour.
func TestATokenThatCannotBeRenewedServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(vaulttest.NewKV())
		w.server.Unrenewable = true
		s := w.open(t, newPath())
		for range 6 * 10 {
			steps.Describe(t, s)
			time.Sleep(lookEvery)
		}
		if n := w.server.Renewed(); n > 10 {
			t.Errorf("asked %d times in ten hours", n)
		}
	})
}

// TestATokenServesUntilItsEndWhileNoneCanBeHad: nobody answers logins for a while, and no
// call fails for it as long as the token is good.
func TestATokenServesUntilItsEndWhileNoneCanBeHad(t *testing.T) {
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusPreconditionFailed, 472} {
		synctest.Test(t, func(t *testing.T) {
			w, path := newWorld(vaulttest.NewKV()), newPath()
			w.server.Policy = enough(path)
			logsIn := map[string]vaulttest.Login{"auth/jwt/login": {Token: "s.login", Lease: time.Hour}}
			w.server.Logins = logsIn
			s := w.openAs(t, path, vaultkv.Auth{Method: "jwt", Role: "r", JWTFile: tokenFile(t, "ey.jwt")})
			steps.Describe(t, s)
			time.Sleep(41 * time.Minute)
			w.server.Logins = map[string]vaulttest.Login{"auth/jwt/login": {Status: status}}
			for range 15 * 4 {
				if _, err := s.Describe(t.Context()); err != nil {
					t.Fatalf("with %d: %v", status, err)
				}
				time.Sleep(15 * time.Second)
			}
			if logins := strings.Count(strings.Join(w.server.Calls(), "\n"), "/login"); logins > 17 {
				t.Errorf("%d logins in a quarter of an hour", logins-1)
			}
			time.Sleep(4*time.Minute + time.Second) // the token is dead
			_, err := s.Describe(t.Context())
			steps.WantError(t, err, secretstore.ErrUnavailable, "log in at auth/jwt/login")
			w.server.Logins = logsIn
			steps.Describe(t, s)
		})
	}
}

// TestALoginThatIsRefusedIsSaidAtOnce: somebody took the role away.
func TestALoginThatIsRefusedIsSaidAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, path := newWorld(vaulttest.NewKV()), newPath()
		w.server.Policy = enough(path)
		w.server.Logins = map[string]vaulttest.Login{"auth/jwt/login": {Token: "s.login", Lease: time.Hour}}
		s := w.openAs(t, path, vaultkv.Auth{Method: "jwt", Role: "r", JWTFile: tokenFile(t, "ey.jwt")})
		steps.Describe(t, s)
		w.server.Logins = map[string]vaulttest.Login{"auth/jwt/login": {Status: http.StatusBadRequest}}
		time.Sleep(41 * time.Minute)
		_, err := s.Describe(t.Context())
		steps.WantError(t, err, secretstore.ErrDenied, "log in at auth/jwt/login")
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
		steps.WantError(t, err, secretstore.ErrNoCredentials, says)
	}
	_, err := vaultkv.Connect(vaultkv.Site{}, nil)
	steps.WantError(t, err, secretstore.ErrNotFound, "set BAO_ADDR or VAULT_ADDR")
}

// TestNoErrorShowsACredentialThatAGatewayRepeats.
func TestNoErrorShowsACredentialThatAGatewayRepeats(t *testing.T) {
	const credential = "canary-4711"
	file := tokenFile(t, credential)
	for path, auth := range map[string]vaultkv.Auth{
		"auth/approle/login": {Method: "approle", RoleID: "id", SecretIDFile: file},
		"auth/jwt/login":     {Method: "jwt", Role: "r", JWTFile: file},
	} {
		for status, want := range map[int]error{http.StatusBadRequest: secretstore.ErrDenied, http.StatusBadGateway: secretstore.ErrUnavailable} {
			w := newWorld(vaulttest.NewKV())
			w.server.Logins = map[string]vaulttest.Login{path: {Status: status, Text: "blocked: {" + credential + "}"}}
			_, err := w.openAs(t, newPath(), auth).Describe(t.Context())
			steps.WantError(t, err, want, "log in at "+path, "repeats what it was sent")
			if strings.Contains(err.Error(), credential) {
				t.Errorf("the error shows the credential: %v", err)
			}
		}
	}
}

// TestNoTokenIsSentInClearToAnotherMachine: the environment's address is held to what the
// file's is. Nothing of it is repeated: it may have a password in it.
func TestNoTokenIsSentInClearToAnotherMachine(t *testing.T) {
	t.Setenv("BAO_ADDR", "")
	if err := os.Unsetenv("BAO_ADDR"); err != nil {
		t.Fatal(err)
	}
	for address, says := range map[string]string{
		"http://vault.example.com:8200":  "BAO_ADDR or VAULT_ADDR: plain http would show keys to the network: write https",
		"http://127.0.0.1.example.com/":  "write https",
		"vault.example.com:8200":         "not the address of a web server: write for example https://vault.example.com:8200",
		"10.0.0.1:8200":                  "not the address of a web server",
		"https://u:canary-4711@v.com":    "an address with a user",
		"https://v.com/?k=canary-4711":   "an address with a user, a query",
		"https://canary-4711:not-a-port": "not the address",
		"unix:///run/vault-agent.sock":   "",
		"http://127.0.0.1:8200":          "",
		"http://[::1]:8200":              "",
		"http://localhost:8200/":         "",
		"https://vault.example.com:8200": "",
	} {
		t.Setenv("VAULT_ADDR", address)
		_, err := vaultkv.Connect(vaultkv.Site{}, nil)
		switch {
		case says == "" && err != nil:
			t.Errorf("%s: %v", address, err)
		case says != "":
			steps.WantError(t, err, secretstore.ErrUnfit, says)
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%s is repeated: %v", address, err)
			}
		}
	}
	_, err := vaultkv.Connect(vaultkv.Site{Address: "http://vault.example.com:8200"}, nil)
	steps.WantError(t, err, secretstore.ErrUnfit, "address: plain http")
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
