package rotator

import (
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// TestWhichKeyAValueIs: what shows it, what speaks against it, and what a person must say.
func TestWhichKeyAValueIs(t *testing.T) {
	stored := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	key := func(id, name string, before time.Duration, spec secretstore.Spec) Key {
		return Key{ID: id, Name: name, Spec: spec, Created: stored.Add(-before)}
	}
	const day = 24 * time.Hour
	sending, other := key("1", "Sending", 90*day, "leads:all"), key("2", "reports", 80*day, "leads:all")
	wide := key("3", "wide", 70*day, "all:all")
	fresh := key("4", "new one", 10*time.Minute, "leads:all")
	attested := Identity{Spec: "leads:all", Attested: true}
	for _, c := range []struct {
		name     string
		keys     []Key
		identity Identity
		others   string // keys whose value is known, and another one
		unknown  bool   // when it was stored
		wish     Wish
		want     string // "id how", or what the refusal says
	}{
		{"the list gives its value", []Key{sending, other}, Identity{KeyID: "2"}, "", false, Wish{}, "2 value"},
		{"the list gives its value, a person another id", []Key{sending, other}, Identity{KeyID: "2"}, "", false, Wish{"1", true}, "as that of key 2"},
		{"one key has its scopes", []Key{sending, wide}, attested, "", false, Wish{}, "1 scopes"},
		{"one key has its scopes, a person says another", []Key{sending, wide}, attested, "", false, Wish{"3", true}, "cannot be key 3: the value may do leads:all, and the key all:all"},
		{"none has its scopes", []Key{wide}, attested, "", false, Wish{}, "another workspace"},
		{"two have its scopes, the youngest bears its name", []Key{sending, key("9", "x", 99*day, "leads:all")}, attested, "", false, Wish{}, "1 scopes"},
		{"two have its scopes, and a younger one than the one of its name", []Key{sending, other}, attested, "", false, Wish{}, "2 keys may do"},
		{"the same, and nobody knows when it was stored", []Key{sending, other}, attested, "", true, Wish{}, "1 scopes"},
		{"two of its name", []Key{sending, key("9", "sending", 80*day, "leads:all")}, attested, "", true, Wish{}, "2 keys may do"},
		{"one was made right before it was stored: an old value may have been put back", []Key{other, fresh}, attested, "", false, Wish{}, "2 keys may do"},
		{"one bears its name, and another one was made right before it was stored", []Key{sending, fresh}, attested, "", false, Wish{}, "2 keys may do"},
		{"one was made after it was stored", []Key{other, key("9", "x", -day, "leads:all")}, attested, "", false, Wish{}, "2 scopes"},
		{"the value of the other one is known", []Key{sending, other}, attested, "1", false, Wish{}, "2 scopes"},
		{"nothing is told, and there is one key", []Key{sending}, Identity{}, "", false, Wish{}, "may be any of 1 keys"},
		{"nothing is told, and a person says which", []Key{sending, other}, Identity{}, "", false, Wish{"2", true}, "2 word"},
		{"nothing is told, and a person says which, but not that it is so", []Key{sending, other}, Identity{}, "", false, Wish{KeyID: "2"}, "nothing shows"},
		{"a person says what is shown anyhow", []Key{sending, wide}, attested, "", false, Wish{"1", true}, "1 scopes"},
		{"a key that there is not", []Key{sending}, attested, "", false, Wish{"7", true}, "no key 7"},
	} {
		e := evidence{
			Identity: c.identity, target: "sending", stored: stored, keys: c.keys, others: map[string]bool{c.others: true},
			same: func(a, b secretstore.Spec) bool { return a == b },
		}
		if c.unknown {
			e.stored = time.Time{}
		}
		got, how, _, err := e.identify(c.wish)
		said := got.ID + " " + string(how)
		if err != nil {
			said = err.Error()
		}
		if err == nil && said != c.want || err != nil && !strings.Contains(said, c.want) {
			t.Errorf("%s: %s, want %s", c.name, said, c.want)
		}
	}
}
