// Package githubsecret keeps a key in a secret of GitHub: of a repository, one of its
// environments or an organization, for Actions, Dependabot or Codespaces.
//
// # What is where
//
// The value is closed with the place's public key, and can never be read back. Beside a
// secret for Actions there is a variable, NAME_KEY_ID, of the key's id and the time at which
// GitHub says that the secret was written: if that is another one now, somebody changed
// the secret, and the variable vouches for nothing. It is emptied before the value is
// written, since those times have whole seconds, and written after it. What cannot be told is
// that somebody else wrote the secret between our request and the one that asks for its time, or
// within the same second: GitHub writes without conditions, answers no time, and shows nothing
// of a value. Instances of ours that come between each other put it right: see package rotator.
//
// Dependabot and Codespaces have no variables, and a token may lack the right to them: such a
// sink cannot tell what it has.
//
// # Calls
//
// A few endpoints are called, all of one form: that is why there is no client library.
package githubsecret

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
)

// Options say which secret it is.
type Options struct {
	Client *Client
	// Address of the API: what the name does not say.
	Address string
	Place   Place
	For     For
	// Visibility of an organization's secret that is made; one that is there keeps its own.
	Visibility string
}

// Sink is a secret that cannot tell which key it has.
type Sink struct{ o Options }

// Marked is a secret with a variable beside it.
type Marked struct{ Sink }

var (
	_ sink.Placed = (*Sink)(nil)
	_ sink.Holder = (*Marked)(nil)
)

// Open makes the sink of a secret without a variable; it calls nothing.
func Open(o Options) *Sink { return &Sink{o} }

// OpenMarked makes that of one with a variable.
func OpenMarked(o Options) *Marked { return &Marked{Sink{o}} }

// Name implements [sink.Sink].
func (s *Sink) Name() string {
	of := "github"
	if s.o.For != Actions {
		of = "github-" + string(s.o.For)
	}
	return sinkkind.Name(of, strings.ReplaceAll(s.o.Place.String(), " ", "+"))
}

// Where implements [sink.Placed].
func (s *Sink) Where() string { return s.o.Address }

// Put implements [sink.Sink].
func (s *Sink) Put(ctx context.Context, _ string, value secret.Value) error {
	if tooLong(value) {
		return fmt.Errorf("github: %s: GitHub takes 48 KB at most: %w", s.o.Place, secretstore.ErrUnfit)
	}
	body, err := s.sealed(ctx, value)
	if err != nil {
		return err
	}
	if err := s.keepVisibility(ctx, body); err != nil {
		return err
	}
	a, err := s.o.Client.call(ctx, http.MethodPut, s.path(), body, nil)
	switch {
	case err != nil:
		return err
	case a.Status == http.StatusUnprocessableEntity:
		return fmt.Errorf("github: write %s: it answers 422: its public key was replaced meanwhile, or the secret is not taken: %w", s.o.Place, sink.ErrUnavailable)
	case !a.OK():
		return fmt.Errorf("github: write %s: %w", s.o.Place, withRight(a.Refused(), "Secrets: write"))
	}
	return nil
}

func (s *Sink) path() string { return s.o.Place.secrets(s.o.For) + "/" + s.o.Place.Name }

// sealed gives the body with the value in it, closed with the place's key of now.
func (s *Sink) sealed(ctx context.Context, value secret.Value) (map[string]any, error) {
	var public struct {
		KeyID string `json:"key_id"`
		Key   string `json:"key"`
	}
	a, err := s.o.Client.call(ctx, http.MethodGet, s.o.Place.secrets(s.o.For)+"/public-key", nil, &public)
	switch {
	case err != nil:
		return nil, err
	case a.Status == http.StatusNotFound:
		return nil, fmt.Errorf("github: read the public key of %s: it is not there, or the token may not see it: %w", s.o.Place, a.Refused())
	case !a.OK():
		return nil, fmt.Errorf("github: read the public key of %s: %w", s.o.Place, withRight(a.Refused(), "Secrets: write"))
	}
	raw, err := base64.StdEncoding.DecodeString(public.Key)
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("github: %w", a.Unreadable("no public key"))
	}
	text, err := seal(value, (*[32]byte)(raw))
	if err != nil {
		return nil, fmt.Errorf("github: %w", err)
	}
	return map[string]any{"encrypted_value": text, "key_id": public.KeyID}, nil
}

// withRight says which right a token lacks.
func withRight(err error, right string) error {
	if errors.Is(err, secretstore.ErrDenied) {
		return fmt.Errorf("the token or App needs %s: %w", right, err)
	}
	return err
}

// keepVisibility has an organization's secret stay visible to whom it is.
func (s *Sink) keepVisibility(ctx context.Context, body map[string]any) error {
	if s.o.Place.Repository != "" {
		return nil
	}
	var found visible
	a, err := s.o.Client.call(ctx, http.MethodGet, s.path(), nil, &found)
	switch {
	case err != nil:
		return err
	case a.Status == http.StatusNotFound:
		body["visibility"] = s.o.Visibility
		return nil
	case !a.OK():
		return fmt.Errorf("github: read %s: %w", s.o.Place, withRight(a.Refused(), "Organization secrets: write"))
	case found.Visibility == "":
		return fmt.Errorf("github: read %s: %w", s.o.Place, a.Unreadable("no visibility"))
	}
	body["visibility"] = found.Visibility
	if found.Visibility != "selected" {
		return nil
	}
	ids, err := s.selected(ctx, s.path())
	if err != nil {
		return err
	}
	body["selected_repository_ids"] = s.idsAsTaken(ids)
	return nil
}

// visible is who may read something of an organization.
type visible struct {
	Visibility string `json:"visibility"`
}

// selected lists the repositories that may read it, to the last page.
func (s *Sink) selected(ctx context.Context, path string) ([]int64, error) {
	const aPage, mostPages = 100, 100
	ids := []int64{}
	for page := 1; page <= mostPages; page++ {
		var got struct {
			Total        int `json:"total_count"`
			Repositories []struct {
				ID int64 `json:"id"`
			} `json:"repositories"`
		}
		a, err := s.o.Client.call(ctx, http.MethodGet, fmt.Sprintf("%s/repositories?per_page=%d&page=%d", path, aPage, page), nil, &got)
		switch {
		case err != nil:
			return nil, err
		case !a.OK():
			return nil, fmt.Errorf("github: read which repositories may read %s: %w", s.o.Place, withRight(a.Refused(), "Organization secrets: write"))
		}
		for _, r := range got.Repositories {
			ids = append(ids, r.ID)
		}
		switch {
		case len(ids) >= got.Total:
			return ids, nil
		case len(got.Repositories) == 0:
			return nil, fmt.Errorf("github: read which repositories may read %s: %w", s.o.Place, a.Unreadable("fewer than it counts"))
		}
	}
	return nil, fmt.Errorf("github: more than %d repositories may read %s: %w", aPage*mostPages, s.o.Place, secretstore.ErrUnfit)
}

// idsAsTaken gives the ids as each kind of secret takes them: Dependabot's are texts.
func (s *Sink) idsAsTaken(ids []int64) any {
	if s.o.For != Dependabot {
		return ids
	}
	texts := make([]string, 0, len(ids))
	for _, id := range ids {
		texts = append(texts, strconv.FormatInt(id, 10))
	}
	return texts
}
