package kubernetessecret_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/wire"
)

// TestUnknownOutcomes loses each write of a rotation, before its effect and after
// it: the next read shows which, all of it or none, and the write is sent once.
func TestUnknownOutcomes(t *testing.T) {
	for n, w := range steps.Rotation() {
		for _, after := range []bool{false, true} {
			c, server := standIn()
			name := c.fresh(t)
			s := c.open(t, name)
			steps.Must(t, s, steps.Rotation()[:n]...)
			before, calls := steps.Describe(t, s), len(server.Calls())
			c.tap.LoseNext(after, wire.IsWrite)
			_, err := w.Call(t.Context(), s, before)
			steps.WantError(t, err, secretstore.ErrUnavailable)
			if sent := len(server.Calls()) - calls; after && sent != 1 {
				t.Errorf("%s: %d calls for one write", w.Name, sent)
			}
			if changed := steps.Describe(t, s).Revision != before.Revision; changed != after {
				t.Errorf("%s lost after its effect: %t, had an effect: %t", w.Name, after, changed)
			}
			if !after {
				steps.Must(t, s, steps.Rotation()[n:]...)
				steps.WantHeld(t, s, "/b/")
			}
		}
	}
}

// TestBusyServerIsNotAskedTwiceToWrite is about client-go's own retries: a second
// write after one that had its effect would be a 409, and look like a lost race.
func TestBusyServerIsNotAskedTwiceToWrite(t *testing.T) {
	for _, code := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusInternalServerError, http.StatusGatewayTimeout} {
		c, server := standIn()
		name, sent := c.fresh(t), 0
		busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				server.ServeHTTP(w, r)
				return
			}
			sent++
			server.ServeHTTP(httptest.NewRecorder(), r)
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(code)
		}))
		s := newCluster(&rest.Config{Host: busy.URL}, namespace).open(t, name)
		_, err := steps.Staging("a").Call(t.Context(), s, steps.Describe(t, s))
		steps.WantError(t, err, secretstore.ErrUnavailable)
		if steps.WantHeld(t, s, "a//"); sent != 1 {
			t.Errorf("%d: the write was sent %d times", code, sent)
		}
		busy.Close()
	}
}

// TestTwoWritersAtEachPairOfSteps has one writer make a step between the read and
// the write of another, for each two steps: the later one loses, the earlier one's
// effect stands.
func TestTwoWritersAtEachPairOfSteps(t *testing.T) {
	pairs := 0
	for n := range steps.Rotation() {
		for _, late := range append(steps.Rotation(), steps.Promoting("c"), steps.Staging("d")) {
			c, _ := standIn()
			name := c.fresh(t)
			one, two := c.open(t, name), c.open(t, name)
			steps.Must(t, one, steps.Rotation()[:n]...)
			stale := steps.Describe(t, two)
			steps.Must(t, one, steps.Rotation()[n])
			want := steps.Describe(t, one)
			_, err := late.Call(t.Context(), two, stale)
			if err == nil {
				t.Errorf("%s after a concurrent %s succeeded", late.Name, steps.Rotation()[n].Name)
			}
			if got := steps.Describe(t, two); got.Revision != want.Revision {
				t.Errorf("%s after a concurrent %s: the secret is %s", late.Name, steps.Rotation()[n].Name, steps.Held(got))
			}
			pairs++
		}
	}
	t.Logf("%d pairs of steps, the late one always lost", pairs)
}

// TestWritersBetweenReadAndPatch has the other writer come as late as can be:
// when the patch is on its way.
func TestWritersBetweenReadAndPatch(t *testing.T) {
	for n, w := range steps.Rotation() {
		c, _ := standIn()
		name := c.fresh(t)
		one, two := newCluster(c.cfg, namespace).open(t, name), c.open(t, name)
		steps.Must(t, one, steps.Rotation()[:n]...)
		stale := steps.Describe(t, two)
		c.tap.On(func(r *http.Request) error {
			if r.Method == http.MethodPatch {
				c.tap.On(nil, nil)
				steps.Must(t, one, steps.Annotating("first"))
			}
			return nil
		}, nil)
		_, err := w.Call(t.Context(), two, stale)
		steps.WantError(t, err, secretstore.ErrConflict)
		if got := steps.Describe(t, two).Notes.Failure.Reason; got != "first" {
			t.Errorf("%s: the other writer's note is gone", w.Name)
		}
	}
}

