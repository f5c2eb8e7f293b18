package rest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/rest"
)

func TestStatusSaysWhatKindOfFailureItIs(t *testing.T) {
	for status, want := range map[int]error{
		301: secretstore.ErrUnfit, 400: secretstore.ErrUnfit, 422: secretstore.ErrUnfit,
		401: secretstore.ErrDenied, 403: secretstore.ErrDenied, 404: secretstore.ErrNotFound,
		408: secretstore.ErrUnavailable, 429: secretstore.ErrUnavailable, 500: secretstore.ErrUnavailable, 503: secretstore.ErrUnavailable,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, "canary-body")
		}))
		client, err := rest.New(server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := client.Do(t.Context(), rest.Request{Method: http.MethodPut, Path: "/x?query=canary"})
		if err != nil || a.OK() {
			t.Fatalf("%d: %v", status, err)
		}
		refused := a.Refused()
		if !errors.Is(refused, want) || strings.Contains(refused.Error(), "canary") || !strings.Contains(refused.Error(), fmt.Sprint(status)) {
			t.Errorf("%d: %v, want %v", status, refused, want)
		}
		_ = client.Close()
		server.Close()
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	client, err := rest.New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(t.Context(), rest.Request{Method: http.MethodPut, Path: "/x", Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 {
		t.Errorf("asked for %v", asked)
	}
}

func TestKeysAreNotSentInClear(t *testing.T) {
	for address, fine := range map[string]bool{
		"https://example.com": true, "http://127.0.0.1:8080": true, "http://localhost:1": true, "http://[::1]:1": true,
		"http://example.com": false, "ftp://example.com": false, "example.com": false, "http://127.0.0.1.example.com": false, "://": false,
	} {
		if _, err := rest.New(address, nil); (err == nil) != fine {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestErrorsOfTheConnectionNeverRepeatWhatTheServerSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = fmt.Fprint(conn, "HTTP/1.1 canary nonsense\r\ncanary\r\n\r\n")
		_ = conn.Close()
	}))
	defer server.Close()
	client, err := rest.New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Do(t.Context(), rest.Request{Method: http.MethodGet, Path: "/x"})
	if !errors.Is(err, secretstore.ErrUnavailable) || strings.Contains(fmt.Sprintf("%+v", err), "canary") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client.Do(ctx, rest.Request{Method: http.MethodGet, Path: "/x"})
	if !errors.Is(err, secretstore.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
