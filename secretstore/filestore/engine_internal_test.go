package filestore

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// hookedDisk takes each reading and each effect for an outside call.
type hookedDisk struct {
	quickDisk
	hook rotatortest.Hook
}

func (d hookedDisk) call(name, path string, effect func() error) error {
	name += " " + kindOf(path)
	if err := d.hook(name, rotatortest.Before); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return d.hook(name, rotatortest.After)
}

// kindOf leaves random parts of names out.
func kindOf(path string) string {
	if filepath.Ext(path) == ".json" {
		return filepath.Base(path)
	}
	return "file"
}

func (d hookedDisk) Read(path string) (content []byte, err error) {
	err = d.call("read", path, func() error { content, err = d.quickDisk.Read(path); return err })
	return content, err
}

func (d hookedDisk) MakeFolder(path string) error {
	return d.call("make folder", path, func() error { return d.quickDisk.MakeFolder(path) })
}

func (d hookedDisk) Create(path string, content []byte) error {
	return d.call("create", path, func() error { return d.quickDisk.Create(path, content) })
}

func (d hookedDisk) Replace(path string, content []byte) error {
	return d.call("replace", path, func() error { return d.quickDisk.Replace(path, content) })
}

func (d hookedDisk) Link(from, to string) error {
	return d.call("link", to, func() error { return d.quickDisk.Link(from, to) })
}

func (d hookedDisk) Remove(path string) error {
	return d.call("remove", path, func() error { return d.quickDisk.Remove(path) })
}

func (d hookedDisk) SyncFolder(path string) error {
	return d.call("sync", path, func() error { return d.quickDisk.SyncFolder(path) })
}

// inFolder has every outside call of the engine's stores be one of the disk's.
func inFolder() rotatortest.Backend {
	return rotatortest.Backend{Name: "file", Fresh: func(t testing.TB) rotatortest.Secret {
		dir := quickFolder(t)
		o := Options{Dir: dir, Identity: filepath.Join(dir, "keys", "identity")}
		bare, err := openOn(quickDisk{}, o)
		if err != nil {
			t.Fatal(err)
		}
		reader := consumer{store: bare}
		return rotatortest.Secret{
			Open: func(_ testing.TB, hook rotatortest.Hook) secretstore.Store {
				hooked, err := openOn(quickDisk{}, o)
				if err != nil {
					t.Fatal(err)
				}
				hooked.disk = hookedDisk{hook: hook}
				return hooked
			},
			Current: func() string { return reader.current(t) },
		}
	}}
}

// consumer reads what get prints, and decrypts again only what has changed:
// the judge asks after every effect.
type consumer struct {
	store  *Store
	sealed []byte
	value  string
}

func (c *consumer) current(t testing.TB) string {
	st, err := c.store.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v, ok := st.On(secretstore.Current)
	if !ok {
		return ""
	}
	if !bytes.Equal(v.Held, c.sealed) {
		value, err := unseal(v.Held, c.store.own.identities)
		if err != nil {
			t.Fatal(err)
		}
		c.sealed, c.value = v.Held, value.Reveal()
	}
	return c.value
}

func TestEveryCallFails(t *testing.T) { rotatortest.Matrix(t, inFolder()) }

func TestEveryCallFailsWithSinks(t *testing.T) {
	if testing.Short() {
		t.Skip("the same matrix runs on stores in memory")
	}
	rotatortest.SinkMatrix(t, inFolder())
}

func TestPairsOfCallsFail(t *testing.T) {
	draws := 500
	if testing.Short() {
		draws = 50
	}
	rotatortest.Pairs(t, inFolder(), draws)
}
