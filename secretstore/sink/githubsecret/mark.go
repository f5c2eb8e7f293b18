package githubsecret

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/rest"
)

// Put implements [sink.Sink]. The mark follows the value, and has the time at which GitHub
// wrote it.
func (m *Marked) Put(ctx context.Context, version string, value secret.Value) error {
	there, err := m.set(ctx, unmarked)
	if err != nil {
		return err
	}
	if err := m.Sink.Put(ctx, version, value); err != nil {
		return err
	}
	written, err := m.written(ctx)
	if err != nil {
		return err
	}
	text := version + " " + written
	if there {
		_, err = m.set(ctx, text)
		return err
	}
	return m.create(ctx, text)
}

// Holds implements [sink.Holder].
func (m *Marked) Holds(ctx context.Context) (string, error) {
	var found struct {
		Value string `json:"value"`
	}
	a, err := m.o.Client.call(ctx, http.MethodGet, m.variable(), nil, &found)
	switch {
	case err != nil:
		return "", err
	case a.Status == http.StatusNotFound:
		return "", nil
	case !a.OK():
		return "", fmt.Errorf("github: read the variable %s: %w", m.o.Place.markName(), withRight(a.Refused(), "Variables: write"))
	}
	version, then, _ := strings.Cut(found.Value, " ")
	written, err := m.written(ctx)
	if err != nil || written == "" || written != then || version == unmarked {
		return "", err
	}
	return version, nil
}

func (m *Marked) variable() string { return m.o.Place.variables() + "/" + m.o.Place.markName() }

// written is when the secret was written last, as GitHub says it; empty if there is none.
func (m *Marked) written(ctx context.Context) (string, error) {
	var found struct {
		Updated string `json:"updated_at"`
	}
	a, err := m.o.Client.call(ctx, http.MethodGet, m.path(), nil, &found)
	switch {
	case err != nil:
		return "", err
	case a.Status == http.StatusNotFound:
		return "", nil
	case !a.OK():
		return "", fmt.Errorf("github: read %s: %w", m.o.Place, withRight(a.Refused(), "Secrets: write"))
	case found.Updated == "" || strings.ContainsAny(found.Updated, " \n"):
		return "", fmt.Errorf("github: read %s: %w", m.o.Place, a.Unreadable("no time of its last change"))
	}
	return found.Updated, nil
}

// unmarked is the variable's text while a value is being written.
const unmarked = "-"

// set writes the variable, if it is there.
func (m *Marked) set(ctx context.Context, text string) (there bool, err error) {
	a, err := m.o.Client.call(ctx, http.MethodPatch, m.variable(), map[string]any{"name": m.o.Place.markName(), "value": text}, nil)
	switch {
	case err != nil:
		return false, err
	case a.Status == http.StatusNotFound:
		return false, nil
	case !a.OK():
		return false, m.notMarked(a)
	default:
		return true, nil
	}
}

// create makes the variable, as visible as the secret.
func (m *Marked) create(ctx context.Context, text string) error {
	body := map[string]any{"name": m.o.Place.markName(), "value": text}
	if err := m.keepVisibility(ctx, body); err != nil {
		return err
	}
	a, err := m.o.Client.call(ctx, http.MethodPost, m.o.Place.variables(), body, nil)
	switch {
	case err != nil:
		return err
	case a.Status == http.StatusConflict: // somebody else made it meanwhile
		_, err := m.set(ctx, text)
		return err
	case !a.OK():
		return m.notMarked(a)
	default:
		return nil
	}
}

func (m *Marked) notMarked(a rest.Answer) error {
	return fmt.Errorf("github: write the variable %s, which tells which key the secret is; without the right to, set mark: false: %w",
		m.o.Place.markName(), withRight(a.Refused(), "Variables: write"))
}
