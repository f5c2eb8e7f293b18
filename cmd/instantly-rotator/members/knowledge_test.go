package members_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/members"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func key(id string, at time.Time) instantly.Key { return instantly.Key{ID: id, Name: id, Created: at} }

func made(user string, at time.Time, ids ...string) instantly.AuditLog {
	l := instantly.AuditLog{Activity: instantly.KeyCreated, UserID: user, At: at}
	for _, id := range ids {
		l.Metadata = append(l.Metadata, secret.New(id))
	}
	return l
}

// names gives what is known, as "target: why begins so".
func names(k members.Knowledge) (all []string) {
	for _, known := range k.Known {
		all = append(all, known.Target)
	}
	return all
}

func TestWhatSomebodyCouldKnow(t *testing.T) {
	ann := members.Person{Address: "ann@acme.example", UserIDs: []string{"u-ann"}}
	hour := noon.Add(time.Hour)
	keys := []instantly.Key{key("k1", noon), key("k2", hour), key("k3", hour.Add(30*time.Second))}
	target := func(name string, knownTo []string, keys ...string) members.Target {
		return members.Target{Name: name, Workspace: "main", KnownTo: knownTo, Keys: keys}
	}
	for claim, c := range map[string]struct {
		log     []instantly.AuditLog
		targets []members.Target
		known   []string
		loose   []string
	}{
		"known_to has them": {nil, []members.Target{target("a", []string{"bob@x.y", "ann@acme.example"}), target("b", []string{"bob@x.y"}), target("c", nil)}, []string{"a"}, nil},
		"they made it, as the log says by name": {[]instantly.AuditLog{made("u-ann", noon, "k2")},
			[]members.Target{target("a", nil, "k1"), target("b", nil, "k2")}, []string{"b"}, nil},
		"they made it, by the time": {[]instantly.AuditLog{made("u-ann", noon.Add(time.Second))},
			[]members.Target{target("a", nil, "k1"), target("b", nil, "k2")}, []string{"a"}, nil},
		"two were made at that time": {[]instantly.AuditLog{made("u-ann", hour)},
			[]members.Target{target("a", nil, "k2"), target("b", nil, "k3")}, []string{"a", "b"}, nil},
		"they made it, whatever known_to says": {[]instantly.AuditLog{made("u-ann", noon)}, []members.Target{target("a", []string{}, "k1")}, []string{"a"}, nil},
		"somebody else made it":                {[]instantly.AuditLog{made("u-bob", noon)}, []members.Target{target("a", nil, "k1")}, nil, nil},
		"the log has their address only": {[]instantly.AuditLog{{Activity: instantly.KeyCreated, UserName: "Ann@acme.example", At: noon}},
			[]members.Target{target("a", nil, "k1")}, []string{"a"}, nil},
		"what they made is nobody's": {[]instantly.AuditLog{made("u-ann", noon)}, []members.Target{target("a", nil, "k2")}, nil, []string{"k1"}},
		"the admin key": {nil, []members.Target{
			{Name: "main-admin-key", Workspace: "main", Opens: []string{"main"}, KnownTo: []string{"ann@acme.example"}},
			target("a", nil), target("b", []string{"bob@x.y"}), {Name: "c", Workspace: "other"},
		}, []string{"main-admin-key", "a", "b"}, nil},
	} {
		got := members.Could(ann, []members.Records{{Workspace: "main", Made: c.log, Keys: keys}}, c.targets)
		var loose []string
		for _, l := range got.Loose {
			loose = append(loose, l.ID)
		}
		if diff := cmp.Diff([][]string{c.known, c.loose}, [][]string{names(got), loose}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", claim, diff)
		}
		if len(got.Unknown) > 0 {
			t.Errorf("%s: not known: %q", claim, got.Unknown)
		}
	}
}

func TestWhatCannotBeSaidIsSaid(t *testing.T) {
	ann := members.Person{Address: "ann@acme.example"}
	targets := []members.Target{
		{Name: "a", Workspace: "main"}, {Name: "b", Workspace: "main", KnownTo: []string{}}, {Name: "c", Workspace: "other", Err: errors.New("store down")},
	}
	k := members.Could(ann, []members.Records{{Workspace: "main", Err: errors.New("no log")}, {Workspace: "other"}}, targets)
	said := strings.Join(append(k.Unknown, k.Limits...), "\n")
	for _, want := range []string{
		"which keys they made in workspace main is not known, so not whether they could know a (known_to would say): no log",
		"whether they made the key of c is not known: store down",
		"in no log: whether they know a, c, which they did not make",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q, but:\n%s", want, said)
		}
	}
}
