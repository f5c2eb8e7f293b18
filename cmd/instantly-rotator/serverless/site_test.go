package serverless_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/serverless"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

const (
	audience = "https://rotator-abc-ew.a.run.app"
	account  = "push@growth.iam.gserviceaccount.com"
)

// google signs tokens, and gives its keys to who asks for them.
type google struct {
	*testing.T
	key, stranger *rsa.PrivateKey
}

func newGoogle(t *testing.T) *google {
	g := &google{T: t}
	for _, key := range []**rsa.PrivateKey{&g.key, &g.stranger} {
		var err error
		if *key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// RoundTrip implements [http.RoundTripper] for its keys.
func (g *google) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.String() != "https://www.googleapis.com/oauth2/v3/certs" {
		return nil, errors.New("nobody is there")
	}
	w := httptest.NewRecorder()
	b64 := base64.RawURLEncoding.EncodeToString
	exponent := big.NewInt(int64(g.key.E)).Bytes()
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{
		"kid": "k1", "kty": "RSA", "alg": "RS256", "use": "sig", "n": b64(g.key.N.Bytes()), "e": b64(exponent),
	}}})
	return w.Result(), nil
}

// token gives one like Google's, but for what is changed.
func (g *google) token(key *rsa.PrivateKey, header, claims map[string]any) string {
	g.Helper()
	all := []map[string]any{
		{"alg": "RS256", "kid": "k1", "typ": "JWT"},
		{
			"iss": "https://accounts.google.com", "aud": audience, "email": account, "email_verified": true,
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		},
	}
	var parts []string
	for i, changed := range []map[string]any{header, claims} {
		for name, value := range changed {
			all[i][name] = value
		}
		text, err := json.Marshal(all[i])
		if err != nil {
			g.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, ".")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		g.Fatal(err)
	}
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(signature)), ".")
}

func TestOnlyTheAccountsNamedMayCall(t *testing.T) {
	g := newGoogle(t)
	callers, err := serverless.NewCallers(t.Context(), &http.Client{Transport: g}, audience, []string{account})
	if err != nil {
		t.Fatal(err)
	}
	due := 0
	r := &serverless.Runner{Log: zap.NewNop(), Now: time.Now, Config: &config.Config{}, Due: func(context.Context) error { due++; return nil }}
	site := serverless.Site{Runner: r, Who: callers.Who}.Handler()
	type changed = map[string]any
	good := g.token(g.key, nil, nil)
	unsigned, _, _ := strings.Cut(good, ".")
	for _, c := range []struct {
		name, authorization string
		want                int
	}{
		{"as it should be", "Bearer " + good, http.StatusNoContent},
		{"none", "", http.StatusUnauthorized},
		{"another scheme", "Basic " + good, http.StatusUnauthorized},
		{"not one", "Bearer abc", http.StatusUnauthorized},
		{"without a signature", "Bearer " + good[:strings.LastIndexByte(good, '.')+1], http.StatusUnauthorized},
		{"of parts alone", "Bearer " + unsigned + "..", http.StatusUnauthorized},
		{"changed after it was signed", "Bearer " + strings.Replace(good, ".", ".e30", 1), http.StatusUnauthorized},
		{"signed by somebody else", "Bearer " + g.token(g.stranger, nil, nil), http.StatusUnauthorized},
		{"of a key that Google does not have", "Bearer " + g.token(g.key, changed{"kid": "k2"}, nil), http.StatusUnauthorized},
		{"that wants no signature", "Bearer " + g.token(g.key, changed{"alg": "none"}, nil), http.StatusUnauthorized},
		{"that wants another algorithm", "Bearer " + g.token(g.key, changed{"alg": "ES256"}, nil), http.StatusUnauthorized},
		{"signed by a secret", "Bearer " + g.token(g.key, changed{"alg": "HS256"}, nil), http.StatusUnauthorized},
		{"of another issuer", "Bearer " + g.token(g.key, nil, changed{"iss": "https://accounts.example.com"}), http.StatusUnauthorized},
		{"for another service", "Bearer " + g.token(g.key, nil, changed{"aud": "https://other.run.app"}), http.StatusUnauthorized},
		{"that is over", "Bearer " + g.token(g.key, nil, changed{"exp": time.Now().Add(-time.Minute).Unix()}), http.StatusUnauthorized},
		{"of another account", "Bearer " + g.token(g.key, nil, changed{"email": "other@growth.iam.gserviceaccount.com"}), http.StatusUnauthorized},
		{"of an address that was not verified", "Bearer " + g.token(g.key, nil, changed{"email_verified": false}), http.StatusUnauthorized},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/due", strings.NewReader("{}"))
		if c.authorization != "" {
			req.Header.Set("Authorization", c.authorization)
		}
		w := httptest.NewRecorder()
		site.ServeHTTP(w, req)
		if w.Code != c.want {
			t.Errorf("a token %s: %d %s", c.name, w.Code, w.Body)
		}
	}
	if due != 1 {
		t.Errorf("%d of 1 requests had their way", due)
	}
}

