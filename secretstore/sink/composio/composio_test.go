package composio_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/composio"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/composio/composiotest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinktest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

const (
	account = "ca_1"
	field   = "token"
)

var value = secret.New("Zq8Lnew-key-0000-1111-wK4v")

// project is a stand-in with one account, in which is a key that somebody put there.
func project(t *testing.T, alias string) (*composiotest.Server, *sinktest.Tap, func() sink.Sink) {
	service := &composiotest.Server{}
	service.Connect(account, alias, "BEARER_TOKEN", map[string]string{field: "Zq8Lold-key"})
	service.Connect("ca_other", "somebody's own", "BEARER_TOKEN", map[string]string{field: "other"})
	tap := &sinktest.Tap{Handler: service}
	server := httptest.NewServer(tap)
	env := &storekind.Environment{}
	t.Cleanup(func() { _ = env.Close(); server.Close() })
	return service, tap, func() sink.Sink {
		s := &composio.Settings{Address: server.URL, Tool: "INSTANTLY_LIST_CAMPAIGNS", Arguments: `{"limit": 1}`}
		opened, err := s.Open(t.Context(), env, sinkkind.Opening{Section: "c", Place: account, Target: "sending", Credential: key})
		if err != nil {
			t.Fatal(err)
		}
		return opened
	}
}

func key(_ context.Context, name string) (secret.Value, error) {
	if name != "api_key" {
		return secret.Value{}, errors.New("no such credential: " + name)
	}
	return secret.New(composiotest.Key), nil
}

func TestConnectedAccountKeepsTheContractOfSinks(t *testing.T) {
	for _, masking := range []composiotest.Masking{composiotest.Masked, composiotest.Full, composiotest.Redacted} {
		t.Run("shown "+string(masking), func(t *testing.T) {
			sinktest.Run(t, func(t *testing.T) *sinktest.Place {
				service, tap, open := project(t, "Instantly of the sales team")
				service.Masking = masking
				return &sinktest.Place{
					Open:  func(*testing.T) sink.Sink { return open() },
					Has:   func() secret.Value { return secret.New(service.Credential(account, field)) },
					Spoil: tap.Spoil,
				}
			})
		})
	}
}

func put(t *testing.T, s sink.Sink, id string) {
	t.Helper()
	if err := s.Put(t.Context(), id, value); err != nil {
		t.Fatal(err)
	}
}

func TestAliasOfTheUserStaysInFrontOfTheMark(t *testing.T) {
	for alias, want := range map[string]string{
		"Sales":               "Sales key-id k2",
		"":                    "ca_1 key-id k2",
		"Sales key-id by-you": "Sales key-id k2",
		"the key-id is mine":  "the key-id is mine key-id k2",
	} {
		service, _, open := project(t, alias)
		put(t, open(), "k1")
		put(t, open(), "k2")
		if got := service.Alias(account); got != want {
			t.Errorf("alias %q became %q, want %q", alias, got, want)
		}
	}
}

func TestOlderDeploymentIsToldApartAndSaidWhatToDo(t *testing.T) {
	for _, age := range []composiotest.Age{composiotest.Refuses, composiotest.Ignores} {
		for _, masking := range []composiotest.Masking{composiotest.Masked, composiotest.Full, composiotest.Redacted} {
			service, _, open := project(t, "Sales key-id k0")
			service.Age, service.Masking = age, masking
			s := open()
			err := s.Put(t.Context(), "k1", value)
			if !errors.Is(err, secretstore.ErrUnfit) || !strings.Contains(err.Error(), "bring it up to date") {
				t.Errorf("%s %s: %v", age, masking, err)
			}
			sinktest.WantNoSecret(t, err, value)
			if held, err := s.(sink.Holder).Holds(t.Context()); held != "" || err != nil {
				t.Errorf("%s %s: holds %q, %v, of a value that is not there", age, masking, held, err)
			}
		}
	}
}

func TestCheckWantsAToolThatSucceeds(t *testing.T) {
	service, tap, open := project(t, "Sales")
	service.Works = func(key string) bool { return key == value.Reveal() }
	s := open().(sink.Checker)
	err := s.Check(t.Context(), "k1")
	if !errors.Is(err, sink.ErrNotYet) {
		t.Errorf("with a key that does not work: %v", err)
	}
	sinktest.WantNoSecret(t, err, secret.New("Zq8Lold-key"))
	put(t, s, "k1")
	if err := s.Check(t.Context(), "k1"); err != nil {
		t.Error(err)
	}
	for fault, want := range map[sinktest.Fault]error{
		sinktest.Denied: secretstore.ErrDenied, sinktest.Down: secretstore.ErrUnavailable,
		sinktest.Missing: secretstore.ErrNotFound, sinktest.Lost: secretstore.ErrUnavailable,
	} {
		hit := tap.Spoil(1, fault)
		if err := s.Check(t.Context(), "k1"); !hit() || !errors.Is(err, want) {
			t.Errorf("%s: %v", fault, err)
		}
	}
}

func TestEachSchemeHasItsField(t *testing.T) {
	for _, c := range []struct{ scheme, field string }{
		{"BEARER_TOKEN", "token"}, {"API_KEY", "api_key"}, {"API_KEY", "generic_api_key"},
	} {
		service, _, open := project(t, "")
		service.Connect(account, "", c.scheme, map[string]string{c.field: "old", "base_url": "https://api.instantly.ai"})
		put(t, open(), "k1")
		if service.Credential(account, c.field) != value.Reveal() || service.Credential(account, "base_url") != "https://api.instantly.ai" {
			t.Errorf("%s: %s has another value, or base_url", c.scheme, c.field)
		}
	}
	service, _, open := project(t, "")
	service.Connect(account, "", "OAUTH2", map[string]string{"access_token": "old"})
	if err := open().Put(t.Context(), "k1", value); !errors.Is(err, secretstore.ErrUnfit) || service.Credential(account, "access_token") != "old" {
		t.Errorf("OAUTH2: %v", err)
	}
}

func TestCallsOfAPut(t *testing.T) {
	_, tap, open := project(t, "Sales")
	s := open()
	put(t, s, "k1")
	tap.Calls()
	put(t, s, "k2")
	const path = " /api/v3/connected_accounts/ca_1"
	want := []string{"GET" + path, "PATCH" + path, "GET" + path, "PATCH" + path, "GET" + path, "PATCH" + path}
	if diff := cmp.Diff(want, tap.Calls()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPlaceIsTheIDOfAnAccount(t *testing.T) {
	for place, fine := range map[string]bool{"ca_1a-B_2": true, "con_7": true, "": false, "ac_1": false, "ca_1/..": false, "ca_1 2": false} {
		if refused := (&composio.Settings{}).Refuse(place); (refused == "") != fine {
			t.Errorf("%q: %q", place, refused)
		}
	}
}
