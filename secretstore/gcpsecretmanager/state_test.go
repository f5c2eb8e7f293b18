package gcpsecretmanager_test

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func TestStateThatCannotBeUnderstoodIsCorruptAndStaysAsItIs(t *testing.T) {
	const version = `{"stage":"current","id":"a","held":{"numbers":[1],"crc32c":1}}`
	for name, text := range map[string]string{
		"not JSON":       `{"format":`,
		"no format":      `{}`,
		"a newer format": `{"format":2}`,
		"unknown field":  `{"format":1,"owner":"prod","write":"x","colour":"red"}`,
		"unknown stage":  `{"format":1,"owner":"prod","write":"x","versions":[{"stage":"future","id":"a","held":{"numbers":[1],"crc32c":1}}]}`,
		"a stage twice":  `{"format":1,"owner":"prod","write":"x","versions":[` + version + `,` + version + `]}`,
		"no number":      `{"format":1,"owner":"prod","write":"x","versions":[{"stage":"current","id":"a","held":{"numbers":[],"crc32c":1}}]}`,
		"number 0":       `{"format":1,"owner":"prod","write":"x","versions":[{"stage":"current","id":"a","held":{"numbers":[0],"crc32c":1}}]}`,
		"no such spec":   `{"format":1,"owner":"prod","write":"x","intent":{"nonce":"n","spec":"3"}}`,
		"leaves room":    `{"format":1,"owner":"prod","write":"x"} trailing`,
	} {
		server := newServer(t)
		server.Edit(id, func(sec *secretmanagerpb.Secret) { sec.Annotations = map[string]string{stateKey: text} })
		_, err := open(t, server).Describe(t.Context())
		wantError(t, err, secretstore.ErrCorrupt)
		if err == nil || !strings.Contains(err.Error(), stateKey) {
			t.Errorf("%s: error %v does not name the annotation", name, err)
		}
		if server.Secret(id).GetAnnotations()[stateKey] != text {
			t.Errorf("%s: it was changed", name)
		}
	}
}

func TestRemovedStateMakesTheLatestVersionForeign(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, staging("a"), promoting("a"))
	server.Edit(id, func(sec *secretmanagerpb.Secret) { sec.Annotations = nil })
	wantHeld(t, s, "/gcp-version-1/")
	must(t, s, staging("b"), promoting("b"))
	wantHeld(t, s, "/b/gcp-version-1")
}

func TestAnnotationsThatGrowTooLargeAreRefusedBeforeTheCall(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	must(t, s, staging("a"), promoting("a"))
	server.Edit(id, func(sec *secretmanagerpb.Secret) { sec.Annotations["theirs"] = strings.Repeat("x", 15*1024) })
	seen := describe(t, s)
	n := secretstore.Notes{Intent: secretstore.Intent{Nonce: "n", Spec: longSpec(100)}}
	var err error
	calls := methods(server, func() { _, err = s.Annotate(t.Context(), seen, n) })
	if err == nil || !strings.Contains(err.Error(), "16384") || len(calls) != 0 {
		t.Errorf("after calls %v the error is %v", calls, err)
	}
	wantHeld(t, s, "/a/")
}

// longSpec is longer than stores have to take.
func longSpec(n int) secretstore.Spec {
	var spec strings.Builder
	for i := range n {
		fmt.Fprintf(&spec, "inbox_placement_analytics_%d:update,", i)
	}
	return secretstore.Spec(spec.String())
}

// TestOneLongSpecIsStoredOnce: three versions and an intent that are issued for the
// same would not fit otherwise.
func TestOneLongSpecIsStoredOnce(t *testing.T) {
	server := newServer(t)
	s := open(t, server)
	spec := longSpec(178)
	long := func(key string) secretstore.Version {
		v := version(key)
		v.Intent.Spec = spec
		return v
	}
	seen := describe(t, s)
	for _, key := range []string{"a", "b", "c"} {
		var err error
		if seen, err = s.Stage(t.Context(), seen, long(key), valueOf(key)); err != nil {
			t.Fatal(err)
		}
		if key != "c" {
			if seen, err = promoting(key).call(t, s, seen); err != nil {
				t.Fatal(err)
			}
		}
	}
	seen, err := s.Annotate(t.Context(), seen, secretstore.Notes{Intent: long("d").Intent})
	if err != nil {
		t.Fatal(err)
	}
	for stage, v := range describe(t, s).Versions {
		if v.Intent.Spec != spec {
			t.Errorf("the %s version has a spec of %d bytes of %d", stage, len(v.Intent.Spec), len(spec))
		}
	}
	if seen.Notes.Intent.Spec != spec {
		t.Error("the intent has lost its spec")
	}
}
