package awssecretsmanager_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// token is what AWS calls the rotation that it began, and the version it waits for.
const token = "6b0cf2fd-0000-4000-8000-00000000aaaa"

// begunOn is a secret with a current key, of which AWS began a rotation.
func begunOn(t testing.TB) *bench {
	b := newBench(t)
	rotate(t, b.open(), keyA)
	b.call("RotateSecret", map[string]any{"SecretId": b.name, "ClientRequestToken": token})
	return b
}

func (b *bench) wantBegun(when string, want storekind.State) {
	b.Helper()
	p, err := b.open().Begun(b.Context(), token)
	if err != nil || p.State != want {
		b.Errorf("%s: the rotation is in state %d (%v), want %d", when, p.State, err, want)
	}
}

// complete tells whether AWS takes its rotation for complete: AWSPENDING is nowhere, or
// where AWSCURRENT is.
func (b *bench) complete() bool {
	labels, _, _ := b.server.Inspect(b.name)
	for _, on := range labels {
		if slices.Contains(on, "AWSPENDING") && !slices.Contains(on, "AWSCURRENT") {
			return false
		}
	}
	return true
}

func TestTheNextKeyFillsTheVersionThatAWSWaitsFor(t *testing.T) {
	b := begunOn(t)
	s := b.open()
	b.wantBegun("before", storekind.Begun)
	snap := snapshotOf(t, s)
	if got := held(snap); got != "current=a" || len(snap.Advice) != 1 {
		t.Errorf("a version without a value is shown: %s, advice %q", got, snap.Advice)
	}
	for _, step := range []struct {
		write
		want storekind.State
	}{{reserve(keyB), storekind.Begun}, {stage(keyB), storekind.Staged}, {promote(keyB), storekind.Promoted}} {
		var err error
		if snap, err = step.do(t, s, snap); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		b.wantBegun(step.name, step.want)
	}
	labels, _, _ := b.server.Inspect(b.name)
	if !slices.Contains(labels[token], "AWSCURRENT") || !b.complete() || len(labels[keyB]) > 0 {
		t.Errorf("AWS does not take it for complete: %v", labels)
	}
	if value, _ := b.server.Value(b.name, "AWSCURRENT"); value != valueOf(keyB).Reveal() {
		t.Errorf("AWSCURRENT is %q", value)
	}
	if _, err := destroy(keyA).do(t, s, snap); err != nil {
		t.Fatal(err)
	}
	rotate(t, s, keyC)
	b.wantBegun("a rotation later", storekind.Displaced)
}

// TestAKilledStageLeavesAWSNoRotationItCannotComplete: a value cannot be put twice under one
// name, so that the next key goes elsewhere where a process dies between put and pending.
func TestAKilledStageLeavesAWSNoRotationItCannotComplete(t *testing.T) {
	elsewhere := 0
	for at, killed := 1, true; killed; at++ {
		synctest.Test(t, func(t *testing.T) {
			var last string
			if last, killed = killedStage(t, at); last == keyC {
				elsewhere++
			}
		})
	}
	if elsewhere == 0 {
		t.Error("at no call a key was lost that had been put")
	}
}

// killedStage dies at that call of a stage, and has the next run go on. It gives the key that
// is current in the end.
func killedStage(t *testing.T, at int) (last string, killed bool) {
	b := begunOn(t)
	armed, calls := false, 0
	dying := b.openVia(func(_ awstest.Call, when awstest.When) error {
		if armed && when == awstest.Before {
			calls++
		}
		if calls >= at {
			return awstest.ErrTorn
		}
		return nil
	})
	snap, err := reserve(keyB).do(t, dying, snapshotOf(t, dying))
	if err != nil {
		t.Fatal(err)
	}
	armed = true
	_, err = stage(keyB).do(t, dying, snap)
	killed, last = err != nil, keyB
	heir := b.open()
	if snap = snapshotOf(t, heir); held(snap) == "pending=b current=a" {
		if snap, err = promote(keyB).do(t, heir, snap); err != nil {
			t.Fatal(err)
		}
	} else {
		b.wantBegun(fmt.Sprintf("killed at call %d", at), storekind.Begun)
		snap, last = rotate(t, heir, keyC), keyC // the next run gives the key up and issues another one
	}
	b.wantBegun(fmt.Sprintf("killed at call %d, and a run later", at), storekind.Promoted)
	if value, _ := b.server.Value(b.name, "AWSCURRENT"); value != valueOf(last).Reveal() || !b.complete() {
		t.Errorf("killed at call %d: AWSCURRENT is %q, and AWS's rotation complete: %v", at, value, b.complete())
	}
	for _, w := range []write{destroy(keyA), reserve(keyA), cancel()} { // whatever comes next tidies up
		if snap, err = w.do(t, heir, snap); err != nil {
			t.Fatal(err)
		}
	}
	if labels, _, _ := b.server.Inspect(b.name); len(labels) != 1 {
		t.Errorf("killed at call %d, more is left than the current version: %v", at, labels)
	}
	return last, killed
}

func TestAValueOfOthersInThatVersionIsLeftAlone(t *testing.T) {
	b := begunOn(t)
	b.call("PutSecretValue", map[string]any{
		"SecretId": b.name, "ClientRequestToken": token, "SecretString": "of a rotation function", "VersionStages": []string{"AWSPENDING"},
	})
	b.wantBegun("after somebody's put", storekind.PutByOthers)
	if _, err := stage(keyB).do(t, b.open(), snapshotOf(t, b.open())); !errors.Is(err, secretstore.ErrConflict) {
		t.Errorf("staged over it: %v", err)
	}
}

func TestARotationThatAWSNeverBegan(t *testing.T) {
	b := newBench(t)
	rotate(t, b.open(), keyA)
	b.wantBegun("none", storekind.NeverBegun)
}

func TestAWSNamesASecretByItsARN(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/sending-AbCdEf"
	for _, c := range []struct {
		region, secret, called string
		want                   bool
	}{
		{"", "prod/sending", arn, true},
		{"eu-west-1", "prod/sending", arn, true},
		{"", arn, arn, true},
		{"", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/sending", arn, true},
		{"", "prod/sending", "prod/sending", true},
		{"us-east-1", "prod/sending", arn, false},
		{"", "prod/send", arn, false},
		{"", "prod/sending", "arn:aws:lambda:eu-west-1:111122223333:function:prod/sending-AbCdEf", false},
		{"", "", "", true},
	} {
		if got := (&awssecretsmanager.Settings{Region: c.region}).IsSecret(c.secret, c.called); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
