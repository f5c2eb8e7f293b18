//go:build linux && amd64

package crash

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// lag is how late a receiver may read what a store has: well below the settle time.
const lag = settle / 2

// byHandSecret is what people have set on the webhooks, and told the receivers.
const byHandSecret = "CANARY-set-by-hand"

// A post is what sends a secret and what receives it. It is guarded by the judge's lock.
type post struct {
	box      *sandbox.Server
	space    string
	accepted func() map[string][]string // by store: what its receivers accept
	began    []sandbox.Webhook          // as people have set them up
	known    map[string][]giving        // by store
	changed  time.Time                  // when a store or a webhook last changed
	sent     map[string]string          // by webhook: what it sends
}

// A giving is what a store has given its receivers since then.
type giving struct {
	since  time.Time
	values []string
}

// receivers are the webhooks' hosts, each named after the store that its receiver reads, and
// how late it reads it.
func receivers() map[string]time.Duration { return map[string]time.Duration{"a": 0, "b": lag} }

// newPost sets the webhooks up, and their receivers.
func (w *world) newPost() *post {
	w.Helper()
	p := &post{box: w.box, space: w.space.ID, known: map[string][]giving{}, sent: map[string]string{}}
	site := w.site.Service.(storetest.Receivers)
	p.accepted = func() map[string][]string {
		all := map[string][]string{}
		for _, place := range places() {
			all[place.Store] = site.Accepted(place)
		}
		return all
	}
	headers := func(more ...string) map[string]secret.Value {
		all := map[string]secret.Value{"X-Team": secret.New("CANARY-of-others")}
		for _, name := range more {
			all[name] = secret.New(byHandSecret)
		}
		return all
	}
	for _, h := range []sandbox.Webhook{
		{Name: "replies", URL: "http://a/hook", Headers: headers(webhookauth.DefaultHeader)},
		{Name: "somebody else's", URL: "http://nobody/hook", Headers: headers("Authorization")},
		{Name: "replies", URL: "http://b/hook", Headers: headers("x-webhook-secret")},
	} {
		h.EventType = "all_events"
		added, err := w.box.AddWebhook(w.space.ID, h)
		if err != nil {
			w.Fatal(err)
		}
		p.began = append(p.began, added)
	}
	for store, late := range receivers() {
		p.known[store] = []giving{{values: []string{byHandSecret}}}
		w.hosts[store] = w.receiver(store, late)
	}
	return p
}

// receiver is one that reads a store as it was so long ago.
func (w *world) receiver(store string, late time.Duration) http.Handler {
	source := func(context.Context) ([]string, error) {
		w.judge.mu.Lock()
		defer w.judge.mu.Unlock()
		return w.judge.post.knownAt(store, time.Now().Add(-late)), nil
	}
	auth := webhookauth.New(source, webhookauth.Options{MaxAge: settle / 10})
	return auth.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

// RoundTrip is how the sandbox delivers events: it implements [http.RoundTripper].
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	if host, ok := w.hosts[r.URL.Host]; ok {
		host.ServeHTTP(answer, r)
	}
	if answer.Code != http.StatusOK {
		w.judge.mu.Lock()
		defer w.judge.mu.Unlock()
		w.judge.violate("a delivery to receiver %s is answered %d", r.URL.Host, answer.Code)
	}
	return answer.Result(), nil
}

// deliver has events happen from now on, twenty a second, until the test ends.
func (w *world) deliver() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(50 * time.Millisecond); ctx.Err() == nil; {
			select {
			case <-ctx.Done():
				tick.Stop()
			case <-tick.C:
				if _, err := w.box.Emit(sandbox.Event{}); err != nil {
					w.Error(err)
				}
			}
		}
	}()
	w.Cleanup(func() {
		stop()
		<-ended
		w.box.Close()
	})
}

// deliveries judges what each webhook sends at this instant; the caller holds the lock.
func (j *judge) deliveries(after string) {
	p := j.post
	for store, values := range p.accepted() {
		all := p.known[store]
		switch was := all[len(all)-1].values; {
		case len(values) == 0 && len(all) > 1:
			j.violate("after %s store %s gives nothing", after, store)
		case len(values) > 0 && !slices.Equal(was, values):
			p.changed = time.Now()
			p.known[store] = append(all, giving{p.changed, values})
		}
	}
	now := p.box.Webhooks(p.space)
	if len(now) != len(p.began) {
		j.violate("after %s there are %d webhooks", after, len(now))
		return
	}
	for i, h := range now {
		value := p.secretOf(h)
		if !h.Disabled.IsZero() {
			j.violate("after %s webhook %d is disabled", after, i)
		}
		if was := p.began[i]; h.URL != was.URL || !maps.EqualFunc(p.others(h), p.others(was), secret.Value.Equal) {
			j.violate("after %s webhook %d is changed: %d headers of others are left", after, i, len(p.others(h)))
		}
		if p.sent[h.ID] != value {
			p.sent[h.ID], p.changed = value, time.Now()
		}
		late, ours := receivers()[p.storeOf(h)]
		if !ours {
			continue
		}
		for _, then := range []time.Time{time.Now(), time.Now().Add(-late)} {
			if !slices.Contains(p.knownAt(p.storeOf(h), then), value) {
				j.violate("after %s a delivery of webhook %d is refused for its secret", after, i)
			}
		}
	}
}

// storeOf names the store that the receiver of a webhook reads.
func (*post) storeOf(h sandbox.Webhook) string {
	return h.URL[len("http://") : len(h.URL)-len("/hook")]
}

// field is the header that has the secret; "" if it has none.
func (p *post) field(h sandbox.Webhook) string {
	for name := range h.Headers {
		if _, ours := receivers()[p.storeOf(h)]; ours && http.CanonicalHeaderKey(name) == webhookauth.DefaultHeader {
			return name
		}
	}
	return ""
}

func (p *post) secretOf(h sandbox.Webhook) string {
	if v, ok := h.Headers[p.field(h)]; ok {
		return v.Reveal()
	}
	return ""
}

// others are the headers that are not ours.
func (p *post) others(h sandbox.Webhook) map[string]secret.Value {
	headers := maps.Clone(h.Headers)
	delete(headers, p.field(h))
	return headers
}

// knownAt gives what a receiver accepts that read the store then.
func (p *post) knownAt(store string, then time.Time) []string {
	known := p.known[store][0].values
	for _, g := range p.known[store] {
		if !g.since.After(then) {
			known = g.values
		}
	}
	return known
}

// atRest tells whether the stores have one value, the same, and every webhook sends it.
func (p *post) atRest() bool {
	var last [][]string
	for store := range receivers() {
		all := p.known[store]
		last = append(last, all[len(all)-1].values)
	}
	if len(last[0]) != 1 || !slices.Equal(last[0], last[1]) {
		return false
	}
	for _, h := range p.box.Webhooks(p.space) {
		if _, ours := receivers()[p.storeOf(h)]; ours && p.secretOf(h) != last[0][0] {
			return false
		}
	}
	return true
}

// untilNextStep is how long nothing is to be done by right: the settle time and the grace
// period are the same here.
func (p *post) untilNextStep() time.Duration {
	if p.atRest() {
		return 0
	}
	return max(0, time.Until(p.changed.Add(max(settle, grace)+written)))
}

// secrets are all values that no process may write.
func (p *post) secrets() []string {
	all := []string{"CANARY-of-others"}
	for _, givings := range p.known {
		for _, g := range givings {
			all = append(all, g.values...)
		}
	}
	return all
}
