package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/webhooksecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// SendersPlan is a target whose secret webhooks send.
type SendersPlan struct {
	// Receivers of the webhooks, one each.
	Receivers []ReceiverPlan
	// Settle is how long they may take to read a value.
	Settle time.Duration
	// Merged: a PATCH adds to the headers that there are, instead of replacing them.
	Merged bool
	// Bearer: the secret is the token of the header Authorization.
	Bearer bool
	// ByHand: they send a value already, which is to be taken over.
	ByHand bool
	// Test: test deliveries confirm a switch.
	Test bool
	// DisableAfter so many failed deliveries in a row the vendor gives a webhook up; 0 for
	// never.
	DisableAfter int
	// Restless: what hands changed on webhooks is never put right.
	Restless bool
}

// ReceiverPlan is who compares what a webhook sends with what a store has.
type ReceiverPlan struct {
	// Lag is how long ago it read the store, in percent of the time that it may take.
	Lag int
	// Blind: it does not read the store from BlindFrom to BlindUntil of the world's life, or
	// until somebody sees to it in the end.
	Blind                 bool
	BlindFrom, BlindUntil time.Duration
}

// sendersKept has the last target's secret be sent by webhooks in one of six worlds. The
// others are what their seeds stood for before there was that.
func sendersKept(p *Plan, backends []Backend) {
	if p.Seed%6 != 1 {
		return
	}
	random := rand.New(rand.NewPCG(p.Seed, 5)) //nolint:gosec // the same world every time
	s := &SendersPlan{
		Settle: pick(random, 30*time.Minute, time.Hour, 3*time.Hour),
		Merged: random.IntN(2) == 0, Bearer: random.IntN(2) == 0, ByHand: random.IntN(3) > 0, Test: random.IntN(4) > 0,
		DisableAfter: pick(random, 0, 1, 3), Restless: random.IntN(4) == 0,
	}
	for range pick(random, 1, 2, 2, 3) {
		s.Receivers = append(s.Receivers, drawReceiver(random, p.Span))
	}
	last := len(p.Targets) - 1
	t := TargetPlan{Senders: s, Interval: p.Targets[last].Interval, Grace: pick(random, time.Hour, day, 3*day)}
	for range pick(random, 1, 1, 1, 2) {
		t.Backends = append(t.Backends, backendFor(random, backends))
	}
	p.Targets[last] = t
	for range random.IntN(5) {
		f := &p.Faults[random.IntN(15)] // later ones may come after the end
		f.Kind, f.For, f.Pick = pick(random, aboutSenders()...), 0, random.IntN(1<<15)*len(p.Targets)+last
	}
}

func drawReceiver(random *rand.Rand, span time.Duration) ReceiverPlan {
	r := ReceiverPlan{Lag: pick(random, 0, 50, 100), Blind: random.IntN(4) == 0}
	if r.Blind {
		r.BlindFrom = time.Duration(random.Int64N(int64(span)))
		r.BlindUntil = r.BlindFrom + pick(random, time.Minute, day, 10*day, 1000*day)
	}
	return r
}

// aboutSenders are what people do about webhooks, and ask of the rotator.
func aboutSenders() []Kind {
	return []Kind{Force, Force, Force, SetByHand, SetByHand, PutRight, Reheader, AddWebhook, TakeOver}
}

// senders are the webhooks that send a target's secret, with their receivers.
type senders struct {
	*SendersPlan
	world  *world
	target *target
	begun  time.Time
	format webhookauth.Format
	header string
	all    []*sender
	theirs map[string]secret.Value // the headers of a webhook that is not ours
	random *rand.Rand              // when events happen
	byHand string                  // the value that was sent before there was a rotator
	made   int                     // values that hands made
	named  map[string]int          // values by their numbers, for the trace

	incident string    // the newest that was declared
	excused  time.Time // until when deliveries may be refused for it

	mu        sync.Mutex // guards what deliveries read
	refused   []refusal  // deliveries to receivers that read as they should
	delivered int        // to all receivers, accepted or not
}

// sender is a webhook with its receiver.
type sender struct {
	ReceiverPlan
	number  int
	id      string
	value   string // that it sends now
	sent    []sent
	others  string // its other header
	touched int    // the call before which a hand changed what it sends
	edited  int    // and another header
	last    int    // of the deliveries: the last that the receiver refused
}

// sent is a value and since when a webhook sends it. told: a hand set it, and told the
// receiver; ours: by now it is, or was, one that the store gives.
type sent struct {
	from       time.Time
	value      string
	told, ours bool
}

// refusal is a delivery that was refused.
type refusal struct {
	at     time.Time
	number int
}

const notOurs = "theirs"

