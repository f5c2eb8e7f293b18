package sinkkind_test

import (
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
)

func TestNameTellsPlacesApartInSixtyFourBytes(t *testing.T) {
	long := strings.Repeat("organization/", 6)
	names := map[string]string{}
	for _, place := range []string{"", "ca_1", "ca_2", long + "A", long + "B"} {
		name := sinkkind.Name("composio", place)
		if len(name) > 64 || !strings.HasPrefix(name, "composio") {
			t.Errorf("place %q: name %q", place, name)
		}
		if other, taken := names[name]; taken {
			t.Errorf("places %q and %q have one name, %q", place, other, name)
		}
		names[name] = place
		if again := sinkkind.Name("composio", place); again != name {
			t.Errorf("place %q: %q, then %q", place, name, again)
		}
	}
}
