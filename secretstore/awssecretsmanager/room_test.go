package awssecretsmanager_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// TestRotationHasRoomWhateverIsOnRecord: the current key of ten scopes died in the grace period of the one before,
// while a waiver, a hold, an incident and a failure are on record. What they say may be long.
func TestRotationHasRoomWhateverIsOnRecord(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2)) // what does not compress
	text := func(n int) string {
		return strings.Map(func(rune) rune { return '!' + rune(noise.IntN(90)) }, strings.Repeat("x", n))
	}
	for name, length := range map[string]int{"short": 30, "long": 80} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := b.open()
			spec := secretstore.Spec("accounts:create,analytics:read,blocklist:update,campaigns:read,custom_tags:delete,dfy_orders:read,emails:create,inbox_tests:read,leads:update,webhooks:all")
			version := func(id string) secretstore.Version {
				v := version(id)
				v.Intent.Nonce += "-0123456789"
				v.Intent.Spec, v.Intent.Holder, v.Intent.Until = spec, text(secretstore.MaxHolder), v.Intent.At.Add(5*time.Minute)
				return v
			}
			rotateWith := func(id string, notes secretstore.Notes) secretstore.Snapshot {
				t.Helper()
				v := version(id)
				notes.Intent = v.Intent
				snap, err := s.Annotate(t.Context(), snapshotOf(t, s), notes)
				if err == nil {
					snap, err = s.Stage(t.Context(), snap, v, valueOf(id))
				}
				if err == nil {
					snap, err = s.Promote(t.Context(), snap, id, promotedAt())
				}
				if err != nil {
					t.Fatalf("rotate to %s: %v", id, err)
				}
				return snap
			}
			rotateWith(keyA, secretstore.Notes{})
			rotateWith(keyB, secretstore.Notes{})
			at := time.Date(2026, 3, 6, 7, 8, 9, 123e6, time.UTC)
			notes := secretstore.Notes{
				Failure:  secretstore.Failure{Count: 3, At: at, Step: "verify", Reason: text(length)},
				Hold:     secretstore.Hold{Since: at, Until: at.Add(time.Hour), Reason: text(length)},
				Incident: secretstore.Incident{ID: text(length), At: at, Resolved: at.Add(time.Minute)},
				Waiver:   secretstore.Waiver{KeyID: keyB, At: at, Reason: text(length)},
				Receipt:  secretstore.Receipt{KeyID: keyB, At: at, Sinks: strings.Repeat("-_aZ9:", secretstore.MaxReceipt/6)},
			}
			if _, err := s.Annotate(t.Context(), snapshotOf(t, s), notes); err != nil {
				t.Fatal(err)
			}
			snap := rotateWith(keyC, notes)
			if got := held(snap); got != "current=c previous=a" {
				t.Errorf("the secret holds %s", got)
			}
			if n := snap.Notes; !n.Hold.Until.Equal(notes.Hold.Until) || !n.Incident.Resolved.Equal(notes.Incident.Resolved) || n.Waiver.KeyID != keyB {
				t.Errorf("what people ordered is gone: %+v", n)
			}
			if n := snap.Notes; length == 30 && (n.Hold.Reason != notes.Hold.Reason || n.Waiver.Reason != notes.Waiver.Reason) {
				t.Errorf("reasons are gone for which there was room: %+v", n)
			}
		})
	}
}
