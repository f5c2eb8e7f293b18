package gcpsecretmanager_test

import (
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// TestContractOnInexactServers shows what correctness does not depend on.
func TestContractOnInexactServers(t *testing.T) {
	for name, quirks := range map[string]gcptest.Quirks{
		"drops aliases":   {DropAliases: true},
		"refuses aliases": {RefuseAliases: true},
		"says ABORTED":    {AbortStale: true},
		"no checksums":    {NoChecksums: true},
	} {
		h := harness(quirks)
		if quirks.RefuseAliases {
			h.Skip = map[string]string{
				"A write that failed after its effect happened whole": "the fault hits the call with aliases, which has no effect here",
			}
		}
		t.Run(name, func(t *testing.T) { storetest.Run(t, h) })
	}
}

// atEndpoint opens a store as the configuration does for an emulator.
func atEndpoint(t *testing.T, server *gcptest.Server) *gcpsecretmanager.Store {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server.Serve(l)
	client := connect(t, gcpsecretmanager.Site{Endpoint: l.Addr().String()})
	s, err := client.Open(gcpsecretmanager.Options{Project: gcptest.Project, Secret: id})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEmulatorIsAskedOnceWhetherItComparesEtags(t *testing.T) {
	server := newServer(t)
	s := atEndpoint(t, server)
	got := methods(server, func() { must(t, s, annotating("x"), annotating("y")) })
	want := []string{"GetSecretVersion", "GetSecret", "UpdateSecret", "UpdateSecret", "UpdateSecret"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	must(t, s, staging("a"), promoting("a"))
	wantServed(t, server, "a")
}

func TestServerThatCannotKeepRotatorsApartIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		quirks gcptest.Quirks
		says   string
	}{
		"ignores etags":        {gcptest.Quirks{IgnoreEtags: true}, "took a write with an etag that it never gave out"},
		"never changes etags":  {gcptest.Quirks{FixedEtags: true}, "did not change the secret's etag"},
		"gives no etags":       {gcptest.Quirks{NoEtags: true}, "gives secrets no etag"},
		"forgets annotations":  {gcptest.Quirks{DropAnnotations: true}, "did not keep the annotation"},
		"ignores and fixes":    {gcptest.Quirks{IgnoreEtags: true, FixedEtags: true}, "took a write"},
		"ignores, no aliases":  {gcptest.Quirks{IgnoreEtags: true, DropAliases: true}, "took a write"},
		"forgets and ignores":  {gcptest.Quirks{IgnoreEtags: true, DropAnnotations: true}, "took a write"},
		"no etags, no aliases": {gcptest.Quirks{NoEtags: true, DropAliases: true}, "gives secrets no etag"},
	} {
		server := gcptest.New()
		t.Cleanup(server.Close)
		server.Quirks = c.quirks
		server.Make(id)
		for _, s := range []secretstore.Store{atEndpoint(t, server), atEndpoint(t, server)} {
			seen, err := s.Describe(t.Context())
			if err == nil {
				_, err = staging("a").call(t, s, seen)
			}
			wantError(t, err, secretstore.ErrUnfit)
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: error %q does not say %q", name, err, c.says)
			}
			wantVersions(t, server, 0)
		}
	}
}

// What status and plan ask is Describe: they say so before anything is tried.
func TestServerWithoutEtagsIsSeenToBeUnfitByReading(t *testing.T) {
	server := gcptest.New()
	t.Cleanup(server.Close)
	server.Quirks = gcptest.Quirks{NoEtags: true}
	server.Make(id)
	_, err := atEndpoint(t, server).Describe(t.Context())
	wantError(t, err, secretstore.ErrUnfit)
}

func TestServerOnceFoundUnfitIsUnfitToReadToo(t *testing.T) {
	server := gcptest.New()
	t.Cleanup(server.Close)
	server.Quirks = gcptest.Quirks{IgnoreEtags: true}
	server.Make(id)
	s := atEndpoint(t, server)
	_, err := staging("a").call(t, s, describe(t, s))
	wantError(t, err, secretstore.ErrUnfit)
	_, err = s.Describe(t.Context())
	wantError(t, err, secretstore.ErrUnfit)
}
