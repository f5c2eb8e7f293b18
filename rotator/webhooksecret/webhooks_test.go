package webhooksecret_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/rotator/webhooksecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	settleTime = 10 * time.Minute
	grace      = time.Hour
	first      = "the-first-one-was-made-by-hand"
)

// scene is a workspace with webhooks, their receivers, which are of package webhookauth, and
// a store.
type scene struct {
	t         *testing.T
	box       *sandbox.Server
	store     kept
	receivers map[string]http.Handler // by the host that deliveries go to
	reads     http.Handler            // the receiver that was there before turnOff
	format    webhookauth.Format
	test      bool
	// unsure: the store cannot tell when a promotion was made that was cut off. Whoever asks
	// for that rotation again is told that the value before it still lives.
	unsure bool

	mu       sync.Mutex
	accepted int
	refused  []string
}

// values are what a receiver reads in the store: the current one and the previous one.
func (s *scene) values(context.Context) (values []string, err error) {
	for _, value := range s.store.served() {
		if value != "" {
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		values = []string{first}
	}
	return values, nil
}

// RoundTrip is the way of a delivery to its receiver.
func (s *scene) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.receivers[r.URL.Host].ServeHTTP(w, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accepted++; w.Code == http.StatusUnauthorized {
		s.refused = append(s.refused, r.URL.Host)
	}
	return w.Result(), nil
}

// kept is where the secret is kept: a store for each process, and what receivers read
// there, the current value first.
type kept struct {
	open   func(rotatortest.Hook) secretstore.Store
	served func() []string
}

func inMemory() kept {
	store := memstore.New("")
	return kept{
		open: func(hook rotatortest.Hook) secretstore.Store { return rotatortest.Tap(store, hook) },
		served: func() (values []string) {
			for _, h := range store.Contents() {
				if h.Stage != secretstore.Pending {
					values = append(values, h.Value.Reveal())
				}
			}
			return values
		},
	}
}

// lateReader reads the store once in so long only, whatever is sent.
func lateReader(every time.Duration, read webhookauth.Source) webhookauth.Source {
	var mu sync.Mutex
	var known []string
	var at time.Time
	return func(ctx context.Context) ([]string, error) {
		mu.Lock()
		defer mu.Unlock()
		if at.IsZero() || time.Since(at) >= every {
			known, _ = read(ctx)
			at = time.Now()
		}
		return known, nil
	}
}

func newScene(t *testing.T, format webhookauth.Format, hosts ...string) *scene {
	s := &scene{t: t, store: inMemory(), receivers: map[string]http.Handler{}, format: format, test: true}
	s.box = sandbox.New(sandbox.Options{Deliver: s, Workspaces: []sandbox.Workspace{{
		Name: "acme", AdminScopes: []string{"webhooks:read", "webhooks:update", "webhook_events:read", "workspaces:read"},
	}}})
	t.Cleanup(s.box.Close)
	faults := s.box.Faults()
	faults.DisableAfter = 3
	s.box.SetFaults(faults)
	for _, host := range hosts {
		read := webhookauth.Source(s.values)
		if host == "late" {
			read = lateReader(settleTime-time.Minute, read)
		}
		ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		s.receivers[host] = webhookauth.New(read, webhookauth.Options{Header: "Authorization", Format: format}).Handler(ok)
		s.add(host, format.HeaderValue(first))
	}
	return s
}

func (s *scene) add(host, value string) string {
	added, err := s.box.AddWebhook(s.box.Workspaces()[0].ID, sandbox.Webhook{
		URL: "https://" + host + "/hook?token=in-the-url", Name: "ours", EventType: "all_events",
		Headers: map[string]secret.Value{"authorization": secret.New(value), "X-Team": secret.New("growth")},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return added.ID
}

// transport counts the calls of one process, which may die at one of them.
type transport struct {
	http.RoundTripper
	hook rotatortest.Hook
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.hook(r.Method, rotatortest.Before); err != nil {
		return nil, err
	}
	res, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		err = t.hook(r.Method, rotatortest.After)
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}

// run is a process of the rotator, whose outside calls go through hook.
func (s *scene) run(hook rotatortest.Hook, req rotator.Request) rotator.Result {
	s.t.Helper()
	return rotator.New(rotator.Options{InTurn: true}).Reconcile(s.t.Context(), s.target(s.client(hook), hook), req)
}

func (s *scene) client(hook rotatortest.Hook) *instantly.Client {
	s.t.Helper()
	client, err := instantly.NewClient(instantly.Options{
		AdminKey: s.box.Workspaces()[0].AdminKey, Pacer: instantly.NewPacer(100), RetryBudget: time.Second,
		Transport: transport{sandbox.Transport(s.box), hook},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

func (s *scene) target(client webhooksecret.Client, hook rotatortest.Hook) rotator.Target {
	return rotator.Target{
		Name: "replies", Workspace: rotator.NewWorkspace("acme", webhooksecret.Issuer{Now: time.Now}, ""),
		Policy: rotator.Policy{Owner: "us", Spec: webhooksecret.Spec, Grace: grace, Settle: settleTime, Activation: time.Minute},
		Stores: []rotator.NamedStore{{Name: "local", Store: s.store.open(hook)}},
		Senders: webhooksecret.Webhooks{
			Client: client, Selector: webhooksecret.Selector{Name: "ours"}, Header: "Authorization", Format: s.format, Test: s.test,
		},
	}
}

func undisturbed(string, rotatortest.When) error { return nil }

// check judges webhooks that are to send the current value.
func (s *scene) check() {
	s.t.Helper()
	if err := s.box.WaitForDeliveries(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	current, _ := s.values(s.t.Context())
	for _, h := range s.box.Webhooks(s.box.Workspaces()[0].ID) {
		if got := h.Headers["authorization"].Reveal(); h.Name == "ours" && got != s.format.HeaderValue(current[0]) {
			s.t.Errorf("%s sends another value than the current one", h.URL)
		}
		if len(h.Headers) != 2 || h.Headers["X-Team"].Reveal() != "growth" {
			s.t.Errorf("%s lost a header of others", h.URL)
		}
		if !h.Disabled.IsZero() {
			s.t.Errorf("%s was disabled", h.URL)
		}
	}
	if len(s.refused) > 0 {
		s.t.Errorf("%d of %d deliveries were refused for their secret: %q", len(s.refused), s.accepted, slices.Compact(s.refused))
	}
	if len(current) != 1 {
		s.t.Errorf("%d values are accepted in the end", len(current))
	}
}

// dyingAt dies at a call: before it has an effect, or after.
func dyingAt(call int, when rotatortest.When) rotatortest.Hook {
	calls, dead := 0, false
	return func(_ string, at rotatortest.When) error {
		if at == rotatortest.Before {
			calls++
		}
		if dead = dead || calls == call && at == when; dead {
			return rotatortest.ErrInjected
		}
		return nil
	}
}

// Fifty events a second go to two receivers, one of which reads late, through twenty
// rotations: in each a process is killed at another of its calls, again and again.
func TestNoDeliveryIsRefusedThroughTwentyRotations(t *testing.T) {
	for format, patch := range map[webhookauth.Format]sandbox.HeadersPatch{
		webhookauth.Bearer: sandbox.HeadersReplaced, webhookauth.Basic("instantly"): sandbox.HeadersMerged,
	} {
		t.Run(string(patch), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, format, "prompt", "late")
				faults := s.box.Faults()
				faults.PatchHeaders = patch
				s.box.SetFaults(faults)
				if res := s.run(undisturbed, rotator.Request{TakeOver: true, NoRotation: true}); res.Adopted == "" {
					t.Fatal(res.Err)
				}
				seen := map[string]bool{}
				for n := range 20 {
					s.rotate(n)
					now, _ := s.values(t.Context())
					seen[now[0]] = true
				}
				s.check()
				if len(seen) != 20 || s.accepted < 2*20*50*4 {
					t.Errorf("%d values, %d deliveries", len(seen), s.accepted)
				}
			})
		})
	}
}

// rotate has a rotation through, with the nth of its calls, or so, killing a process at each
// of its parts: before the settle time, after it, and after the grace period.
func (s *scene) rotate(n int) {
	asked := rotator.Request{RotateSince: time.Now(), IgnoreBackoff: true}
	when := []rotatortest.When{rotatortest.Before, rotatortest.After}[n%2]
	for _, part := range []struct {
		req   rotator.Request
		pause time.Duration
	}{{asked, settleTime + time.Minute}, {rotator.Request{IgnoreBackoff: true}, grace + time.Minute}, {rotator.Request{IgnoreBackoff: true}, time.Second}} {
		s.busy(func() {
			s.run(dyingAt(1+n+n/2, when), part.req)
			var lives *rotator.GraceError
			if res := s.run(undisturbed, part.req); res.Err != nil && (!s.unsure || !errors.As(res.Err, &lives)) {
				s.t.Errorf("rotation %d: %v", n, res.Err)
			}
			// What a killed process had done moved the settle time on.
			s.settle()
			if res := s.run(undisturbed, rotator.Request{IgnoreBackoff: true}); res.Err != nil {
				s.t.Errorf("rotation %d: %v", n, res.Err)
			}
		})
		time.Sleep(part.pause)
	}
}

// settle lets receivers read the new value, while events go on with the previous one.
func (s *scene) settle() {
	for end := time.Now().Add(settleTime + time.Minute); time.Now().Before(end); time.Sleep(30 * time.Second) {
		s.emit()
	}
}

// busy has fifty events a second happen while something is done, for two seconds at least and
// ten at most.
func (s *scene) busy(do func()) {
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	for range 100 {
		s.emit()
	}
	<-done
	for range 10 {
		s.emit()
	}
}

func (s *scene) emit() {
	if _, err := s.box.Emit(sandbox.Event{}); err != nil {
		s.t.Error(err)
	}
	time.Sleep(20 * time.Millisecond)
}

// Somebody has set a header by hand that is not of the configured format. What is switched back
// is that header, and it is not taken over as a secret that the format would change.
func TestAHeaderOfAnotherFormatIsWrittenBackAsItWas(t *testing.T) {
	for _, byHand := range []string{"Token abc", "abc"} {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, webhookauth.Bearer, "prompt")
			header := func() string { return s.box.Webhooks(s.box.Workspaces()[0].ID)[0].Headers["authorization"].Reveal() }
			_ = s.box.ChangeWebhook(s.box.Webhooks(s.box.Workspaces()[0].ID)[0].ID, func(h *sandbox.Webhook) {
				h.Headers["authorization"] = secret.New(byHand)
			})
			webhooks := s.target(s.client(undisturbed), undisturbed).Senders
			read := func() rotator.Sender {
				all, err := webhooks.Senders(t.Context())
				if err != nil || len(all) != 1 {
					t.Fatalf("%d webhooks, %v", len(all), err)
				}
				return all[0]
			}
			before := read()
			if err := webhooks.Switch(t.Context(), before, secret.New("new-value-of-the-store")); err != nil || header() != "Bearer new-value-of-the-store" {
				t.Fatalf("switched: %v", err)
			}
			if err := webhooks.Switch(t.Context(), read(), before.Value); err != nil || header() != byHand {
				t.Errorf("%s: switched back: %v, it sends %q", byHand, err, header())
			}
			if res := s.run(undisturbed, rotator.Request{TakeOver: true}); res.Err == nil || res.Adopted != "" || header() != byHand {
				t.Errorf("%s: taken over: %q, %v, it sends %q", byHand, res.Adopted, res.Err, header())
			}
		})
	}
}