func TestACallerIsNotLeftOpen(t *testing.T) {
	for _, audience := range []string{"", audience} {
		if _, err := serverless.NewCallers(t.Context(), http.DefaultClient, audience, nil); err == nil {
			t.Errorf("audience %q and no account would let anybody call", audience)
		}
	}
}

// gcpWorld is Instantly, and targets whose keys are in stores of those identities.
type gcpWorld struct {
	*testing.T
	box     *sandbox.Server
	stores  map[string]*memstore.Store // by target
	away    map[string]bool            // targets whose stores cannot be opened
	opened  int                        // and not closed
	handler http.Handler
}

// newGCPWorld has one in each project, of which the configuration knows the id: what Secret
// Manager tells has the number, 100001 of the first.
func newGCPWorld(t *testing.T, projects ...string) *gcpWorld {
	w := &gcpWorld{T: t, box: sandbox.New(sandbox.Options{}), stores: map[string]*memstore.Store{}, away: map[string]bool{}}
	cfg := &config.Config{Stores: map[string]config.Store{}}
	for i, project := range projects {
		name := target
		if i > 0 {
			name += "-" + project
		}
		cfg.Stores[project] = config.Store{Name: project, Kind: "gcp", Settings: &gcpsecretmanager.Settings{Project: project}}
		cfg.Keys = append(cfg.Keys, config.Key{Name: name, Stores: []config.StoreRef{{Store: project, Secret: "sending"}}})
		w.stores[name] = memstore.New(fmt.Sprintf("projects/%d/secrets/sending@2026-01-02T03:04:05Z", 100001+i))
	}
	r := &serverless.Runner{
		Now: time.Now, Log: zap.NewNop(), Due: func(context.Context) error { return errors.New("some target failed") }, Config: cfg,
		Open: func(_ context.Context, name string, _ func(rotator.Event)) (serverless.Opened, error) {
			if w.away[name] {
				return serverless.Opened{}, errors.New("no credentials")
			}
			w.opened++
			return w.open(name), nil
		},
	}
	t.Cleanup(func() {
		if w.opened != 0 {
			t.Errorf("%d targets were left open", w.opened)
		}
	})
	w.handler = serverless.Site{Runner: r, Who: func(*http.Request) (string, error) { return account, nil }}.Handler()
	return w
}

func (w *gcpWorld) open(name string) serverless.Opened {
	client, err := instantly.NewClient(instantly.Options{
		BaseURL: "https://api.instantly.test", AdminKey: w.box.Workspaces()[0].AdminKey, Transport: sandbox.Transport(w.box),
		Pacer: instantly.NewPacer(math.Inf(1)), RetryBudget: -1,
	})
	if err != nil {
		w.Fatal(err)
	}
	return serverless.Opened{
		Engine: rotator.New(rotator.Options{Instance: "service"}),
		Target: rotator.Target{
			Name: name, Workspace: rotator.NewWorkspace("main", apikeys.New(client), ""),
			Policy: rotator.Policy{Owner: "test", Spec: apikeys.SpecOf([]string{"campaigns:read"}), Grace: grace, Activation: time.Minute, Revocation: time.Minute},
			Stores: []rotator.NamedStore{{Name: "google", Store: w.stores[name]}},
		},
		Close: func() { w.opened-- },
	}
}

// post sends what Pub/Sub sends, and gives the answer.
func (w *gcpWorld) post(body string) (status int, said string) {
	r := httptest.NewRequestWithContext(w.Context(), http.MethodPost, "/pubsub", strings.NewReader(body))
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer.Code, answer.Body.String()
}

func message(event, secret string, at time.Time) string {
	return fmt.Sprintf(`{"message": {"attributes": {"eventType": %q, "secretId": %q, "dataFormat": "JSON_API_V1", "timestamp": %q},
		"data": "e30=", "messageId": "1", "publishTime": %q}, "subscription": "projects/growth/subscriptions/rotate"}`,
		event, secret, at.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano))
}

// issued counts the keys that were ever issued, beside the admin's.
func (w *gcpWorld) issued() int { return len(w.box.Keys(w.box.Workspaces()[0].ID)) - 1 }

func TestAMessageOfSecretManagerRotatesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGCPWorld(t, "growth")
		const secret = "projects/100001/secrets/sending"
		send := func(what, body string, status, issued int) {
			t.Helper()
			if got, said := w.post(body); got != status || w.issued() != issued {
				t.Errorf("%s: %d %s and %d keys issued, want %d and %d", what, got, said, w.issued(), status, issued)
			}
		}
		first := message("SECRET_ROTATE", secret, time.Now())
		time.Sleep(time.Second)
		send("the first", first, http.StatusNoContent, 1)
		time.Sleep(time.Hour)
		send("the first once more", first, http.StatusNoContent, 1)
		send("another event", message("SECRET_VERSION_ADD", secret, time.Now()), http.StatusNoContent, 1)
		send("one that shows that the topic works", `{"message": {"attributes": {"eventType": "TOPIC_CONFIGURED"}}}`, http.StatusNoContent, 1)
		send("one about a secret of others", message("SECRET_ROTATE", "projects/100001/secrets/other", time.Now()), http.StatusNoContent, 1)
		send("one about another project's", message("SECRET_ROTATE", "projects/654321/secrets/sending", time.Now()), http.StatusNoContent, 1)
		send("none", `[]`, http.StatusBadRequest, 1)
		send("one without a time", `{"message": {"attributes": {"eventType": "SECRET_ROTATE", "secretId": "`+secret+`"}}}`, http.StatusBadRequest, 1)
		send("one that is too long", `{"a": "`+strings.Repeat("a", 1<<20)+`"}`, http.StatusBadRequest, 1)

		w.box.SetFaults(sandbox.Faults{Unavailable: true})
		second := message("SECRET_ROTATE", secret, time.Now())
		time.Sleep(time.Second)
		send("the second, while Instantly is away", second, http.StatusServiceUnavailable, 1)
		w.box.SetFaults(sandbox.Faults{})
		time.Sleep(time.Hour)
		send("the second again", second, http.StatusNoContent, 2)
		time.Sleep(time.Minute)
		third := message("SECRET_ROTATE", secret, time.Now())
		time.Sleep(time.Second)
		send("the third, in the grace period of the second", third, http.StatusServiceUnavailable, 2)
		time.Sleep(grace + time.Hour)
		send("the third again", third, http.StatusNoContent, 3)
		send("all once more", first, http.StatusNoContent, 3)
		send("all once more", second, http.StatusNoContent, 3)
		send("all once more", third, http.StatusNoContent, 3)
	})
}

// TestSecretsOfTwoProjectsMayHaveOneName: Secret Manager tells the number of the project, which
// no configuration has to know.
func TestSecretsOfTwoProjectsMayHaveOneName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGCPWorld(t, "growth", "sales")
		send := func(what, secret string, status int, want map[string]bool) {
			t.Helper()
			before := w.current()
			body := message("SECRET_ROTATE", secret, time.Now())
			time.Sleep(time.Second)
			got, said := w.post(body)
			if got != status {
				t.Errorf("%s: %d %s, want %d", what, got, said, status)
			}
			for name, id := range w.current() {
				if rotated := id != before[name]; rotated != want[name] {
					t.Errorf("%s: %s rotated: %t", what, name, rotated)
				}
			}
		}
		send("the one in growth", "projects/100001/secrets/sending", http.StatusNoContent, map[string]bool{target: true})
		send("the one in sales", "projects/100002/secrets/sending", http.StatusNoContent, map[string]bool{target + "-sales": true})
		send("one in a project of others", "projects/777777/secrets/sending", http.StatusNoContent, nil)
		w.away[target+"-sales"] = true
		time.Sleep(2 * grace)
		send("the one in growth, while sales is away", "projects/100001/secrets/sending", http.StatusNoContent, map[string]bool{target: true})
		send("the one in sales, while it is away", "projects/100002/secrets/sending", http.StatusServiceUnavailable, nil)
	})
}

// current is the id of each target's current key.
func (w *gcpWorld) current() map[string]string {
	ids := map[string]string{}
	for name, store := range w.stores {
		snap, err := store.Describe(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		ids[name] = snap.Versions[secretstore.Current].ID
	}
	return ids
}

func TestWhatFailsIsAskedForAgain(t *testing.T) {
	w := newGCPWorld(t, "growth")
	for method, status := range map[string]int{http.MethodPost: http.StatusServiceUnavailable, http.MethodGet: http.StatusMethodNotAllowed} {
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, "/due", nil))
		if answer.Code != status {
			t.Errorf("%s: %d", method, answer.Code)
		}
	}
}
