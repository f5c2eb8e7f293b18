package config

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"
)

// A refForm says where a secret is that never stands in the file itself. What
// secret it is, and where in the file, is up to its purpose.
type refForm[P purpose] struct {
	mark
	Env    text `json:"env"`
	File   text `json:"file"`
	Store  text `json:"store"`
	Secret text `json:"secret"`
}

// A purpose is what a secret is for. Its zero value is used.
type purpose interface {
	section() string
	// what the secret is: "an admin key".
	what() string
	// spoilt is what to do with one that was written into the file.
	spoilt() string
}

type adminKeyPurpose struct{}

func (adminKeyPurpose) section() string { return "workspaces.*.admin_key" }
func (adminKeyPurpose) what() string    { return "an admin key" }
func (adminKeyPurpose) spoilt() string  { return "revoke the key if it was written here" }

type receiverURLPurpose struct{}

func (receiverURLPurpose) section() string { return "notify.*.url" }
func (receiverURLPurpose) what() string    { return "a receiver's URL" }
func (receiverURLPurpose) spoilt() string  { return "replace the URL if it was written here" }

func (refForm[P]) section() string { var p P; return p.section() }

func (f *refForm[P]) decode(d *decoder, n *yaml.Node, at mark) {
	var p P
	decodeRef(d, n, f, p, at)
}

// decodeRef reads a section that says where a secret is. It keeps a pasted one out of
// every message.
func decodeRef(d *decoder, n *yaml.Node, f form, p purpose, at mark) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		f.place(at)
		d.pasted(p, "{env: NAME} or {file: PATH}", at)
		return
	}
	was := d.quiet
	d.quiet = true
	d.form(n, f, at)
	d.quiet = was
}

// pasted reports a secret that stands where write should.
func (d *decoder) pasted(p purpose, write string, at mark) {
	d.fail(at, "write "+write+", and "+p.spoilt(), "%s never goes into this file, only the place where it is", p.what())
}

// JSONSchemaExtend implements an interface of package jsonschema.
func (f refForm[P]) JSONSchemaExtend(s *jsonschema.Schema) {
	describe(s, f.section())
	f.oneOf(s)
}

// oneOf says that a secret is in one place.
func (refForm[P]) oneOf(s *jsonschema.Schema) {
	s.OneOf = []*jsonschema.Schema{
		{Required: []string{"env"}},
		{Required: []string{"file"}},
		{Required: []string{"store", "secret"}},
	}
	s.DependentRequired = map[string][]string{"secret": {"store"}}
}

// refOptions are the options of a refForm; word is what the secret is in short.
func refOptions(p purpose, word, envExample, fileExample string) []Option {
	in := p.section()
	return []Option{
		{
			In: in, Name: "env", Doc: "Name of an environment variable.",
			Pattern: `^[A-Za-z_][A-Za-z0-9_]*$`, Want: "want the name of an environment variable, never the " + word + " itself",
			Examples: []string{envExample},
		},
		{In: in, Name: "file", Doc: "Path of a file that holds nothing but the " + word + ".", Examples: []string{fileExample}},
		{In: in, Name: "store", Doc: "Name of one of the stores, with secret."},
		{In: in, Name: "secret", Doc: "Name of the secret in that store."},
	}
}

// openToOthers warns of a file that everybody on the machine may read. In a container
// there is nobody else: what Kubernetes mounts is open to all by default.
func (c *checker) openToOthers(file text) {
	path := c.path(file)
	if _, err := os.Lstat(filepath.Join(filepath.Dir(path), "..data")); err == nil {
		return
	}
	if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o004 != 0 {
		c.warn(file.mark, "chmod o-r the file", "everybody on this machine may read it (mode %04o)", info.Mode().Perm())
	}
}

// isPath tells whether a text is the path of a file, or written like one.
func (c *checker) isPath(t text) bool {
	if looksLikePath(t.v) {
		return true
	}
	_, err := os.Lstat(filepath.Join(c.folder, t.v))
	return err == nil
}

// secretRef checks that there is exactly one place. No message of it repeats
// what was written: it may be the secret itself.
func secretRef[P purpose](c *checker, k *refForm[P], f *fileForm) SecretRef {
	var p P
	for _, t := range []text{k.Env, k.File, k.Store, k.Secret} {
		if t.ok && looksSecret(t.v) && (t.mark != k.File.mark || !c.isPath(t)) {
			c.fail(t.mark, p.what()+" never goes into this file; "+p.spoilt(), "this looks like a secret, not like the place of one")
		}
	}
	set := 0
	for _, t := range []text{k.Env, k.File, k.Store} {
		if t.written() {
			set++
		}
	}
	switch {
	case !k.written() || c.hasErrorWithin(k.path):
	case set != 1:
		c.fail(k.mark, "write {env: NAME}, {file: PATH} or {store: NAME, secret: NAME}",
			"want exactly one of env, file and store, found %d", set)
	case k.Store.written() != k.Secret.written():
		c.fail(k.mark, "write {store: NAME, secret: NAME}", "store and secret belong together")
	case k.Store.written() && !slices.Contains(f.Stores.names(), k.Store.v):
		c.fail(k.Store.mark, suggestion(k.Store.v, f.Stores.names()), "unknown store")
	case k.Store.written():
		c.secretName(StoreRef{k.Store.v, k.Secret.v}, k.Secret.mark)
	}
	if k.File.ok {
		c.openToOthers(k.File)
	}
	return SecretRef{Env: k.Env.v, File: c.path(k.File), Store: k.Store.v, Secret: k.Secret.v}
}
