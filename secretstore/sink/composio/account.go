package composio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/rest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// errNoPatch says what to do with a deployment of before credentials could be replaced.
var errNoPatch = errors.New("this deployment of Composio does not replace the credential of a connected account " +
	"(its API does since April 2026): bring it up to date, or connect the account anew by a sink that is a program")

// account is what is known of a connected account. It has what is shown of a credential:
// it is never told.
type account struct {
	Alias    string `json:"alias"`
	Updated  string `json:"updated_at"`
	Disabled bool   `json:"is_disabled"`
	State    struct {
		AuthScheme string                     `json:"authScheme"`
		Val        map[string]json.RawMessage `json:"val"`
	} `json:"state"`
}

// shown is what is shown of a field of the credential; empty if nothing is.
func (a account) shown(field string) string {
	var text string
	if json.Unmarshal(a.State.Val[field], &text) != nil {
		return ""
	}
	return text
}

func (s *Sink) path() string { return "/api/v3/connected_accounts/" + url.PathEscape(s.o.Account) }

func (s *Sink) read(ctx context.Context) (account, error) {
	a, err := s.call(ctx, http.MethodGet, s.path(), nil)
	if err != nil {
		return account{}, err
	}
	if !a.OK() {
		return account{}, fmt.Errorf("composio: read %s: %w", s.o.Account, a.Refused())
	}
	var found account
	if json.Unmarshal(a.Body, &found) != nil || found.State.AuthScheme == "" || found.Updated == "" {
		return account{}, fmt.Errorf("composio: read %s: %w", s.o.Account, a.Unreadable("no account that can be understood"))
	}
	return found, nil
}

// field gives the one of the credential that has the key.
func (s *Sink) field(a account) (string, error) {
	if s.o.Field != "" {
		return s.o.Field, nil
	}
	switch a.State.AuthScheme {
	case "BEARER_TOKEN":
		return "token", nil
	case "API_KEY":
		for _, field := range []string{"api_key", "generic_api_key"} {
			if _, there := a.State.Val[field]; there {
				return field, nil
			}
		}
		return "api_key", nil
	default:
		return "", fmt.Errorf("composio: %s is connected in another way than with an API key or a bearer token; connect it so, or name the field with field: %w",
			s.o.Account, secretstore.ErrUnfit)
	}
}

// patch writes what is no secret.
func (s *Sink) patch(ctx context.Context, what string, to map[string]string) error {
	body, err := json.Marshal(to)
	if err != nil {
		return fmt.Errorf("composio: write down %s: %w", what, secretstore.ErrUnfit)
	}
	a, err := s.call(ctx, http.MethodPatch, s.path(), body)
	if err != nil {
		return err
	}
	if !a.OK() {
		return fmt.Errorf("composio: write %s of %s: %w", what, s.o.Account, a.Refused())
	}
	return nil
}

func (s *Sink) call(ctx context.Context, method, path string, body []byte) (rest.Answer, error) {
	key, err := s.o.Key(ctx)
	if err != nil {
		return rest.Answer{}, fmt.Errorf("composio: its API key: %w", err)
	}
	name, text := authorization(key)
	header := http.Header{}
	header.Set(name, text)
	a, err := s.o.Client.Do(ctx, rest.Request{Method: method, Path: path, Header: header, Body: body})
	if err != nil {
		return a, fmt.Errorf("composio: %w", err)
	}
	return a, nil
}

// marker stands between what the user wrote and the id.
const marker = " key-id "

// marking is the end of an alias that carries the mark.
func marking() *regexp.Regexp { return storekind.Pattern(`(?:^|\s)key-id (\S+)$`) }

// mark gives the id in an alias; empty if it has none.
func mark(alias string) string {
	if m := marking().FindStringSubmatch(strings.TrimSpace(alias)); m != nil {
		return m[1]
	}
	return ""
}

// ownAlias gives what the user wrote or, where that is nothing, the account's id: no two
// accounts of a user may have the same.
func ownAlias(alias, account string) string {
	if own := strings.TrimSpace(marking().ReplaceAllString(strings.TrimSpace(alias), "")); own != "" {
		return own
	}
	return account
}
