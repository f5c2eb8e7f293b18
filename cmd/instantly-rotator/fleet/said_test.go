package fleet_test

import (
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

func TestWhatIsAwaitedIsSaidWithItsLimit(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 12, 0, time.UTC)
	begun := now.Add(-12 * time.Second)
	limited := rotator.Step{Verb: rotator.Prove, Reason: "revocation takes effect late", Since: begun, Until: begun.Add(time.Minute)}
	if got := fleet.Awaited(limited, now, now); got != "revocation takes effect late: 12 s of 60 s" {
		t.Error(got)
	}
	if got := fleet.Awaited(rotator.Step{Verb: rotator.List, Reason: "read the workspace's keys"}, begun, now); got != "read the workspace's keys (for 12s)" {
		t.Error(got)
	}
}

func TestTheSecretOfAWebhookIsNoKeyThatConsumersAreRestartedFor(t *testing.T) {
	e := rotator.Event{Verb: rotator.Promote, KeyID: "s2", Store: "local", Sent: true}
	if got, want := fleet.Said(e), "secret s2 is current in local: receivers must accept it and the one before, webhooks are switched next"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	e.Sent = false
	if got, want := fleet.Said(e), "key s2 is current NOW in local: restart consumers that cache the old one"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

func TestTroubleIsSaidOfWhatIsTriedAgainOnly(t *testing.T) {
	first := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		call instantly.Call
		want string
	}{
		{instantly.Call{Method: "GET", Status: 200}, ""},
		{instantly.Call{Method: "GET", Status: 402}, ""},
		{instantly.Call{Method: "POST", Status: 503}, ""},
		{instantly.Call{Method: "GET", Status: 503}, "Instantly answers with HTTP 503: tried again until 03:01:00Z; all keys live on"},
		{instantly.Call{Method: "DELETE"}, "Instantly does not answer: tried again until 03:01:00Z; all keys live on"},
	} {
		if got := fleet.Trouble(c.call, first); got != c.want {
			t.Errorf("%+v: %q", c.call, got)
		}
	}
}