func TestSelectors(t *testing.T) {
	hook := instantly.Webhook{ID: "a", URL: "https://n8n.example/hook/1", Name: "ours", EventType: "all_events"}
	for want, ss := range map[bool][]webhooksecret.Selector{
		true: {
			{}, {IDs: []string{"b", "a"}}, {URL: "https://n8n.example/hook/1"}, {URL: "https://n8n.example/*", Name: "ours"},
			{EventType: "all_events"},
		},
		false: {
			{IDs: []string{"b"}}, {URL: "https://n8n.example/hook"}, {URL: "https://n8n.*", Name: "theirs"}, {EventType: "email_sent"},
		},
	} {
		for _, s := range ss {
			if got := s.Chooses(hook); got != want {
				t.Errorf("%+v: %v", s, got)
			}
		}
	}
}

// What is printed of a webhook has neither its headers nor what its URL may keep secret.
func TestNoErrorTellsASecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, webhookauth.Raw, "prompt")
		s.add("prompt", "canary-of-another-hand")
		res := s.run(undisturbed, rotator.Request{})
		text := fmt.Sprintf("%v %+v", res.Err, res)
		for _, canary := range []string{"canary", first, "in-the-url", "growth"} {
			if secret.New(canary).IsIn(text) {
				t.Errorf("it is told: %q in %s", canary, res.Err)
			}
		}
	})
}
