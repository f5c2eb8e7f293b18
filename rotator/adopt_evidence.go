package rotator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// An Identifier is an [Issuer] that can tell something of values whose keys are not known.
type Identifier interface {
	Issuer
	// Identify tells of each value what can be told of it.
	Identify(ctx context.Context, values []secret.Value) ([]Identity, error)
	// SameSpec tells whether keys of both Specs may do the same.
	SameSpec(a, b secretstore.Spec) bool
}

// Identity is what an issuer tells of a value.
type Identity struct {
	// KeyID is the key that the list gives with this very value; empty if with none: a
	// list need not give values.
	KeyID string
	// Spec is what the value may do, if it could be had: Attested.
	Spec     secretstore.Spec
	Attested bool
}

// sameSpec tells whether keys of both Specs may do the same, as far as the issuer tells.
func (w *Workspace) sameSpec(a, b secretstore.Spec) bool {
	if i, ok := w.issuer.(Identifier); ok {
		return i.SameSpec(a, b)
	}
	return a == b
}

// Wish is what a person says of the key whose value a target has.
type Wish struct {
	// KeyID is which key it is; empty: what the evidence says.
	KeyID string
	// Word: it is taken for that key on the person's word, if nothing shows it.
	Word bool
}

// evidence is all that tells which key a stored value is.
type evidence struct {
	Identity
	target string    // its name, which a person may have given the key too
	stored time.Time // when the value was stored; zero if not known
	keys   []Key     // all of the workspace
	// others are those of which a store has the value, and it is another one.
	others map[string]bool
	same   func(a, b secretstore.Spec) bool
}

// identify gives the key, and how it is shown to be the value's; and those that it can be,
// as far as is known, where it cannot be told. It does no I/O.
func (e evidence) identify(w Wish) (Key, secretstore.Adopted, []Key, error) {
	candidates := e.candidates()
	refuse := func(format string, args ...any) (Key, secretstore.Adopted, []Key, error) {
		return Key{}, "", candidates, fmt.Errorf("%w: %s", ErrNotAdopted, fmt.Sprintf(format, args...))
	}
	asked, listed := e.key(cmp.Or(w.KeyID, e.KeyID))
	switch {
	case w.KeyID != "" && !listed:
		return refuse("the key list has no key %s", w.KeyID)
	case e.KeyID != "" && w.KeyID != "" && w.KeyID != e.KeyID:
		candidates = slices.DeleteFunc(candidates, func(k Key) bool { return k.ID != e.KeyID })
		return refuse("the key list gives the value as that of key %s, not of %s", e.KeyID, w.KeyID)
	case e.KeyID != "" && listed:
		return asked, AdoptedByValue, candidates, nil
	case w.KeyID != "" && !slices.ContainsFunc(candidates, withID(w.KeyID)):
		return refuse("it cannot be key %s: %s", w.KeyID, e.against(asked))
	}
	shown, ok := e.singledOut(candidates)
	switch {
	case ok && e.Attested && (w.KeyID == "" || w.KeyID == shown.ID):
		return shown, AdoptedByScopes, candidates, nil
	case w.KeyID != "" && w.Word:
		return asked, AdoptedByWord, candidates, nil
	case w.KeyID != "":
		return refuse("nothing shows that the value is that of key %s", w.KeyID)
	case len(candidates) == 0:
		return refuse("the key list has no key that it can be: is it one of another workspace?")
	case !e.Attested:
		return refuse("the key list gives no values, and the API does not say what this one may do: it may be any of %d keys", len(candidates))
	default:
		return refuse("%d keys may do what it may do, and no name tells them apart", len(candidates))
	}
}

func (e evidence) key(id string) (Key, bool) {
	if i := slices.IndexFunc(e.keys, withID(id)); i >= 0 {
		return e.keys[i], true
	}
	return Key{}, false
}

func withID(id string) func(Key) bool { return func(k Key) bool { return k.ID == id } }

// candidates gives the keys that it can be, the newest first.
func (e evidence) candidates() []Key {
	can := slices.DeleteFunc(slices.Clone(e.keys), func(k Key) bool { return e.against(k) != "" })
	slices.SortFunc(can, func(a, b Key) int { return cmp.Or(b.Created.Compare(a.Created), strings.Compare(a.ID, b.ID)) })
	return can
}

// against tells why it cannot be that key; empty if it can.
func (e evidence) against(k Key) string {
	switch {
	case e.others[k.ID]:
		return "a store has that key, with another value"
	case e.Attested && !e.same(e.Spec, k.Spec):
		return fmt.Sprintf("the value may do %s, and the key %s", orNothing(e.Spec), orNothing(k.Spec))
	case !e.stored.IsZero() && k.Created.After(e.stored.Add(clockMargin)):
		return "the key was made after the value was stored"
	}
	return ""
}

func orNothing(s secretstore.Spec) string { return cmp.Or(string(s), "nothing") }

// singledOut gives the one key that can be meant: there is no other, or it alone bears the
// target's name and no younger one can be meant. That a key was made right before the value
// was stored shows nothing: an old value can be put back at any time.
func (e evidence) singledOut(candidates []Key) (Key, bool) {
	if len(candidates) == 1 {
		return candidates[0], true
	}
	byName := slices.DeleteFunc(slices.Clone(candidates), func(k Key) bool { return plain(k.Name) != plain(e.target) })
	if len(byName) == 1 && (e.stored.IsZero() || byName[0].ID == candidates[0].ID) {
		return byName[0], true
	}
	return Key{}, false
}

// plain leaves of a name what people do not write now in this way and now in that.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
