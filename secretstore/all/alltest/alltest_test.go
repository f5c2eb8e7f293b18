package alltest_test

import (
	"slices"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
	"github.com/instantly-rotator/instantly-rotator/secretstore/all/alltest"
)

func TestEveryKindHasAFixture(t *testing.T) {
	var kinds, fixtures []string
	for _, k := range all.Kinds() {
		kinds = append(kinds, k.Name)
	}
	for _, f := range alltest.Fixtures() {
		fixtures = append(fixtures, f.Kind)
	}
	if !slices.Equal(kinds, fixtures) {
		t.Errorf("kinds %v, fixtures %v", kinds, fixtures)
	}
}
