package awssecretsmanager_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
)

// policyActions lists what a policy in deploy/iam allows. A statement allows
// one action, and its Sid begins with it.
func policyActions(t *testing.T, file string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "iam", file))
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Statement []struct{ Sid, Effect, Action, Resource string }
	}
	if err := json.Unmarshal(raw, &policy); err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, s := range policy.Statement {
		_, action, _ := strings.Cut(s.Action, ":")
		if s.Effect != "Allow" || strings.Contains(s.Action, "*") || s.Resource == "*" || !strings.HasPrefix(s.Sid, action) {
			t.Errorf("%s: statement %+v allows more than one action on one secret, or does not say which", file, s)
		}
		actions = append(actions, action)
	}
	slices.Sort(actions)
	return actions
}

// usedActions lists the actions that the calls of a server were.
func usedActions(s *awstest.Server) []string {
	calls := s.Calls()
	slices.Sort(calls)
	return slices.Compact(calls)
}

func TestPolicyAllowsWhatIsCalledAndNoMore(t *testing.T) {
	b := newBench(t)
	b.server.ForgetCalls()
	everything(t, b, b.open())
	handMade := newBench(t)
	handMade.putByHand(strings.Repeat("h", 32), "theirs")
	handMade.server.ForgetCalls()
	everything(t, handMade, handMade.open())
	used := slices.Concat(usedActions(b.server), usedActions(handMade.server))
	slices.Sort(used)
	// Puts by hand are part of what was done to the second secret.
	if diff := cmp.Diff(policyActions(t, "aws-policy.json"), slices.Compact(used)); diff != "" {
		t.Errorf("actions (-allowed +called):\n%s", diff)
	}
}

// The admin key is a target like others, in a secret of its own.
func TestPolicyForARotatedAdminKeyIsThatOfAKey(t *testing.T) {
	if diff := cmp.Diff(policyActions(t, "aws-policy.json"), policyActions(t, "aws-policy-rotated-admin-key.json")); diff != "" {
		t.Errorf("actions (-of a key +of the admin key):\n%s", diff)
	}
}

func TestPolicyForCreateMissingAllowsWhatIsCalledBesides(t *testing.T) {
	b := &bench{t, awstest.New(nil), name}
	o := b.options(b.server)
	o.Create = &awssecretsmanager.Create{Tags: map[string]string{"team": "sales"}}
	everything(t, b, openWith(t, o))
	basic := policyActions(t, "aws-policy.json")
	besides := slices.DeleteFunc(usedActions(b.server), func(a string) bool { return slices.Contains(basic, a) })
	want := slices.DeleteFunc(policyActions(t, "aws-policy-create-missing.json"), func(a string) bool { return a == "TagResource" })
	if diff := cmp.Diff(want, besides); diff != "" {
		t.Errorf("actions (-allowed +called):\n%s", diff)
	}
}

// everything does to a store whatever can be done to one.
func everything(t *testing.T, b *bench, s secretstore.Store) {
	t.Helper()
	snap := snapshotOf(t, s)
	for _, w := range []write{
		fail("x"), reserve(keyA), cancel(), reserve(keyA), stage(keyA), promote(keyA), reserve(keyB), stage(keyB), promote(keyB), destroy(keyA),
		stage(keyC), destroy(keyC),
	} {
		var err error
		if snap, err = w.do(t, s, snap); err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		if v, ok := snap.Versions[secretstore.Previous]; ok && v.Foreign {
			if snap, err = s.Destroy(t.Context(), snap, v.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := s.Read(t.Context(), keyB); err != nil {
		t.Fatal(err)
	}
}

// TestEachMissingPermissionIsNamed takes one permission away at a time, at each
// stage of a key's life: the message names it and the secret, no key that is in
// use is lost, and once it is given back the rotation goes on.
func TestEachMissingPermissionIsNamed(t *testing.T) {
	for _, action := range policyActions(t, "aws-policy.json") {
		named := 0
		for _, begin := range []string{"first key", "rotation", "retirement", "hand made"} {
			synctest.Test(t, func(t *testing.T) {
				if denied(t, action, begin) {
					named++
				}
			})
		}
		if named == 0 {
			t.Errorf("without %s nothing failed", action)
		}
	}
}

func denied(t *testing.T, action, begin string) (failed bool) {
	w := newWorld(t)
	if begin == "hand made" {
		w.putByHand(strings.Repeat("h", 32), w.Instantly.Add("by hand").Value)
		time.Sleep(due)
	} else {
		w.Begin(begin)
	}
	w.server.Deny(action)
	res := w.Start().Run(rotator.Request{})
	if res.Err != nil {
		failed = true
		want := "needs secretsmanager:" + action + " on " + w.name
		if !errors.Is(res.Err, secretstore.ErrDenied) || !strings.Contains(res.Err.Error(), want) {
			t.Errorf("%s, without %s: %v", begin, action, res.Err)
		}
	}
	w.server.Allow()
	w.Settle()
	w.Check(begin + " without " + action)
	return failed
}

func TestMissingKMSPermissionsAreNamed(t *testing.T) {
	for action, want := range map[string]string{"PutSecretValue": "kms:GenerateDataKey", "GetSecretValue": "kms:Decrypt"} {
		b := newBench(t)
		s := b.open()
		snap := rotate(t, s, keyA)
		b.server.DenyKMS(action)
		_, err := stage(keyB).do(t, s, snap)
		if action == "GetSecretValue" {
			_, err = s.Read(t.Context(), keyA)
		}
		if !errors.Is(err, secretstore.ErrDenied) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", action, err)
		}
	}
	if diff := cmp.Diff([]string{"Decrypt", "GenerateDataKey"}, policyActions(t, "aws-policy-own-kms-key.json")); diff != "" {
		t.Error(diff)
	}
}
