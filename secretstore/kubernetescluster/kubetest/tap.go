package kubetest

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Direct is a transport that needs no network: the handler answers in the
// caller's goroutine, so that tests in a bubble of package synctest can use it.
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

// Faults is what can happen to a request on its way.
var (
	ErrLostRequest = errors.New("the connection broke before the request arrived")
	ErrLostAnswer  = errors.New("the connection broke before the answer arrived")
)

// Tap sits between a client and a server, the stand-in or a real one.
type Tap struct {
	mu     sync.Mutex
	before func(*http.Request) error
	after  func(*http.Request) error
}

// On sets what happens to each request before it is sent and after it was
// answered; nil for nothing. An error is what the client gets: one from before
// keeps the request from the server, one from after keeps the answer from the
// client.
func (t *Tap) On(before, after func(*http.Request) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.before, t.after = before, after
}

// LoseNext breaks the connection of the next write, and of no other: before its
// effect or after it.
func (t *Tap) LoseNext(afterEffect bool) {
	lose := func(lost error) func(*http.Request) error {
		return func(r *http.Request) error {
			if r.Method == http.MethodGet {
				return nil
			}
			t.On(nil, nil)
			return lost
		}
	}
	if afterEffect {
		t.On(nil, lose(ErrLostAnswer))
	} else {
		t.On(lose(ErrLostRequest), nil)
	}
}

// Wrap gives a transport with the tap in it.
func (t *Tap) Wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := t.fault(false, r); err != nil {
			return nil, err
		}
		res, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if err := t.fault(true, r); err != nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			return nil, err
		}
		return res, nil
	})
}

func (t *Tap) fault(after bool, r *http.Request) error {
	t.mu.Lock()
	hook := t.before
	if after {
		hook = t.after
	}
	t.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(r)
}
