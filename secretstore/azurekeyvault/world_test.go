package azurekeyvault_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault"
	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault/azuretest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

var secrets atomic.Int64

// world is a vault with one secret, and what happens to its calls.
type world struct {
	server *azuretest.Server
	secret string
	hook   azuretest.Hook
}

func newWorld() *world { return &world{server: azuretest.New(), secret: "sending"} }

func (w *world) state() string { return w.secret + "-rotator" }

func (w *world) open(t testing.TB, change ...func(*azurekeyvault.Options)) *azurekeyvault.Store {
	t.Helper()
	c, err := azurekeyvault.ConnectAs(azuretest.Vault, azuretest.Credential(), w.server.Transport(func(r *http.Request, after bool) error {
		if w.hook == nil {
			return nil
		}
		return w.hook(r, after)
	}))
	if err != nil {
		t.Fatal(err)
	}
	o := azurekeyvault.Options{Secret: w.secret}
	for _, f := range change {
		f(&o)
	}
	s, err := c.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var errLost = errors.New("the connection broke")

// loseNext fails the next write: before its first set has its effect, or after the set
// that completes it.
func (w *world) loseNext(afterEffect bool) {
	w.hook = func(r *http.Request, after bool) error {
		last := strings.Contains(r.URL.Path, w.state())
		if r.Method != http.MethodPut || after != afterEffect || afterEffect && !last {
			return nil
		}
		w.hook = nil
		return errLost
	}
}

// forgetPromoted takes the promotion times out of the state.
func (w *world) forgetPromoted(t testing.TB) {
	t.Helper()
	w.server.Rewrite(w.state(), func(text string) string {
		var state map[string]any
		if err := json.Unmarshal([]byte(text), &state); err != nil {
			t.Fatal(err)
		}
		for _, v := range state["versions"].([]any) {
			delete(v.(map[string]any), "promoted")
		}
		out, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	})
}

// rotation is the life of one key after another, as writes.
func rotation() []steps.Write {
	return []steps.Write{
		steps.Staging("a"), steps.Promoting("a"), steps.Staging("b"), steps.Promoting("b"), steps.Destroying("a"),
		steps.Staging("c"), steps.Destroying("c"), steps.Annotating("tired"),
	}
}
