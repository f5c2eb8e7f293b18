package vaulttest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// Direct is a transport that needs no network: the handler answers in the caller's
// goroutine, so that tests in a bubble of package synctest can use it.
func Direct(h http.Handler) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		if r.Body == nil {
			r.Body = http.NoBody
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		res := w.Result()
		res.Request = r
		return res, nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What can happen to a request on its way.
var (
	ErrLostRequest = errors.New("the connection broke before the request arrived")
	ErrLostAnswer  = errors.New("the connection broke before the answer arrived")
)

// Call is a request as a tap sees it.
type Call struct{ Method, Path, Body string }

// IsWrite tells whether it changes something.
func (c Call) IsWrite() bool { return c.Method != http.MethodGet }

// Decides tells whether it is the one of a store's write that has the effect: not what
// announces a promotion, destroys an old version or prepares a path.
func (c Call) Decides() bool {
	return c.IsWrite() && strings.HasPrefix(c.Path, "/v1/"+Mount+"/data/") && !strings.Contains(c.Body, `\"promotion\":`)
}

// Tap sits between a client and a server.
type Tap struct {
	mu            sync.Mutex
	before, after func(Call) error
}

// On sets what happens to each request before it is sent and after it was answered; nil
// for nothing. An error is what the client gets.
func (t *Tap) On(before, after func(Call) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.before, t.after = before, after
}

// LoseNext breaks the connection of the next write, and of no other: before it has an
// effect, or after the effect of the request that decides.
func (t *Tap) LoseNext(afterEffect bool) {
	if afterEffect {
		t.On(nil, t.once(Call.Decides, ErrLostAnswer))
	} else {
		t.On(t.once(Call.IsWrite, ErrLostRequest), nil)
	}
}

func (t *Tap) once(is func(Call) bool, lost error) func(Call) error {
	return func(c Call) error {
		if !is(c) {
			return nil
		}
		t.On(nil, nil)
		return lost
	}
}

// Wrap gives a transport with the tap in it.
func (t *Tap) Wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		c := Call{Method: r.Method, Path: r.URL.Path}
		if r.Body != nil {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			c.Body, r.Body = string(body), io.NopCloser(bytes.NewReader(body))
		}
		if err := t.fault(false, c); err != nil {
			return nil, err
		}
		res, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if err := t.fault(true, c); err != nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			return nil, err
		}
		return res, nil
	})
}

func (t *Tap) fault(after bool, c Call) error {
	t.mu.Lock()
	hook := t.before
	if after {
		hook = t.after
	}
	t.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(c)
}
