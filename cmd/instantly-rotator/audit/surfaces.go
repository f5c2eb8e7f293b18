package audit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/loopback"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// Surroundings are what a workspace has besides keys.
type Surroundings struct {
	Webhooks Known[[]Webhook]
	// Deliveries to webhooks, of lately.
	Deliveries Known[[]instantly.WebhookEvent]
	// People are its members.
	People Known[[]instantly.Member]
	// Log is the audit log, of lately.
	Log     Known[[]instantly.AuditLog]
	Blocked Known[[]instantly.BlockListEntry]
}

// lately is how far back deliveries and the audit log are read.
const lately = 30 * day

// Webhook is one, without the secrets in its URL and headers.
type Webhook struct {
	ID, Name string
	// Origin is scheme and host.
	Origin string
	// Plain: what is sent can be read on the way.
	Plain bool
	// Target is whose secret it is to send, and Header the one that carries it; nil and empty
	// if it is no target's.
	Target *config.Key
	Header string
	// Secret: it has that header, or one that is a secret by its name.
	Secret bool
	Status instantly.WebhookStatus
	Failed time.Time
	// Host is why its host cannot be found; nil if it can.
	Host error
	// Refused counts the deliveries that were refused for their secret since the last
	// one that was taken, and Last is the latest of them.
	Refused int
	Last    time.Time
	// Unsigned and Wrong are what the receiver answered to a request without the secret
	// and to one with a wrong one; not asked for unless it was wanted.
	Unsigned, Wrong Known[int]

	subject string
	url     string // for the matching of deliveries, and for probes
	headers []string
}

// surround asks about what is around the keys. What the configuration wants nothing of is
// not asked for.
func (g *gatherer) surround(ctx context.Context, w *Workspace, c *instantly.Client, now time.Time) {
	about := "workspace " + w.Name
	var all sync.WaitGroup
	all.Go(func() {
		w.Deliveries = answered(ctx, g, about, "the deliveries of its webhooks", func(ctx context.Context) ([]instantly.WebhookEvent, error) {
			return c.WebhookEvents(ctx, instantly.WebhookEventQuery{Since: now.Add(-lately)})
		})
	})
	all.Go(func() {
		w.People = answered(ctx, g, about, "its members", c.Members)
	})
	all.Go(func() {
		w.Log = answered(ctx, g, about, "its audit log", func(ctx context.Context) ([]instantly.AuditLog, error) {
			return c.AuditLogs(ctx, instantly.AuditQuery{Since: now.Add(-lately)})
		})
	})
	if len(g.Config.Audit.BlockList) > 0 {
		all.Go(func() { w.Blocked = answered(ctx, g, about, "its block list", c.BlockList) })
	}
	w.Webhooks = answered(ctx, g, about, "its webhooks", func(ctx context.Context) ([]Webhook, error) {
		listed, err := c.Webhooks(ctx)
		return g.webhooks(ctx, w.Name, listed), err
	})
	all.Wait()
	w.countRefused()
}

func (g *gatherer) webhooks(ctx context.Context, workspace string, listed []instantly.Webhook) []Webhook {
	hooks := make([]Webhook, len(listed))
	named := map[string]int{}
	var all sync.WaitGroup
	for i, l := range listed {
		named[l.Name]++
		h := &hooks[i]
		*h = Webhook{ID: l.ID, Name: l.Name, Origin: l.Origin(), Status: l.Status, Failed: l.Failed, url: l.URL}
		h.Target = fleet.SecretOf(g.Config, workspace, l)
		h.lookForSecret(l)
		u, err := url.Parse(l.URL)
		if err != nil {
			h.Host = errors.New("its address cannot be read")
			continue
		}
		h.Plain = u.Scheme == "http" && !loopback.Host(u.Hostname())
		all.Go(func() { h.Host = g.lookup(ctx, u.Hostname()) })
		if g.ProbeWebhooks && h.Secret {
			all.Go(func() { h.Unsigned = g.probe(ctx, h.url, nil) })
			all.Go(func() { h.Wrong = g.probe(ctx, h.url, h.headers) })
		}
	}
	all.Wait()
	for i := range hooks {
		h := &hooks[i]
		h.subject = "webhook " + h.Name
		if h.Name == "" {
			h.subject = "webhook " + h.ID
		} else if named[h.Name] > 1 {
			h.subject += " (" + h.ID + ")"
		}
	}
	slices.SortFunc(hooks, func(x, y Webhook) int { return strings.Compare(x.subject, y.subject) })
	return hooks
}

