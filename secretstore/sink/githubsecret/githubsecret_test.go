package githubsecret_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret/githubtest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinktest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

var value = secret.New("Zq8Lnew-key-0000-1111-wK4v")

// world is a stand-in, its calls, and how its secrets are reached.
type world struct {
	*githubtest.Server
	*sinktest.Tap
	settings githubsecret.Settings
	env      *storekind.Environment
	secrets  map[string]string
}

func newWorld(t *testing.T) *world {
	service := githubtest.New()
	tap := &sinktest.Tap{Handler: service}
	server := httptest.NewServer(tap)
	env := &storekind.Environment{Now: time.Now}
	t.Cleanup(func() { _ = env.Close(); server.Close() })
	return &world{
		Server: service, Tap: tap, env: env, secrets: map[string]string{"token": githubtest.Token},
		settings: githubsecret.Settings{Address: server.URL, For: "actions", Mark: true, Visibility: "private"},
	}
}

func (w *world) open(t *testing.T, place string) sink.Sink {
	s, err := w.settings.Open(t.Context(), w.env, sinkkind.Opening{Section: "g", Place: place, Target: "sending",
		Credential: func(_ context.Context, name string) (secret.Value, error) { return secret.New(w.secrets[name]), nil }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) put(t *testing.T, s sink.Sink, id string) {
	t.Helper()
	if err := s.Put(t.Context(), id, value); err != nil {
		t.Fatal(err)
	}
}

// places are one of each kind: in the configuration, for whom, and in the API.
func places() []struct{ place, of, path string } {
	return []struct{ place, of, path string }{
		{"acme/web/INSTANTLY_KEY", "actions", "/repos/acme/web/actions/secrets/INSTANTLY_KEY"},
		{"acme/web/production eu/INSTANTLY_KEY", "actions", "/repos/acme/web/environments/production%20eu/secrets/INSTANTLY_KEY"},
		{"acme/INSTANTLY_KEY", "actions", "/orgs/acme/actions/secrets/INSTANTLY_KEY"},
		{"acme/web/INSTANTLY_KEY", "dependabot", "/repos/acme/web/dependabot/secrets/INSTANTLY_KEY"},
		{"acme/INSTANTLY_KEY", "dependabot", "/orgs/acme/dependabot/secrets/INSTANTLY_KEY"},
		{"acme/web/INSTANTLY_KEY", "codespaces", "/repos/acme/web/codespaces/secrets/INSTANTLY_KEY"},
	}
}

func TestSecretsKeepTheContractOfSinks(t *testing.T) {
	for _, p := range places() {
		for _, marked := range []bool{true, false} {
			if marked && p.of != "actions" {
				continue
			}
			t.Run(fmt.Sprintf("%s of %s, marked %t", p.place, p.of, marked), func(t *testing.T) {
				sinktest.Run(t, func(t *testing.T) *sinktest.Place {
					w := newWorld(t)
					w.settings.For, w.settings.Mark = p.of, marked
					return &sinktest.Place{
						Open:  func(t *testing.T) sink.Sink { return w.fresh(t, p.place) },
						Spoil: w.Spoil,
						Has: func() secret.Value {
							if s := w.Secret(p.path); s != nil {
								return secret.New(s.Value)
							}
							return secret.Value{}
						},
						ByHand: func(v secret.Value) {
							w.Put(p.path, githubtest.Secret{Value: v.Reveal(), Visibility: "all"})
						},
					}
				})
			})
		}
	}
}

// fresh opens as another process does: a limit that was told to one is not known to it.
func (w *world) fresh(t *testing.T, place string) sink.Sink {
	_ = w.env.Close()
	w.env = &storekind.Environment{Now: time.Now}
	return w.open(t, place)
}

func TestSecretOfAnOrganizationStaysVisibleToWhomItIs(t *testing.T) {
	many := []int64{}
	for id := range int64(250) {
		many = append(many, id+1)
	}
	for _, of := range []string{"actions", "dependabot"} {
		for _, was := range []githubtest.Secret{{Visibility: "all"}, {Visibility: "private"}, {Visibility: "selected"}, {Visibility: "selected", Selected: many}} {
			w := newWorld(t)
			w.settings.For, w.settings.Mark = of, of == "actions"
			path := "/orgs/acme/" + of + "/secrets/KEY"
			w.Put(path, was)
			w.put(t, w.open(t, "acme/KEY"), "k1")
			is := w.Secret(path)
			if is.Visibility != was.Visibility || !slices.Equal(is.Selected, was.Selected) || is.Value != value.Reveal() {
				t.Errorf("%s: visible to %s, %d repositories; was to %s, %d", of, is.Visibility, len(is.Selected), was.Visibility, len(was.Selected))
			}
		}
	}
}

func TestMarkIsAVariableBesideTheSecret(t *testing.T) {
	w := newWorld(t)
	w.put(t, w.open(t, "acme/web/KEY"), "k1")
	const path = "/repos/acme/web/actions/variables/KEY_KEY_ID"
	if got := w.Variable(path); !strings.HasPrefix(got, "k1 2026-") {
		t.Errorf("%s is %q", path, got)
	}
}

func TestTokenWithoutTheRightToVariablesIsToldOfBothWays(t *testing.T) {
	w := newWorld(t)
	w.NoVariables = true
	s := w.open(t, "acme/web/KEY")
	err := s.Put(t.Context(), "k1", value)
	if !errors.Is(err, secretstore.ErrDenied) || !strings.Contains(err.Error(), "Variables: write") || !strings.Contains(err.Error(), "mark: false") {
		t.Errorf("got %v", err)
	}
	w.settings.Mark = false
	s = w.fresh(t, "acme/web/KEY")
	w.put(t, s, "k1")
	if _, tells := s.(sink.Holder); tells {
		t.Error("a secret without a variable says that it can tell what it has")
	}
}

func TestPublicKeyThatIsReplacedIsReadAnew(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "acme/web/KEY")
	w.put(t, s, "k1")
	w.ReplaceKey()
	w.put(t, s, "k2")
	if w.Secret("/repos/acme/web/actions/secrets/KEY").Value != value.Reveal() {
		t.Error("it has another value")
	}
}

func TestLimitOfRequestsIsKeptToByAllSecretsOfASection(t *testing.T) {
	ends := time.Now().Truncate(time.Second).Add(10 * time.Minute)
	for name, limit := range map[string]map[string]string{
		"primary":   {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": fmt.Sprint(ends.Unix())},
		"secondary": {"Retry-After": "600"},
	} {
		for _, asApp := range []bool{false, true} { // an App may be told when it asks for its token
			w, clock := newWorld(t), ends.Add(-10*time.Minute)
			w.env.Now = func() time.Time { return clock }
			if asApp {
				w.hasApp(w.env.Now)
			}
			one, other := w.open(t, "acme/web/ONE"), w.open(t, "acme/web/OTHER")
			w.Limit = limit
			err := one.Put(t.Context(), "k1", value)
			if !errors.Is(err, secretstore.ErrUnavailable) || errors.Is(err, secretstore.ErrDenied) || !strings.Contains(err.Error(), ends.UTC().Format(time.RFC3339)) {
				t.Errorf("%s, as an App %t: %v", name, asApp, err)
			}
			w.Limit = nil
			w.Calls()
			if err := other.Put(t.Context(), "k1", value); !errors.Is(err, secretstore.ErrUnavailable) || len(w.Calls()) > 0 {
				t.Errorf("%s, as an App %t: called within the limit: %v", name, asApp, err)
			}
			clock = clock.Add(11 * time.Minute)
			w.put(t, other, "k1")
		}
	}
	w := newWorld(t)
	w.Limit = map[string]string{"X-Ratelimit-Remaining": "4000"}
	if err := w.open(t, "acme/web/ONE").Put(t.Context(), "k1", value); !errors.Is(err, secretstore.ErrDenied) {
		t.Errorf("a right that is lacking is taken for a limit: %v", err)
	}
}

func TestAppHasATokenForAnHour(t *testing.T) {
	w := newWorld(t)
	clock := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	w.env.Now = now
	w.hasApp(now)
	s := w.open(t, "acme/web/KEY")
	w.put(t, s, "k1")
	w.put(t, s, "k2")
	if w.Issued() != 1 {
		t.Errorf("%d tokens for two puts", w.Issued())
	}
	clock = clock.Add(time.Hour)
	w.Expire()
	w.put(t, s, "k3")
	for _, bad := range []string{"nonsense " + sinktest.Canary, githubtest.NewApp("x", "1", now).PEM} {
		w.secrets["private_key"] = bad
		clock = clock.Add(time.Hour)
		err := s.Put(t.Context(), "k4", value)
		if err == nil {
			t.Fatal("a key that is not the App's is taken")
		}
		sinktest.WantNoSecret(t, err, secret.New(bad))
	}
}

// hasApp has the secrets be reached by an App in place of a token.
func (w *world) hasApp(now func() time.Time) {
	app := githubtest.NewApp("Iv23abc", "4711", now)
	w.App, w.secrets = app, map[string]string{"private_key": app.PEM}
	w.settings.App, w.settings.Installation = app.ID, app.Installation
}

func TestCallsOfAPut(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "acme/web/KEY")
	w.put(t, s, "k1")
	w.Calls()
	w.put(t, s, "k2")
	want := []string{
		"PATCH /repos/acme/web/actions/variables/KEY_KEY_ID", "GET /repos/acme/web/actions/secrets/public-key",
		"PUT /repos/acme/web/actions/secrets/KEY", "GET /repos/acme/web/actions/secrets/KEY", "PATCH /repos/acme/web/actions/variables/KEY_KEY_ID",
	}
	if diff := cmp.Diff(want, w.Calls()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPlaceIsChecked(t *testing.T) {
	for place, fine := range map[string]bool{
		"acme/KEY": true, "acme/web/KEY": true, "acme/web/prod/KEY": true, "acme/web.js/KEY_2": true, "acme/web/key": false,
		"": false, "KEY": false, "acme/web/GITHUB_TOKEN": false, "acme/web/2KEY": false, "acme/web/a-b": false, "acme/../KEY": false,
		"acme/web/KEY?x": false, "acme/web/prod/more/KEY": false, "/web/KEY": false,
	} {
		if refused := (&githubsecret.Settings{For: "actions"}).Refuse(place); (refused == "") != fine {
			t.Errorf("%q: %q", place, refused)
		}
	}
	if (&githubsecret.Settings{For: "dependabot"}).Refuse("acme/web/prod/KEY") == "" {
		t.Error("Dependabot has no environments")
	}
}