func TestNothingIsBegunInASecretThatTakesNoValues(t *testing.T) {
	for _, made := range []struct{ more, says string }{
		{`,"immutable":true`, "kubectl --namespace growth delete secret sending"},
		{fmt.Sprintf(`,"stringData":{"large":%q}`, strings.Repeat("x", 1024*1024-500)), "keep what else is in it elsewhere"},
	} {
		c, _ := standIn()
		c.make(t, "sending", made.more)
		s := c.open(t, "sending")
		_, err := steps.Reserving("a").Call(t.Context(), s, steps.Describe(t, s))
		steps.WantError(t, err, secretstore.ErrDenied, made.says)
	}
	c, _ := standIn()
	c.make(t, "sending", "")
	c.edit(t, "sending", fmt.Sprintf(`{"metadata":{"annotations":{"large":%q}}}`, strings.Repeat("x", 256*1024-100)))
	s := c.open(t, "sending")
	_, err := steps.Reserving("a").Call(t.Context(), s, steps.Describe(t, s))
	steps.WantError(t, err, secretstore.ErrDenied, "bytes of values and", "of annotations")
}

func TestSecretThatTurnsImmutableMeanwhile(t *testing.T) {
	c, name, s := rotated(t)
	seen := steps.Describe(t, s)
	c.tap.On(func(r *http.Request) error {
		if r.Method == http.MethodPatch {
			c.tap.On(nil, nil)
			c.edit(t, name, `{"immutable":true}`)
		}
		return nil
	}, nil)
	_, err := steps.Destroying("a").Call(t.Context(), s, seen)
	steps.WantError(t, err, secretstore.ErrDenied, "the Secret is immutable")
	steps.WantValue(t, s, "b", steps.ValueOf("b"))
}

func TestMissingNamespaceIsNamed(t *testing.T) {
	c, _ := standIn()
	c.namespace = "nowhere"
	s := c.open(t, "sending", creating)
	_, err := steps.Reserving("a").Call(t.Context(), s, steps.Describe(t, s))
	steps.WantError(t, err, secretstore.ErrNotFound, "kubectl create namespace nowhere")
}

func creating(o *kubernetessecret.Options) {
	o.CreateMissing = &kubernetessecret.Create{Labels: map[string]string{"team": "growth"}, Annotations: map[string]string{"why": "keys"}}
}

func TestSecretIsMadeAtTheFirstWrite(t *testing.T) {
	c, server := standIn()
	s := c.open(t, "sending", creating)
	steps.WantHeld(t, s, "//")
	if server.Secret(namespace, "sending") != nil {
		t.Fatal("a read made the Secret")
	}
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
	steps.WantHeld(t, s, "/a/")
	got := server.Secret(namespace, "sending")
	if got.Labels["team"] != "growth" || got.Annotations["why"] != "keys" || string(got.Data["api-key"]) != "value-of-a" {
		t.Errorf("it is %v", got.ObjectMeta)
	}
}

func TestOfTwoThatMakeTheSecretOneWins(t *testing.T) {
	c, _ := standIn()
	one, two := c.open(t, "sending", creating), c.open(t, "sending", creating)
	seen := steps.Describe(t, two)
	steps.Must(t, one, steps.Reserving("a"))
	_, err := steps.Reserving("b").Call(t.Context(), two, seen)
	steps.WantError(t, err, secretstore.ErrConflict)
	if got := steps.Describe(t, two).Notes.Intent.Nonce; got != "nonce-a" {
		t.Errorf("the intent is %q", got)
	}
}

func TestClusterThatSaysNothingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := standIn()
		name := c.fresh(t)
		s := c.open(t, name)
		c.tap.On(func(r *http.Request) error {
			<-r.Context().Done()
			return r.Context().Err()
		}, nil)
		begun := time.Now()
		_, err := s.Describe(t.Context())
		steps.WantError(t, err, secretstore.ErrUnavailable)
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

const canary = "canary-5e0c77b1d4a92f36"

// TestNoErrorShowsAValue has the cluster, and what lies before it, repeat what
// they refuse.
func TestNoErrorShowsAValue(t *testing.T) {
	c, server := standIn()
	server.Echo = true
	name := c.fresh(t)
	s := c.open(t, name)
	seen := steps.Describe(t, s)
	errs := map[string]error{}
	_, errs["too large"] = s.Stage(t.Context(), seen, steps.Version("a"), secret.New(canary+strings.Repeat("x", 1024*1024)))
	c.tap.On(nil, func(r *http.Request) error {
		if r.Method == http.MethodGet {
			return nil
		}
		return errors.New("lost: " + canary)
	})
	_, errs["lost"] = s.Stage(t.Context(), seen, steps.Version("a"), secret.New(canary))
	c.tap.On(nil, nil)
	seen = steps.Describe(t, s)
	server.Denied = map[string]bool{"patch": true}
	_, errs["refused"] = s.Stage(t.Context(), seen, steps.Version("b"), secret.New(canary+" again"))
	for what, err := range errs {
		encoded := base64.StdEncoding.EncodeToString([]byte(canary))
		if err == nil {
			t.Errorf("%s: the call did not fail", what)
		} else if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, canary) || strings.Contains(text, encoded) {
			t.Errorf("%s: the error shows the value: %s", what, text)
		}
	}
	steps.WantError(t, errs["refused"], secretstore.ErrDenied, "not shown")
}
