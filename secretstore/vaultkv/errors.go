package vaultkv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/openbao/openbao/api/v2"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// answer is an error that a server answered with. What is no answer of such
// a server, a proxy's page for example, may repeat anything and is not shown; nor is what
// does repeat something secret that it was sent, as a gateway in front of one may.
type answer struct {
	status int
	text   string
}

func (a answer) Error() string { return fmt.Sprintf("%d %s", a.status, a.text) }

// without gives the answer as it may be shown.
func (a answer) without(sent []secret.Value) answer {
	if slices.ContainsFunc(sent, func(value secret.Value) bool { return value.IsIn(a.text) }) {
		a.text = "(an answer that repeats what it was sent, not shown)"
	}
	if a.text = strings.Join(strings.Fields(a.text), " "); len(a.text) > maxText {
		a.text = a.text[:maxText] + "…"
	}
	return a
}

// maxText is how much of an answer's text is shown.
const maxText = 200

func newAnswer(res *api.ResponseError) answer {
	text := strings.Join(res.Errors, ": ")
	if res.RawError || strings.TrimSpace(text) == "" {
		text = http.StatusText(res.StatusCode)
	}
	return answer{res.StatusCode, text}
}

// failed maps what a call ended with to the sentinels of package secretstore, and says
// what was tried, on what, and what to do. Nothing secret that was sent is in it.
func failed(verb, path string, err error, sent ...secret.Value) error {
	var res *api.ResponseError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, secretstore.ErrDenied), errors.Is(err, secretstore.ErrNoCredentials), errors.Is(err, secretstore.ErrUnavailable):
		return fmt.Errorf("%s %s: %w", verb, path, err)
	case errors.As(err, &res):
		told := newAnswer(res)
		what, sentinel := judged(verb, path, told)
		if what != "" {
			what = ": " + what
		}
		return fmt.Errorf("%s %s: %w%s: %w", verb, path, sentinel, what, told.without(sent))
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s %s: %w: %w", verb, path, secretstore.ErrUnavailable, context.Canceled)
	default:
		return fmt.Errorf("%s %s: %w: %w", verb, path, secretstore.ErrUnavailable, err)
	}
}

func judged(verb, path string, told answer) (what string, sentinel error) {
	mount, _, _ := strings.Cut(path, "/")
	says := func(text string) bool { return strings.Contains(told.text, text) }
	switch told.status {
	case http.StatusBadRequest:
		switch {
		case says("check-and-set parameter did not match"):
			return "", secretstore.ErrConflict
		case says("Upgrading"):
			return "the engine is being upgraded to version 2", secretstore.ErrUnavailable
		}
		return "the server refuses it", secretstore.ErrDenied
	case http.StatusUnauthorized:
		return "the server does not accept the token", secretstore.ErrDenied
	case http.StatusForbidden:
		return fmt.Sprintf("needs %s on %s, and a token that is good", capabilities(verb), path), secretstore.ErrDenied
	case http.StatusNotFound:
		if says("no handler for route") {
			return "there is no secrets engine at " + mount + ", or not in this namespace", secretstore.ErrNotFound
		}
		return "", secretstore.ErrNotFound
	case http.StatusMethodNotAllowed:
		return "", errNoKV2(mount)
	case http.StatusRequestEntityTooLarge:
		return "it is too large for the server", secretstore.ErrDenied
	case http.StatusServiceUnavailable:
		if says("sealed") {
			return "the server is sealed", secretstore.ErrUnavailable
		}
	}
	return "", secretstore.ErrUnavailable // 412, 429, 472, 473, 5xx
}

// capabilities are what a call needs.
func capabilities(verb string) string {
	switch verb {
	case "write": // the server tells the two apart by whether there is something
		return "create and update"
	case "read":
		return "read"
	default:
		return "update"
	}
}

// errNoKV2 is for an engine that does not compare before it writes.
func errNoKV2(mount string) error {
	return fmt.Errorf("%w: %s is no KV engine of version 2; make one of it with: kv enable-versioning %s", secretstore.ErrUnfit, mount, mount)
}

// refusedLogin says why there is no token.
func refusedLogin(path string, err error, credential secret.Value) error {
	var res *api.ResponseError
	if !errors.As(err, &res) {
		return failed("log in at", path, err, credential)
	}
	sentinel := secretstore.ErrUnavailable
	if isRefusal(err) {
		sentinel = secretstore.ErrDenied
	}
	return fmt.Errorf("log in at %s: %w: %w", path, sentinel, newAnswer(res).without([]secret.Value{credential}))
}

// isRefusal tells whether the server answered, and would answer the same later.
func isRefusal(err error) bool {
	const drSecondary, performanceStandby = 472, 473
	var res *api.ResponseError
	if !errors.As(err, &res) {
		return false
	}
	switch res.StatusCode {
	case http.StatusPreconditionFailed, http.StatusTooManyRequests, drSecondary, performanceStandby:
		return false
	default:
		return res.StatusCode >= http.StatusBadRequest && res.StatusCode < http.StatusInternalServerError
	}
}
