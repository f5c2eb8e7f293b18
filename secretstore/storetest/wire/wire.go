// Package wire is the way from a store's client to the stand-in of its service, and what
// can happen to a request on it.
package wire

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
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

// IsWrite tells whether a request changes something.
func IsWrite(r *http.Request) bool { return r.Method != http.MethodGet }

// A Hook is told of a request, whose body it may read. An error is what the client gets.
type Hook func(r *http.Request) error

// Tap sits between a client and a server, the stand-in or a real one.
type Tap struct {
	mu            sync.Mutex
	before, after Hook
}

// On sets what happens to each request before it is sent and after it was answered; nil
// for nothing. An error from before keeps the request from the server, one from after
// keeps the answer from the client.
func (t *Tap) On(before, after Hook) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.before, t.after = before, after
}

// LoseNext breaks the connection of the next write, and of no other: before it has an
// effect, or after the effect of the request that decides.
func (t *Tap) LoseNext(afterEffect bool, decides func(*http.Request) bool) {
	if afterEffect {
		t.On(nil, t.once(decides, ErrLostAnswer))
	} else {
		t.On(t.once(IsWrite, ErrLostRequest), nil)
	}
}

func (t *Tap) once(is func(*http.Request) bool, lost error) Hook {
	return func(r *http.Request) error {
		if !is(r) {
			return nil
		}
		t.On(nil, nil)
		return lost
	}
}

// Wrap gives a transport with the tap in it.
func (t *Tap) Wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		var body []byte
		if r.Body != nil {
			var err error
			if body, err = io.ReadAll(r.Body); err != nil {
				return nil, err
			}
		}
		if err := t.fault(false, with(body, r)); err != nil {
			return nil, err
		}
		res, err := next.RoundTrip(with(body, r))
		if err != nil {
			return nil, err
		}
		if err := t.fault(true, with(body, r)); err != nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			return nil, err
		}
		return res, nil
	})
}

// with gives the request with its body, to be read once more.
func with(body []byte, r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.Body = http.NoBody
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return r
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
