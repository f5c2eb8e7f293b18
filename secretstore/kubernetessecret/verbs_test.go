package kubernetessecret_test

import (
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

// documented are the verbs that doc.go names.
func documented(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(file.Doc.Text(), "# What it needs")
	var verbs []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+) `).FindAllStringSubmatch(text, -1) {
		verbs = append(verbs, m[1])
	}
	slices.Sort(verbs)
	return verbs
}

func used(server *kubetest.Server) []string {
	verbs := map[string]bool{}
	for _, c := range server.Calls() {
		verbs[c.Verb+" "+c.Resource] = true
	}
	return slices.Sorted(maps.Keys(verbs))
}

func TestOnlyTheDocumentedVerbsAreUsed(t *testing.T) {
	var want []string
	for _, verb := range documented(t) {
		want = append(want, verb+" secrets")
	}
	for _, how := range []struct {
		create bool
		want   []string
	}{{true, want}, {false, slices.DeleteFunc(slices.Clone(want), func(v string) bool { return v == "create secrets" })}} {
		server := kubetest.New(namespace)
		c := newCluster(server.Config(), namespace)
		var changes []func(*kubernetessecret.Options)
		if how.create {
			changes = append(changes, creating)
		} else {
			made := kubetest.New(namespace)
			newCluster(made.Config(), namespace).make(t, "sending", "")
			server.Adopt(made.Secret(namespace, "sending"))
		}
		s := c.open(t, "sending", changes...)
		steps.Must(t, s, steps.Rotation()...)
		steps.WantValue(t, s, "b", steps.ValueOf("b"))
		if diff := cmp.Diff(how.want, used(server)); diff != "" {
			t.Errorf("create_missing %t: verbs (-documented +used):\n%s", how.create, diff)
		}
	}
}

func TestEachVerbTakenAwayIsNamed(t *testing.T) {
	for _, verb := range documented(t) {
		c, server := standIn()
		s := c.open(t, "sending", creating)
		server.Denied = map[string]bool{verb: true}
		snap, err := s.Describe(t.Context())
		if err == nil {
			_, err = steps.Reserving("a").Call(t.Context(), s, snap)
		}
		steps.WantError(t, err, secretstore.ErrDenied, "needs the verb "+verb+" on the secret sending in namespace growth", "system:serviceaccount:growth:rotator")
	}
}
