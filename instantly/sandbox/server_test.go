package sandbox_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestDefaultSandboxHasOneWorkspaceThatCanRotateKeys(t *testing.T) {
	srv := sandbox.New(sandbox.Options{})
	spaces := srv.Workspaces()
	if len(spaces) != 1 || spaces[0].ID != sandbox.DefaultWorkspaceID || spaces[0].Name != "Acme" {
		t.Fatalf("got %+v", spaces)
	}
	c := clientOf(t, srv).as(spaces[0].AdminKey.Reveal())
	c.del(c.create("worker", "all:read").ID)
	for _, path := range []string{keysPath, auditPath, "/api/v2/workspaces/current", "/api/v2/workspace-members", "/api/v2/workspace-group-members"} {
		wantStatus(t, c.get(path), http.StatusOK)
	}
}

func TestByHandNeedsWhatIsThere(t *testing.T) {
	srv := sandbox.New(sandbox.Options{})
	if _, err := srv.AddKey("nowhere", "x"); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("add: got %v", err)
	}
	k, err := srv.AddKey(sandbox.DefaultWorkspaceID, "x", "all:read")
	if err != nil || !srv.Alive(k.Value) {
		t.Errorf("add: got %v", err)
	}
	if err := srv.DeleteKey(k.ID); err != nil || srv.Alive(k.Value) {
		t.Errorf("delete: got %v", err)
	}
	for _, id := range []string{k.ID, "nothing"} {
		if err := srv.DeleteKey(id); !errors.Is(err, sandbox.ErrNotFound) {
			t.Errorf("delete %s: got %v", id, err)
		}
	}
	if srv.Keys("nowhere") != nil || srv.Alive(secret.Value{}) {
		t.Error("there is something where nothing is")
	}
}

func TestValuesAreInNoFormattedServer(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{ControlToken: secret.New("canary-token")})
	k := admin.create("worker")
	text := fmt.Sprintf("%v %+v %#v %+v %+v", srv, srv, srv, srv.Workspaces(), srv.Keys(sandbox.DefaultWorkspaceID))
	for _, value := range []string{adminText, k.Key, "canary-token"} {
		if strings.Contains(text, value) {
			t.Error("formatting the sandbox shows a value")
		}
	}
}

func TestManyClientsAtOnceLoseNothing(t *testing.T) {
	srv, _ := inProcess(t, sandbox.Options{RateLimit: unlimited()})
	admin := overSocket(t, srv)
	const clients, rounds = 8, 20
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range rounds {
				k := admin.create("kept", "campaigns:read")
				gone := admin.create("gone", "campaigns:read")
				if a := admin.as(k.Key).get("/api/v2/campaigns"); a.status != http.StatusOK {
					t.Errorf("got status %d", a.status)
				}
				admin.del(gone.ID)
				admin.get(keysPath + "?limit=5")
				admin.get(auditPath)
				srv.SetFaults(srv.Faults())
			}
		})
	}
	wg.Wait()
	if got, want := len(srv.Keys(sandbox.DefaultWorkspaceID)), 1+2*clients*rounds; got != want {
		t.Errorf("there were %d keys; want %d", got, want)
	}
	page := 0
	for _, name := range listAll(t, admin, 100) {
		if name == "kept" {
			page++
		}
		if name == "gone" {
			t.Error("a deleted key is listed")
		}
	}
	if page != clients*rounds {
		t.Errorf("%d keys are listed; want %d", page, clients*rounds)
	}
}

func TestDroppedConnectionEndsAnHTTP2Stream(t *testing.T) {
	srv, _ := inProcess(t, sandbox.Options{})
	listener := httptest.NewUnstartedServer(srv)
	listener.EnableHTTP2 = true
	listener.StartTLS()
	t.Cleanup(listener.Close)
	c := client{t: t, http: listener.Client(), base: listener.URL, key: adminText}
	wantStatus(t, c.get(keysPath), http.StatusOK)
	srv.SetFaults(sandbox.Faults{LostCreateResponse: true})
	if a := c.post(newKey); a.err == nil {
		t.Errorf("got status %d", a.status)
	}
	srv.SetFaults(sandbox.Faults{Truncate: true})
	if a := c.get(keysPath); !errors.Is(a.err, io.ErrUnexpectedEOF) {
		t.Errorf("got error %v, body %s", a.err, a.text)
	}
}

func BenchmarkPageOfTenThousandKeys(b *testing.B) {
	srv := sandbox.New(sandbox.Options{
		Workspaces: []sandbox.Workspace{acme()}, RateLimit: unlimited(),
	})
	for range 10_000 {
		if _, err := srv.AddKey(sandbox.DefaultWorkspaceID, "worker", "all:read"); err != nil {
			b.Fatal(err)
		}
	}
	middle := srv.Keys(sandbox.DefaultWorkspaceID)[5_000].ID
	r, _ := http.NewRequest(http.MethodGet, "http://sandbox.test"+keysPath+"?limit=100&starting_after="+middle, nil)
	r.Header.Set("Authorization", "Bearer "+adminText)
	r.Header.Set("User-Agent", "benchmark/1.0")
	transport := sandbox.Transport(srv)
	for b.Loop() {
		if resp, err := transport.RoundTrip(r); err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(err)
		}
	}
}
