package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const leaverOfHooks = leavers + `webhook_secrets:
  - {name: replies, webhooks: {name: replies}, settle: 1s, stores: [{store: local}], known_to: [ann@acme.example]}
  - {name: opens, webhooks: {name: opens}, settle: 1s, stores: [{store: local}], known_to: [bob@acme.example]}
`

// hook adds a webhook with a secret of that name, and a receiver that accepts what
// accepted gives.
func (d *workspaceFixture) hook(name string, accepted func() string) {
	d.Helper()
	read := func(context.Context) ([]string, error) { return strings.Fields(accepted()), nil }
	taken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		webhookauth.New(read, webhookauth.Options{}).Handler(taken).ServeHTTP(w, r) // a new one keeps nothing of before
	}))
	d.Cleanup(receiver.Close)
	headers := map[string]secret.Value{"X-Webhook-Secret": secret.New(setByHand + name)}
	h := sandbox.Webhook{Name: name, URL: receiver.URL, Headers: headers}
	if _, err := d.api.AddWebhook(d.api.Workspaces()[0].ID, h); err != nil {
		d.Fatal(err)
	}
}

const setByHand = "CANARY-set-by-hand-"

// sent is the secret that a webhook sends.
func (d *workspaceFixture) sent(name string) string {
	for _, h := range d.api.Webhooks(d.api.Workspaces()[0].ID) {
		if h.Name == name {
			return h.Headers["X-Webhook-Secret"].Reveal()
		}
	}
	d.Fatalf("no webhook %s", name)
	return ""
}

func TestWhoLeavesKnowsNoSecretOfAWebhook(t *testing.T) {
	d := newLeaving(t)
	d.configure(leaverOfHooks)
	asleep := ""
	for _, name := range []string{"replies", "opens"} {
		d.hook(name, func() string {
			if asleep != "" {
				return asleep
			}
			_, values, _ := d.carryOut("get", "--all", name)
			return values
		})
		d.run(exitSettled, "adopt", name)
	}

	// A receiver that does not read the store is told, and no delivery is lost.
	asleep = setByHand + "replies"
	wantSaid(t, d.run(exitFailed, "offboard", ann, "--yes"), "replies: they could know it: known_to has them", "a receiver refuses the secret",
		"receivers must accept the current and the previous value", "ann@acme.example: NOT done")
	if d.sent("replies") != asleep {
		t.Fatal("the webhook sends what its receiver refuses")
	}
	asleep = ""
	said := d.run(exitSettled, "offboard", ann, "--yes")
	wantSaid(t, said, "ann@acme.example: done, from ")
	after := d.sent("replies")
	if got := d.stdout("get", "--all", "replies"); after == setByHand+"replies" || got != after+"\n" {
		t.Errorf("what they knew is still sent or accepted: %d values", strings.Count(got, "\n"))
	}
	if d.sent("opens") != setByHand+"opens" {
		t.Error("a secret was replaced that they did not know")
	}
	wantSaid(t, d.run(exitSettled, "offboard", ann, "--yes"), "incident left: ann@acme.example was resolved")
	if d.sent("replies") != after {
		t.Error("the second time it was replaced again")
	}
	if strings.Contains(said, "CANARY") || strings.Contains(said, after) {
		t.Error("a secret was said")
	}
}
