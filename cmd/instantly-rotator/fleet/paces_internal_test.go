package fleet

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// A counter is an API that remembers when requests came.
type counter struct {
	mu   sync.Mutex
	came []time.Time
}

func (c *counter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	c.came = append(c.came, time.Now())
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"items": []}`)
}

// most gives how many came within one second.
func (c *counter) most() (most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, from := range c.came {
		n := 0
		for _, at := range c.came {
			if d := at.Sub(from); d >= 0 && d < time.Second {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// The daemon rotates, audits, and begins anew after a reload: Instantly counts what all of
// that sends by the workspace.
func TestAllThatIsSentToAWorkspaceKeepsItsLimit(t *testing.T) {
	t.Parallel()
	api := &counter{}
	server := httptest.NewServer(api)
	defer server.Close()
	o := options(t, `
workspaces: {main: {admin_key: {env: ADMIN_KEY}, base_url: "`+server.URL+`", requests_per_second: 3}}
stores: {local: {kind: file, path: ./store}}
keys: [{name: sending, scopes: [leads:read], stores: [{store: local}]}]
`, map[string]string{"ADMIN_KEY": "abc"})
	o.Paces = &Paces{}
	runs, audits := Connect(o), Connect(o)
	defer runs.Close()
	defer audits.Close()
	var asking sync.WaitGroup
	for _, client := range []func(context.Context, string) (*instantly.Client, error){runs.Shared, runs.Client, audits.Client} {
		c, err := client(t.Context(), "main")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			asking.Go(func() {
				if _, err := c.Keys(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
	asking.Wait()
	if len(api.came) != 6 || api.most() > 3 {
		t.Errorf("%d requests, %d of them in one second, where 3 are allowed", len(api.came), api.most())
	}
}

func TestChangedLimitIsKeptFromThenOn(t *testing.T) {
	p, o := &Paces{}, options(t, threeKeys, nil)
	one := o.Config.Workspaces["one"]
	was := p.of(one)
	if p.of(one) != was || p.of(o.Config.Workspaces["two"]) == was {
		t.Error("a workspace has one limit, and no other one's")
	}
	one.RequestsPerSecond++
	if p.of(one) == was {
		t.Error("the limit of before is kept to")
	}
}
