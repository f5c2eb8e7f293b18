package awssecretsmanager_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func TestAForeignPendingVersionIsNotTouched(t *testing.T) {
	b := newBench(t)
	s := b.open()
	rotate(t, s, keyA)
	b.call("PutSecretValue", map[string]any{
		"SecretId": b.name, "ClientRequestToken": strings.Repeat("h", 32), "SecretString": "theirs", "VersionStages": []string{"AWSPENDING"},
	})
	snap := snapshotOf(t, s)
	if v := snap.Versions[secretstore.Pending]; !v.Foreign {
		t.Errorf("pending is %+v", v)
	}
	if _, err := stage(keyB).do(t, s, snap); !errors.Is(err, secretstore.ErrConflict) || !strings.Contains(err.Error(), "not ours") {
		t.Error(err)
	}
	if value, _ := b.server.Value(b.name, "AWSPENDING"); value != "theirs" {
		t.Errorf("AWSPENDING is on %q", value)
	}
}

// TestAVersionOfTerraformsIsPointedOut follows a first version that Terraform
// made until it loses its last label.
func TestAVersionOfTerraformsIsPointedOut(t *testing.T) {
	theirs := strings.Repeat("t", 32)
	b := newBench(t)
	s := b.open()
	b.putByHand(theirs, "made by Terraform")
	wantAdvice := func(when string, snap secretstore.Snapshot, want ...string) {
		t.Helper()
		if len(snap.Advice) != len(want) {
			t.Fatalf("%s the advice is %q", when, snap.Advice)
		}
		for i, advice := range snap.Advice {
			if !strings.Contains(advice, theirs) || !strings.Contains(advice, want[i]) || strings.Contains(advice, "made by Terraform") {
				t.Errorf("%s the advice is %q", when, advice)
			}
		}
	}
	wantAdvice("while it is current", snapshotOf(t, s), "after the next rotation")
	wantAdvice("while it is previous", rotate(t, s, keyA), "when its grace period is over")
	b.call("UpdateSecretVersionStage", map[string]any{"SecretId": b.name, "VersionStage": "terraform", "MoveToVersionId": theirs})
	wantAdvice("with a label of its own", snapshotOf(t, s))
	b.server.DropLabels(b.name, func(l string) bool { return l == "terraform" })
	snap, err := destroy(theirs).do(t, s, snapshotOf(t, s))
	if err != nil {
		t.Fatal(err)
	}
	wantAdvice("once it is gone", snap)
}

func TestAgeOfAValueThatWasPutByHandIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		at := time.Now()
		b.putByHand(strings.Repeat("h", 32), "theirs")
		time.Sleep(time.Hour)
		if got := snapshotOf(t, b.open()).Versions[secretstore.Current].Created; !got.Equal(at) {
			t.Errorf("created at %v, want %v", got, at)
		}
	})
}

func TestAHandThatMovesAWSCURRENTBackIsSeen(t *testing.T) {
	b := newBench(t)
	s := b.open()
	stale := rotate(t, s, keyA, keyB)
	b.call("UpdateSecretVersionStage", map[string]any{
		"SecretId": b.name, "VersionStage": "AWSCURRENT", "RemoveFromVersionId": keyB, "MoveToVersionId": keyA,
	})
	if _, err := reserve(keyC).do(t, s, stale); !errors.Is(err, secretstore.ErrConflict) {
		t.Errorf("a write on the snapshot from before: %v", err)
	}
	snap := snapshotOf(t, s)
	if got := held(snap); got != "current=a previous=b" {
		t.Fatalf("the secret holds %s", got)
	}
	if _, err := destroy(keyB).do(t, s, snap); err != nil {
		t.Fatal(err)
	}
	if got := held(snapshotOf(t, s)); got != "current=a" {
		t.Errorf("then it holds %s", got)
	}
}

func TestAHandThatTakesAWSPENDINGAwayEndsTheRotation(t *testing.T) {
	b := newBench(t)
	s := b.open()
	rotate(t, s, keyA)
	snap := snapshotOf(t, s)
	for _, w := range []write{reserve(keyB), stage(keyB)} {
		var err error
		if snap, err = w.do(t, s, snap); err != nil {
			t.Fatal(err)
		}
	}
	b.server.DropLabels(b.name, func(l string) bool { return l == "AWSPENDING" })
	if _, err := promote(keyB).do(t, s, snap); !errors.Is(err, secretstore.ErrConflict) {
		t.Errorf("promote: %v", err)
	}
	if got := held(snapshotOf(t, s)); got != "current=a" {
		t.Errorf("the secret holds %s", got)
	}
	rotate(t, s, keyC)
	if got := held(snapshotOf(t, s)); got != "current=c previous=a" {
		t.Errorf("after the next rotation it holds %s", got)
	}
}

func TestLosingAllMarksKeepsBothKeysReferredTo(t *testing.T) {
	b := newBench(t)
	s := b.open()
	rotate(t, s, keyA, keyB)
	b.server.DropLabels(b.name, func(l string) bool { return strings.HasPrefix(l, "rotator/") })
	snap := snapshotOf(t, s)
	for _, id := range []string{keyA, keyB} {
		if v, _, ok := snap.Find(id); !ok || !v.Foreign {
			t.Errorf("%s: %+v", id, v)
		}
	}
}

// TestLosingAnyOneMarkLosesNoKey: whichever label of ours goes, no key that is
// current or previous stops being referred to.
func TestLosingAnyOneMarkLosesNoKey(t *testing.T) {
	full := newBench(t)
	rotate(t, full.open(), keyA, keyB)
	labels, _, _ := full.server.Inspect(full.name)
	for _, on := range labels {
		for _, lost := range on {
			if !strings.HasPrefix(lost, "rotator/") {
				continue
			}
			kind := strings.Split(lost, "/")[1]
			b := newBench(t)
			s := b.open()
			rotate(t, s, keyA, keyB)
			b.server.DropLabels(b.name, isMarkOf(kind))
			snap := snapshotOf(t, s)
			for _, id := range []string{keyA, keyB} {
				if _, _, ok := snap.Find(id); !ok {
					t.Errorf("without %s marks nothing refers to %s: %+v", kind, id, snap.Versions)
				}
			}
		}
	}
}
