package kubernetessecret_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

func TestProbeOfWritesNamesTheVerbThatLacksAndChangesNothing(t *testing.T) {
	c, server := standIn()
	server.Make(c.namespace, "sending")
	s := c.open(t, "sending")
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
	before := server.Secret(c.namespace, "sending")
	if p, err := s.ProbeWrites(t.Context()); err != nil || len(p.Lacking)+len(p.Unknown) > 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if diff := cmp.Diff(before, server.Secret(c.namespace, "sending")); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
	server.Denied = map[string]bool{"patch": true}
	if p, err := s.ProbeWrites(t.Context()); err != nil || len(p.Lacking) != 1 || !strings.Contains(p.Lacking[0], "needs the verb patch on secrets/sending") {
		t.Errorf("without patch: %+v, %v", p, err)
	}
	// One that is to be made needs another verb.
	server.Denied = map[string]bool{"create": true}
	absent := c.open(t, "other", func(o *kubernetessecret.Options) { o.CreateMissing = &kubernetessecret.Create{} })
	if p, err := absent.ProbeWrites(t.Context()); err != nil || len(p.Lacking) != 1 || !strings.Contains(p.Lacking[0], "needs the verb create on secrets") {
		t.Errorf("without create: %+v, %v", p, err)
	}
}
