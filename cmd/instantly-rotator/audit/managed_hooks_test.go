package audit_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// managed has the secret of the webhook "replies" be a target, whose header nobody would
// take for a secret by its name. Its receiver compares that one.
func (w *world) managed() {
	w.Helper()
	w.receiver.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("X-From-Instantly"); got != hookSecret && r.Header.Get("X-Webhook-Secret") != hookSecret {
			rw.WriteHeader(http.StatusUnauthorized)
		}
	})
	w.hook("replies", w.receiver.URL+"/replies", "x-from-instantly", hookSecret)
	w.more += "\nwebhook_secrets: [{name: replies, webhooks: {name: replies}, header: X-From-Instantly, stores: [{store: local}]}]\n"
	f, err := fleet.Named(w.Context(), w.options(), []string{"replies"})
	w.must(err)
	defer f.Close()
	res := f.Reconcile(w.Context(), f.Targets[0], rotator.Request{TakeOver: true, NoRotation: true})
	w.must(res.Err)
	if res.Adopted == "" {
		w.Fatal("nothing was taken over")
	}
}

// change changes the webhook "replies" by hand.
func (w *world) change(how func(*sandbox.Webhook)) {
	w.Helper()
	for _, h := range w.api.Webhooks(sandbox.DefaultWorkspaceID) {
		if h.Name == "replies" {
			w.must(w.api.ChangeWebhook(h.ID, how))
		}
	}
}

func TestAWebhookWhoseSecretIsManagedIsNotReported(t *testing.T) {
	w := newWorld(t)
	w.managed()
	w.probe = true
	w.emit()
	if said := lines(w.audit()); len(said) > 0 {
		t.Errorf("found:\n%s", strings.Join(said, "\n"))
	}
}

// What helps is said of the target; a header of another name is not its secret.
func TestWhatIsWrongWithAManagedWebhookNamesItsTarget(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*world)
		says  string
	}{
		"another header has a secret": {func(w *world) {
			w.change(func(h *sandbox.Webhook) { h.Headers = map[string]secret.Value{"Authorization": secret.New("x")} })
		}, "HOOK-01 | high | webhook replies (*): its events carry no secret: * | do: instantly-rotator rotate --due replies, which sets the header X-From-Instantly;*"},
		"it was given up": {func(w *world) {
			w.change(func(h *sandbox.Webhook) { h.Disabled = time.Now().Add(-time.Hour) })
		}, "HOOK-02 | medium | webhook replies (*): it is disabled since * | do: mend the receiver, then instantly-rotator rotate --due replies, which resumes*"},
		"its receiver has another value": {func(w *world) {
			w.change(func(h *sandbox.Webhook) {
				h.Headers = map[string]secret.Value{"X-From-Instantly": secret.New("another")}
			})
			w.emit()
		}, "HOOK-02 | medium | webhook replies (*): its receiver refused * | do: let the receiver read both values in the store: instantly-rotator get --all replies; *instantly-rotator verify replies"},
		"its receiver takes everything": {func(w *world) {
			w.probe = true
			w.receiver.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		}, "HOOK-03 | high | webhook replies (*): its receiver takes a request with a wrong secret (200)* | do: have the receiver compare the header X-From-Instantly with both values of instantly-rotator get --all replies,*"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.managed()
			c.spoil(w)
			said := lines(w.audit())
			for _, line := range said {
				if like(c.says, line) {
					return
				}
			}
			t.Errorf("not found; found was:\n%s", strings.Join(said, "\n"))
		})
	}
}

// like tells whether a text is of a pattern, in which a star is for anything.
func like(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(text, parts[0])
	for _, part := range parts[1:] {
		var found bool
		_, rest, found = strings.Cut(rest, part)
		ok = ok && found
	}
	return ok
}
