package gcpsecretmanager_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const canary = "canary-5e0c77b1d4a92f36"

// TestNoErrorShowsAValue has each method fail in each way with the canary about.
func TestNoErrorShowsAValue(t *testing.T) {
	wantNothingShown(t, nil)
	wantNothingShown(t, map[string]string{"token": "{key}", "id": "{id}"})
}

// wantNothingShown takes a template for a JSON payload; nil for the key alone.
func wantNothingShown(t *testing.T, template map[string]string) {
	value := secret.New(canary)
	for name, quirks := range map[string]gcptest.Quirks{
		"the server repeats the payload": {EchoPayload: true}, "payloads are damaged": {DamageAccess: true},
		"damaged without a checksum": {DamageAccess: true, NoChecksums: true},
	} {
		server := newServer(t)
		s := open(t, server, storing(t, template))
		v := version("a")
		if _, err := s.Stage(t.Context(), describe(t, s), v, value); err != nil {
			t.Fatal(err)
		}
		server.Quirks = quirks
		v.ID = "b"
		_, stage := s.Stage(t.Context(), describe(t, s), v, value)
		_, read := s.Read(t.Context(), "a")
		_, again := s.Stage(t.Context(), describe(t, s), version("a"), value)
		failed := 0
		for _, err := range []error{stage, read, again} {
			if err != nil {
				failed++
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
				t.Errorf("%s: an error shows the value", name)
			}
		}
		if failed == 0 {
			t.Errorf("%s: nothing failed", name)
		}
	}
}

func TestDamagedPayloadIsNoticed(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, staging("a"))
	server.Quirks = gcptest.Quirks{DamageAccess: true}
	_, err := s.Read(t.Context(), "a")
	wantError(t, err, secretstore.ErrUnavailable)
	server.Quirks = gcptest.Quirks{DamageAccess: true, NoChecksums: true}
	_, err = s.Read(t.Context(), "a")
	wantError(t, err, secretstore.ErrCorrupt)
}

// TestTheClientsDebugLogIsOff turns on the log of Google's client by the means
// that it offers: its messages have the payloads in them.
func TestTheClientsDebugLogIsOff(t *testing.T) {
	t.Setenv("GOOGLE_SDK_GO_LOGGING_LEVEL", "debug")
	t.Setenv("GOOGLE_SDK_GO_LOGGING", "true")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = w
	defer func() { os.Stderr = stderr }()
	server := newServer(t)
	s := open(t, server)
	if _, err := s.Stage(t.Context(), describe(t, s), version("a"), secret.New(canary)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = s.Read(ctx, "a")
	_ = w.Close()
	logged, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(logged) > 0 {
		t.Errorf("the client logged %d bytes; the value among them: %t", len(logged), strings.Contains(string(logged), canary))
	}
}
