package webhooksecret_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestAReceiverThatNeverReadsKeepsWhatItAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, webhookauth.Raw, "prompt")
		never := webhookauth.New(func(context.Context) ([]string, error) { return []string{first}, nil }, webhookauth.Options{Header: "Authorization"})
		s.receivers["never"] = never.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		id := s.add("never", first)
		s.run(undisturbed, rotator.Request{TakeOver: true, NoRotation: true})
		time.Sleep(time.Minute)
		s.run(undisturbed, rotator.Request{RotateSince: time.Now()})
		for range 12 {
			time.Sleep(settleTime + time.Minute)
			if res := s.run(undisturbed, rotator.Request{}); res.Err != nil && !errors.Is(res.Err, rotator.ErrReceiverRefuses) {
				t.Error(res.Err)
			}
			for range 5 {
				s.emit()
			}
			time.Sleep(time.Minute) // retries
		}
		for _, h := range s.box.Webhooks(s.box.Workspaces()[0].ID) {
			if h.ID == id && (h.Headers["authorization"].Reveal() != first || !h.Disabled.IsZero()) {
				t.Errorf("it sends something else, or was disabled: %v", h.Disabled)
			}
		}
		if n := len(s.refused); n == 0 || n > 12 { // the test deliveries
			t.Errorf("%d deliveries were refused", n)
		}
	})
}

// Two processes may have a webhook send different secrets: that one is accepted says nothing of
// the other.
func TestATestDeliveryConfirmsOnlyWhatWasSeenToBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, webhookauth.Raw, "prompt")
		id := s.box.Webhooks(s.box.Workspaces()[0].ID)[0].ID
		webhooks := s.target(s.client(undisturbed), undisturbed).Senders
		accepting := func() rotator.TestCall {
			return webhooks.Confirm(t.Context(), rotator.Sender{ID: id, Value: secret.New("new-value-that-it-was-seen-to-send")}, time.Now())
		}
		if got := accepting(); got.Verdict == rotator.Valid || got.Err == nil {
			t.Errorf("it sends another one: %v, %v", got.Verdict, got.Err)
		}
		send := func(value string) {
			_ = s.box.ChangeWebhook(id, func(h *sandbox.Webhook) { h.Headers["authorization"] = secret.New(value) })
		}
		send("new-value-that-it-was-seen-to-send")
		s.receivers["prompt"] = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		if got := accepting(); got.Verdict != rotator.Valid {
			t.Errorf("it sends that one: %v, %v", got.Verdict, got.Err)
		}
		s.receivers["prompt"] = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { send(first) })
		if got := accepting(); got.Verdict == rotator.Valid || got.Err == nil {
			t.Errorf("it was made to send another one meanwhile: %v, %v", got.Verdict, got.Err)
		}
	})
}

// A receiver that has lost the secret refuses it until its webhook is turned off. The rotations
// that come then do not forget why it is off: it delivers again once the receiver accepts what
// it sends, and not before.
func TestAWebhookThatWasTurnedOffForItsSecretDeliversAgainThoughRotationsCameBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, webhookauth.Raw, "prompt")
		s.run(undisturbed, rotator.Request{TakeOver: true, NoRotation: true})
		time.Sleep(time.Minute)
		s.turnOff(http.StatusUnauthorized)
		time.Sleep(time.Hour)
		s.run(undisturbed, rotator.Request{RotateSince: time.Now()})
		if !s.isOff() {
			t.Error("it delivers what its receiver refuses")
		}
		s.receivers["prompt"] = s.reads
		for range 3 {
			time.Sleep(settleTime + grace + time.Minute)
			if res := s.run(undisturbed, rotator.Request{IgnoreBackoff: true}); res.Err != nil {
				t.Error(res.Err)
			}
		}
		s.refused = nil
		s.check()
	})
}

func TestAWebhookThatWasTurnedOffForSomethingElseStaysOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, webhookauth.Raw, "prompt")
		s.run(undisturbed, rotator.Request{TakeOver: true, NoRotation: true})
		time.Sleep(time.Minute)
		s.turnOff(http.StatusInternalServerError)
		s.receivers["prompt"] = s.reads
		s.run(undisturbed, rotator.Request{RotateSince: time.Now()})
		for range 3 {
			time.Sleep(settleTime + grace + time.Minute)
			s.run(undisturbed, rotator.Request{IgnoreBackoff: true})
		}
		if !s.isOff() {
			t.Error("it was resumed")
		}
	})
}

// turnOff has the receiver answer each delivery with a status, until its webhook is given up.
func (s *scene) turnOff(status int) {
	s.t.Helper()
	s.reads = s.receivers["prompt"]
	s.receivers["prompt"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	for range 3 {
		s.emit()
		time.Sleep(time.Minute)
	}
	if !s.isOff() {
		s.t.Fatal("it was not turned off")
	}
}

func (s *scene) isOff() bool {
	return !s.box.Webhooks(s.box.Workspaces()[0].ID)[0].Disabled.IsZero()
}

func TestAWebhookWhoseHeadersAreNotShownIsNotTouched(t *testing.T) {
	for _, form := range []sandbox.KeyForm{sandbox.KeyMasked, sandbox.KeyEmpty} {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, webhookauth.Raw, "prompt")
			faults := s.box.Faults()
			faults.WebhookHeaders = form
			s.box.SetFaults(faults)
			for _, req := range []rotator.Request{{}, {TakeOver: true}, {Incident: "INC-1"}} {
				if res := s.run(undisturbed, req); !errors.Is(res.Err, rotator.ErrHidden) {
					t.Errorf("%s: %v", form, res.Err)
				}
			}
			if got := s.box.Webhooks(s.box.Workspaces()[0].ID)[0].Headers; len(got) != 2 || got["authorization"].Reveal() != first {
				t.Error("its headers were changed")
			}
		})
	}
}

func TestWithoutTestDeliveriesRealOnesTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, webhookauth.Raw, "prompt")
		s.test = false
		s.run(undisturbed, rotator.Request{TakeOver: true, NoRotation: true})
		time.Sleep(time.Minute)
		s.run(undisturbed, rotator.Request{RotateSince: time.Now()})
		time.Sleep(settleTime + time.Minute)
		if res := s.run(undisturbed, rotator.Request{}); res.Err != nil || s.accepted > 0 {
			t.Errorf("%d test deliveries, %v", s.accepted, res.Err)
		}
		never := webhookauth.New(func(context.Context) ([]string, error) { return []string{first}, nil }, webhookauth.Options{Header: "Authorization"})
		was := s.receivers["prompt"]
		s.receivers["prompt"] = never.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		s.emit()
		time.Sleep(time.Minute)
		if res := s.run(undisturbed, rotator.Request{}); !errors.Is(res.Err, rotator.ErrReceiverRefuses) {
			t.Errorf("a refused delivery is no reason to go back: %v", res.Err)
		}
		s.receivers["prompt"] = was
		s.emit()
		if n := len(s.refused); n != 4 {
			t.Errorf("%d were refused: one, and its retries", n)
		}
	})
}