// lookForSecret notes the headers that authenticate what a webhook sends: the configured one
// and no other, if its secret is a target.
func (h *Webhook) lookForSecret(l instantly.Webhook) {
	is := isSecretHeader
	if h.Target != nil {
		h.Header = h.Target.Webhooks.Header
		is = func(name string) bool { return strings.EqualFold(name, h.Header) }
	}
	for name, value := range l.Headers {
		if is(name) && (h.Target == nil || !value.IsZero()) {
			h.Secret = true
			h.headers = append(h.headers, name)
		}
	}
}

// remedy is what to do about it: with a secret that is a target, and with another one.
func (h *Webhook) remedy(managed, other string) string {
	if h.Target == nil {
		return other
	}
	return strings.NewReplacer("TARGET", h.Target.Name, "HEADER", h.Header).Replace(managed)
}

// isSecretHeader tells by its name whether a header authenticates who sends it.
func isSecretHeader(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"secret", "auth", "token", "key", "signature", "password"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// lookup tells why a host cannot be found.
func (g *gatherer) lookup(ctx context.Context, host string) error {
	if host == "localhost" || net.ParseIP(host) != nil {
		return nil
	}
	if g.Lookup != nil {
		return g.Lookup(ctx, host)
	}
	_, err := net.DefaultResolver.LookupHost(ctx, host)
	return err
}

// probeTimeout is how long a receiver has.
const probeTimeout = 5 * time.Second

// probe sends what is no event of Instantly's, with a wrong value in each of the headers,
// and gives the status. A receiver that heeds the secret reads no further.
func (g *gatherer) probe(ctx context.Context, address string, headers []string) Known[int] {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(`{"event_type":"instantly_rotator_probe"}`))
	if err != nil {
		return knownAs(0, errors.New("its address cannot be read"))
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "instantly-rotator-audit")
	for _, name := range headers {
		r.Header.Set(name, "not-the-secret")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) {
			err = e.Err // without the address, which may have secrets in it
		}
		return knownAs(0, err)
	}
	_ = answer.Body.Close() // what it says does not matter
	return knownAs(answer.StatusCode, nil)
}

// countRefused notes of each webhook how many deliveries were refused lately.
func (w *Workspace) countRefused() {
	hooks, err := w.Webhooks.Get()
	events, unread := w.Deliveries.Get()
	if err != nil || unread != nil {
		return
	}
	for i := range hooks {
		h := &hooks[i]
		var taken time.Time
		for _, e := range events {
			if e.URL == h.url && e.Success && e.At.After(taken) {
				taken = e.At
			}
		}
		for _, e := range events {
			refused := e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
			if e.URL == h.url && refused && e.At.After(taken) {
				h.Refused++
				if e.At.After(h.Last) {
					h.Last = e.At
				}
			}
		}
	}
}

// eachHook gives the webhooks of all workspaces whose list is known.
func (f *Facts) eachHook(judge func(w *Workspace, h *Webhook) []Finding) []Finding {
	var all []Finding
	for i := range f.Workspaces {
		w := &f.Workspaces[i]
		hooks, err := w.Webhooks.Get()
		if err != nil {
			all = append(all, w.unreadable("its webhooks", "webhooks:read", err))
			continue
		}
		for j := range hooks {
			all = append(all, judge(w, &hooks[j])...)
		}
	}
	return all
}

func (h *Webhook) finding(w *Workspace, s Severity, text, remedy string) Finding {
	return Finding{Severity: s, Workspace: w.Name, Subject: h.subject, ID: h.ID, Text: text, Remedy: remedy}
}

// keyList is what is asked for first.
const keyList = "its keys"

// unreadable is a finding that something of the workspace could not be read; the scope is
// what reading it needs.
func (w *Workspace) unreadable(what, scope string, err error) Finding {
	f := w.unknown(what + ": " + err.Error())
	f.Remedy = remedy.For(err, "")
	if _, unlisted := w.Keys.Get(); unlisted != nil && what != keyList {
		f.Follows = "KEY-01" // nothing of it can be read, as that one says
	}
	if errors.Is(err, instantly.ErrScope) {
		f.Text = what + ": the admin key lacks " + scope
		f.Remedy = "make an admin key that has " + scope + " too: a key's scopes cannot be changed; or write an exception for it: audit.accept"
		if w.AdminTarget != "" {
			f.Remedy = "give the admin key " + scope + " (admin_key.rotate.scopes), or write an exception for it: audit.accept"
		}
	}
	return f
}
