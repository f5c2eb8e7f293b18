package instantly_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const nextValue = "CANARYnextadminNTU1NTU1NTU1=="

// kept gives a credential that is kept where somebody has put another one by now, and
// counts how often that was read.
func kept(by string, reads *int) func(*instantly.Options) {
	return func(o *instantly.Options) {
		o.Credential = instantly.NewCredential(secret.New(adminValue), func(context.Context) (secret.Value, error) {
			*reads++
			return secret.New(by), nil
		})
	}
}

// onlyNext answers to the successor, and refuses its predecessor with a body.
func onlyNext(refusal string) *fakeAPI {
	return &fakeAPI{answer: func(_ int, r sent) (*http.Response, error) {
		if r.Header.Get("Authorization") != "Bearer "+nextValue {
			return reply(401, refusal), nil
		}
		return reply(200, keyBody), nil
	}}
}

// bearers gives what the requests were made with.
func bearers(api *fakeAPI) (values []string) {
	for _, r := range api.requests() {
		values = append(values, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}
	return values
}

func TestAdminKeyThatWasReplacedIsTakenUpWhenItIsRefused(t *testing.T) {
	reads, api := 0, onlyNext(deadBody)
	c := newClient(t, api, kept(nextValue, &reads))
	for range 2 {
		if k, err := c.CreateKey(t.Context(), "n", []string{"leads:read"}); err != nil || k.ID != keyID {
			t.Fatalf("key %v, error %v", k.ID, err)
		}
	}
	if got := bearers(api); !slices.Equal(got, []string{adminValue, nextValue, nextValue}) || reads != 1 {
		t.Errorf("%d requests, the store was read %d times: want one refused, and two with the successor", len(got), reads)
	}
}

func TestAdminKeyThatWasNotReplacedIsTriedOnce(t *testing.T) {
	reads, api := 0, onlyNext(deadBody)
	_, err := newClient(t, api, kept(adminValue, &reads)).CreateKey(t.Context(), "n", []string{"leads:read"})
	wantIs(t, err, instantly.ErrUnauthorized)
	if errors.Is(err, instantly.ErrOutcomeUnknown) || len(api.requests()) != 1 {
		t.Errorf("%d requests, error %v", len(api.requests()), err)
	}
}

// A key that lives but may not do what was asked is no other one's predecessor.
func TestLackOfAScopeIsNoReasonToReadTheAdminKeyAgain(t *testing.T) {
	reads, api := 0, onlyNext(scopeBody)
	_, err := newClient(t, api, kept(nextValue, &reads)).CreateKey(t.Context(), "n", []string{"leads:read"})
	wantIs(t, err, instantly.ErrScope)
	if reads != 0 || len(api.requests()) != 1 {
		t.Errorf("%d requests, the store was read %d times", len(api.requests()), reads)
	}
}

// A create that may have been done is never sent again, whatever happened to the
// admin key meanwhile.
func TestCreateThatMayHaveBeenDoneIsNotSentAgain(t *testing.T) {
	for name, api := range map[string]*fakeAPI{
		"no answer": failing(errors.New("reset")), "503": always(503, `{"message":"x"}`),
		"a 401 that is not the API's": always(401, "<html>"), "half an answer": {answer: func(int, sent) (*http.Response, error) {
			return replyFrom(200, breaksOff(`{"id":`)), nil
		}},
	} {
		reads := 0
		_, err := newClient(t, api, kept(nextValue, &reads)).CreateKey(t.Context(), "n", []string{"leads:read"})
		if err == nil || reads != 0 || len(api.requests()) != 1 {
			t.Errorf("%s: error %v, %d requests, the store was read %d times", name, err, len(api.requests()), reads)
		}
	}
}

// A test call asks about the value that is tested, and about no other.
func TestTestCallThatIsRefusedChangesNoAdminKey(t *testing.T) {
	reads, api := 0, onlyNext(deadBody)
	p := newClient(t, api, kept(nextValue, &reads)).Probe(t.Context(), secret.New(keyValue), []string{"leads:read"})
	if p.Verdict != instantly.Invalid || reads != 0 || !slices.Equal(bearers(api), []string{keyValue}) {
		t.Errorf("verdict %v, %d requests, the store was read %d times", p.Verdict, len(api.requests()), reads)
	}
}

func TestClientsThatShareAnAdminKeyTakeItsSuccessorUpTogether(t *testing.T) {
	api, shared := onlyNext(deadBody), instantly.NewCredential(secret.New(adminValue), nil)
	share := func(o *instantly.Options) { o.AdminKey, o.Credential = secret.Value{}, shared }
	one, other := newClient(t, api, share), newClient(t, api, share)
	one.ActWith(secret.New(nextValue))
	if _, err := other.CreateKey(t.Context(), "n", []string{"leads:read"}); err != nil {
		t.Error(err)
	}
}

func TestAdminKeyIsAskedForAllThatItMustBeAbleTo(t *testing.T) {
	page := `{"items":[]}`
	for name, c := range map[string]struct {
		list, remove *http.Response
		want         error
	}{
		"able":            {reply(200, page), reply(404, `{"message":"API key not found"}`), nil},
		"may not list":    {reply(401, scopeBody), nil, instantly.ErrScope},
		"may not delete":  {reply(200, page), reply(401, scopeBody), instantly.ErrScope},
		"dead":            {reply(401, deadBody), nil, instantly.ErrUnauthorized},
		"nothing is said": {reply(200, page), reply(503, ""), instantly.ErrUnavailable},
	} {
		api := &fakeAPI{answer: func(n int, r sent) (*http.Response, error) {
			if r.Header.Get("Authorization") != "Bearer "+nextValue || r.Header.Get("X-As-Workspace") != "" {
				t.Errorf("%s: %s with another key, or for another workspace", name, r.Method)
			}
			if n == 0 {
				return c.list, nil
			}
			return c.remove, nil
		}}
		err := newClient(t, api, func(o *instantly.Options) { o.AsWorkspace = "sub" }).CheckAdmin(t.Context(), secret.New(nextValue))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
