//go:build linux && amd64

package crash

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
)

// folders are two local stores.
type folders struct {
	*world
	seen map[string]seen // by store; the judge looks one at a time
}

// seen is what was found in a store: it is decrypted again only when a file came,
// went, or says something else.
type seen struct {
	store  secretstore.Store
	files  string
	served string
}

func openFolders(w *world) site { return &folders{w, map[string]seen{}} }

func (f *folders) stores() string {
	return "  a: {kind: file, path: ./stores/a}\n  b: {kind: file, path: ./stores/b}"
}

func (f *folders) env() []string { return nil }

func (f *folders) traced() bool { return true }

func (f *folders) folder(store string) string {
	return filepath.Join(f.dir, "stores", store, map[string]string{"a": inA, "b": inB}[store])
}

func (f *folders) serves() map[string]string {
	return map[string]string{"store a": f.value("a"), "store b": f.value("b")}
}

// value is what the command get prints; "" as long as there is no store.
func (f *folders) value(store string) string {
	now := f.seen[store]
	files := f.files(store)
	if files == now.files {
		return now.served
	}
	now.files, now.served = files, ""
	if now.store == nil {
		s, err := filestore.Open(filestore.Options{Dir: f.folder(store), Identity: filepath.Join(f.dir, "stores", store, "identity")})
		if err != nil {
			return ""
		}
		now.store = s
	}
	ctx := context.Background()
	if snap, err := now.store.Describe(ctx); err == nil {
		if value, err := now.store.Read(ctx, snap.Versions[secretstore.Current].ID); err == nil {
			now.served = value.Reveal()
		}
	}
	f.seen[store] = now
	return now.served
}

// files is the state of a store and the names of its files; "" if it is not made.
func (f *folders) files(store string) string {
	state, err := os.ReadFile(filepath.Join(f.folder(store), "state.json"))
	if err != nil {
		return ""
	}
	entries, err := os.ReadDir(f.folder(store))
	if err != nil {
		return ""
	}
	return fmt.Sprint(string(state), entries)
}

func (f *folders) remains() (left []string) {
	for _, store := range []string{"a", "b"} {
		entries, err := os.ReadDir(f.folder(store))
		if err != nil {
			f.Fatal(err)
		}
		if len(entries) != 3 { // the lock, the state and a value
			left = append(left, fmt.Sprintf("files in store %s: %v", store, entries))
		}
	}
	return left
}
