package awssecretsmanager_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
)

// TestProbeOfWritesChangesNothing: neither before the first rotation, when the secret
// does not bear the owner's mark yet, nor after it.
func TestProbeOfWritesChangesNothing(t *testing.T) {
	b := newBench(t)
	for _, when := range []string{"before the first rotation", "after it"} {
		if when == "after it" {
			rotate(t, b.open(), keyA)
		}
		labels, tags, _ := b.server.Inspect(b.name)
		p, err := b.open().ProbeWrites(t.Context())
		if err != nil || len(p.Lacking)+len(p.Unknown)+len(p.Advice) > 0 {
			t.Errorf("%s: %+v, %v", when, p, err)
		}
		labelsNow, tagsNow, _ := b.server.Inspect(b.name)
		if diff := cmp.Diff(labels, labelsNow) + cmp.Diff(tags, tagsNow); diff != "" {
			t.Errorf("%s (-before +after):\n%s", when, diff)
		}
	}
}

func TestProbeOfWritesNamesEachMissingPermission(t *testing.T) {
	b := newBench(t)
	rotate(t, b.open(), keyA)
	for _, action := range policyActions(t, "aws-policy.json") {
		if action == "DescribeSecret" || action == "ListSecretVersionIds" || action == "GetSecretValue" {
			continue // these read
		}
		b.server.Deny(action)
		p, err := b.open().ProbeWrites(t.Context())
		if err != nil || len(p.Lacking) != 1 || !strings.HasPrefix(p.Lacking[0], "needs secretsmanager:"+action+" on "+b.name) {
			t.Errorf("without %s: %+v, %v", action, p, err)
		}
		b.server.Allow()
	}
}

func TestProbeOfWritesChangesNothingOnMoto(t *testing.T) {
	m := &motoSecret{TB: t, url: awstest.StartMoto(t), name: "probed"}
	m.call("CreateSecret", map[string]any{"Name": m.name})
	rotate(t, m.open(nil), keyA)
	shown := func() any { return m.call("DescribeSecret", map[string]any{"SecretId": m.name})["VersionIdsToStages"] }
	before := shown()
	p, err := m.open(nil).ProbeWrites(t.Context())
	if err != nil || len(p.Lacking)+len(p.Unknown) > 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if diff := cmp.Diff(before, shown()); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
}
