//go:build linux && amd64

package crash

import (
	"fmt"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

// settle is how long receivers may take to read a new secret, in the configuration.
const settle = time.Second

// scenesOfAWebhook are the life of a secret that two webhooks send, and whose receivers read
// it in two stores: a new value, which receivers accept beside the one that is sent; the
// switch of both webhooks, where a PATCH replaces the headers and where it merges them; and
// the end of the value before. Events are delivered all the while.
func scenesOfAWebhook() []scene {
	sc := scene{born: (*world).hooked, row: "webhook", kinds: fewKinds(), chosen: withEffect, meets: faultsOfAWebhook}
	renewed, switched, ended := sc, sc, sc
	renewed.meets, ended.meets = fewFaultsOfAWebhook, fewFaultsOfAWebhook
	renewed.name, renewed.args, renewed.meanwhile = "new secret of webhooks", rotation(), [][]string{rotation(), nil, dueNow()}
	switched.name, switched.args, switched.meanwhile = "switch of webhooks", dueNow(), [][]string{dueNow(), nil, dueNow()}
	switched.before = func(w *world) {
		w.mustRun(rotation()...)
		w.passGrace()
	}
	merged := switched
	merged.name = "switch of webhooks that merges"
	merged.meets = func(c call, col column) bool {
		return isPatch(c) && (col.name == "killed after" || col.name == "answer lost")
	}
	merged.born = func(w *world) {
		w.faults.PatchHeaders = sandbox.HeadersMerged
		w.hooked()
	}
	ended.name, ended.args, ended.meanwhile = "end of the secret before", dueNow(), [][]string{dueNow(), rotation()}
	ended.before = func(w *world) {
		switched.before(w)
		w.mustRun(dueNow()...)
		w.passGrace()
	}
	return []scene{renewed, switched, merged, ended}
}

// faultsOfAWebhook are all there are for what becomes of a webhook, and for the writes to the
// stores: for each PATCH, and for each other call once; and a crash after every call.
func faultsOfAWebhook(c call, col column) bool {
	switch {
	case !writes(c) && !strings.Contains(c.label, "/{id}"):
		return col.name == "killed after" && strings.HasPrefix(c.label, "instantly ")
	case isPatch(c):
		return true
	default:
		return col.name == "killed after" || c.nth == 1
	}
}

// fewFaultsOfAWebhook are for what a rotation of a key has, too: a crash after what has an
// effect, or is about a webhook; and a write that arrives late.
func fewFaultsOfAWebhook(c call, col column) bool {
	return faultsOfAWebhook(c, col) && (col.name == "killed after" || col.name == "suspended" && writes(c))
}

// writes tells whether a call writes to a store.
func writes(c call) bool {
	return !strings.HasPrefix(c.label, "instantly ") && !strings.HasPrefix(c.label, "gcp Get") && !strings.HasPrefix(c.label, "gcp Access")
}

func isPatch(c call) bool { return strings.HasPrefix(c.label, "instantly PATCH") }

// hooked has people set up three webhooks: two that send a secret, beside headers of others,
// and one of somebody else. What the two send is adopted.
func (w *world) hooked() {
	w.Helper()
	admin, err := w.box.AddKey(w.space.ID, "the admin's, for webhooks", "all:all")
	if err != nil {
		w.Fatal(err)
	}
	w.space.AdminKey, w.judge.foreign[admin.ID] = admin.Value, true
	w.faults.DisableAfter, w.faults.RetryWithin = 1, 300*time.Millisecond
	w.nameRightly()
	w.judge.post = w.newPost()
	w.more = fmt.Sprintf(`webhook_secrets:
  - {name: replies, webhooks: {name: replies}, settle: %s, stores: [{store: a, secret: %s}, {store: b, secret: %s}]}
`, settle, inA, inB)
	w.configure(keyInEnvironment)
	w.deliver()
	w.mustRun("adopt", "replies")
}