// newSenders makes the webhooks in the first workspace.
func (w *world) newSenders(t *target) {
	p := &senders{
		SendersPlan: t.Senders, world: w, target: t, begun: time.Now(), format: webhookauth.Raw, header: "X-Webhook-Secret",
		named: map[string]int{}, random: rand.New(rand.NewPCG(w.plan.Seed, 6)), //nolint:gosec // the same world every time
		theirs: map[string]secret.Value{"Authorization": secret.New("not-to-be-touched"), "X-Webhook-Secret": secret.New("nor-this")},
	}
	if p.Bearer {
		p.format, p.header = webhookauth.Bearer, "Authorization"
	}
	if p.ByHand {
		p.byHand = p.newValue()
		t.request = &request{rotator.Request{TakeOver: true, NoRotation: true}, 0}
	}
	w.senders, t.senders, t.workspace = p, p, 0
	for _, s := range t.stores {
		s.views = []view{{p.begun, p.before()}}
	}
	f := w.box.Faults()
	f.DisableAfter = p.DisableAfter
	if f.PatchHeaders = sandbox.HeadersReplaced; p.Merged {
		f.PatchHeaders = sandbox.HeadersMerged
	}
	w.box.SetFaults(f)
	for _, r := range p.Receivers {
		p.add(r, p.byHand)
	}
	p.create("00000000-0000-4000-8000-0000000000ff", "https://theirs.test/hook", notOurs, p.theirs)
	t.policy.Spec, t.policy.Settle = webhooksecret.Spec, p.Settle
}

// before is what receivers were given before there was a rotator.
func (p *senders) before() (values []string) {
	if p.byHand != "" {
		values = []string{p.byHand}
	}
	return values
}

func (p *senders) newValue() string {
	p.made++
	return fmt.Sprintf("made-by-hand-%d", p.made)
}

// add makes a webhook.
func (p *senders) add(r ReceiverPlan, value string) {
	n := len(p.all)
	s := &sender{
		ReceiverPlan: r, number: n, id: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), others: fmt.Sprint("team ", n),
		sent: []sent{{from: time.Now(), value: value, told: value != ""}}, value: value,
	}
	headers := map[string]secret.Value{"X-Team": secret.New(s.others)}
	if value != "" {
		headers[strings.ToLower(p.header)] = secret.New(p.format.HeaderValue(value))
	}
	p.create(s.id, fmt.Sprintf("https://r%d.test/hook", n), "ours", headers)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, s)
}

func (p *senders) create(id, url, name string, headers map[string]secret.Value) {
	_, err := p.world.box.AddWebhook(workspaceID(0), sandbox.Webhook{
		ID: id, URL: url, Name: name, EventType: "all_events", Headers: headers,
	})
	if err != nil {
		p.world.t.Fatal(err)
	}
}

// reached is the webhooks as a process reaches them.
func (p *senders) reached(client *instantly.Client) rotator.Senders {
	return webhooksecret.Webhooks{
		Client: client, Selector: webhooksecret.Selector{Name: "ours"}, Header: p.header, Format: p.format, Test: p.Test,
	}
}

// apart is the workspace of a target whose secret is sent: nothing is issued at Instantly.
func (in *instance) apart() *rotator.Workspace {
	return rotator.NewWorkspace("senders", webhooksecret.Issuer{Now: in.now}, "")
}

// happen has an event happen now and then, which is delivered to the end of its first attempt.
func (p *senders) happen() {
	if p.random.IntN(6) > 0 {
		return
	}
	if _, err := p.world.box.Emit(sandbox.Event{WorkspaceID: workspaceID(0)}); err != nil {
		p.world.t.Error(err)
	}
	synctest.Wait()
	p.judgeRefused()
}

// numbered gives the webhook's number in the place of its id.
func (p *senders) numbered(id string) string {
	for _, s := range p.all {
		if s.id == id {
			return strconv.Itoa(s.number)
		}
	}
	return "?"
}

// name calls a value by its number.
func (p *senders) name(value string) string {
	if value == "" {
		return "nothing"
	}
	if _, known := p.named[value]; !known {
		p.named[value] = len(p.named) + 1
	}
	return fmt.Sprint("value ", p.named[value])
}

// bothOf reads what receivers read in a store: the current value, and the previous one.
func (s *store) bothOf(ctx context.Context, snap secretstore.Snapshot) (values []string, err error) {
	for _, stage := range []secretstore.Stage{secretstore.Current, secretstore.Previous} {
		ver, ok := snap.Versions[stage]
		if !ok {
			continue
		}
		if _, known := s.values[ver.ID]; !known {
			value, err := s.observer.Read(ctx, ver.ID)
			if err != nil {
				return nil, err
			}
			s.values[ver.ID] = value.Reveal()
		}
		values = append(values, s.values[ver.ID])
	}
	return values, nil
}

// isAboutWebhooks tells whether a request is.
func isAboutWebhooks(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/v2/webhook") }

// allSend tells whether every webhook sends the current value, and delivers.
func (w *world) allSend(t *target) bool {
	if t.senders == nil {
		return true
	}
	return !slices.ContainsFunc(t.senders.all, func(s *sender) bool {
		return s.value != t.stores[0].value || t.senders.isOff(s) && !t.senders.isForgotten(s)
	})
}

// adminScopes of the keys made by hand with which the processes begin; nil for the usual ones.
func (p Plan) adminScopes() []string {
	if slices.ContainsFunc(p.Targets, func(t TargetPlan) bool { return t.Senders != nil }) {
		return []string{"all:all"}
	}
	return nil
}
