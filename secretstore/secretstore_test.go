package secretstore_test

import (
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func TestASpecIsPrintableAndNotTooLong(t *testing.T) {
	longest := secretstore.Spec(strings.Repeat("x", secretstore.MaxSpec))
	for _, good := range []secretstore.Spec{"", "leads:all,campaigns:read", ` {"a": "b~"} `, longest} {
		if err := good.Check(); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for _, bad := range []secretstore.Spec{longest + "x", "a\nb", "a\tb", "ü", "\x7f"} {
		if bad.Check() == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
