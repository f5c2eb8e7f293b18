package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

func roundTrip(t *testing.T, ctx context.Context, h http.HandlerFunc, body io.Reader) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://sandbox.test/a%20b?c=d", body)
	if err != nil {
		t.Fatal(err)
	}
	return sandbox.Transport(h).RoundTrip(r)
}

func TestTransportShowsTheHandlerAServersRequest(t *testing.T) {
	var got []string
	_, err := roundTrip(t, t.Context(), func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = []string{r.Host, r.RequestURI, r.URL.Path, r.RemoteAddr, string(body)}
	}, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"sandbox.test", "/a%20b?c=d", "/a b", "127.0.0.1:1", "hello"}, got); d != "" {
		t.Error(d)
	}
}

func TestTransportGivesTheHandlersAnswer(t *testing.T) {
	resp, err := roundTrip(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Before", "1")
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-After", "1")
		_, _ = io.WriteString(w, "tea")
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusTeapot || string(body) != "tea" || err != nil || resp.Header.Get("X-Before") != "1" || resp.Header.Get("X-After") != "" {
		t.Errorf("got %s, %v, %q, %v", resp.Status, resp.Header, body, err)
	}
}

func TestTransportAnswersOKWhereTheHandlerSaysNothing(t *testing.T) {
	resp, err := roundTrip(t, t.Context(), func(http.ResponseWriter, *http.Request) {}, nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("got %v, %v", resp, err)
	}
}

func TestTransportGivesAnErrorForADroppedConnection(t *testing.T) {
	_, err := roundTrip(t, t.Context(), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestTransportLetsOtherPanicsThrough(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the panic is lost")
		}
	}()
	_, _ = roundTrip(t, t.Context(), func(http.ResponseWriter, *http.Request) { panic("a bug") }, nil)
}

func TestTransportEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := roundTrip(t, ctx, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTransportCallsNobodyForADeadContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := roundTrip(t, ctx, func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

type closed struct {
	io.Reader
	is *bool
}

func (c closed) Close() error { *c.is = true; return nil }

func TestTransportClosesTheRequestsBody(t *testing.T) {
	is := false
	if _, err := roundTrip(t, t.Context(), func(http.ResponseWriter, *http.Request) {}, closed{strings.NewReader(""), &is}); err != nil || !is {
		t.Errorf("closed %v, error %v", is, err)
	}
}
