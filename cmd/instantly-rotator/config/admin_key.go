package config

import (
	"maps"
	"slices"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// adminKeyForm says where an admin key is, and how it is rotated.
type adminKeyForm struct {
	refForm[adminKeyPurpose]
	Rotate adminRotationForm `json:"rotate"`
}

// adminRotationForm is what makes an admin key a target: not written, it is none.
type adminRotationForm struct {
	mark
	Scopes    list[text]         `json:"scopes"`
	Followers list[storeRefForm] `json:"followers"`
	KnownTo   list[text]         `json:"known_to"`
	rotationForm
}

const adminRotationSection = "workspaces.*.admin_key.rotate"

func (adminRotationForm) section() string { return adminRotationSection }

func (f *adminKeyForm) decode(d *decoder, n *yaml.Node, at mark) {
	decodeRef(d, n, f, adminKeyPurpose{}, at)
}

// decode ends the quiet of the section around it: here nobody would paste a secret.
func (f *adminRotationForm) decode(d *decoder, n *yaml.Node, at mark) {
	was := d.quiet
	d.quiet = false
	d.form(n, f, at)
	d.quiet = was
}

// JSONSchemaExtend implements an interface of package jsonschema.
func (f adminKeyForm) JSONSchemaExtend(s *jsonschema.Schema) {
	f.refForm.JSONSchemaExtend(s)
	s.DependentRequired["rotate"] = []string{"store"}
}

// JSONSchemaExtend implements an interface of package jsonschema.
func (f adminRotationForm) JSONSchemaExtend(s *jsonschema.Schema) {
	describeRotation(s)
	describe(s, f.section())
	describeScopes(s)
}

// adminScopes are those of an admin key that the configuration gives none.
func adminScopes() []string { return []string{"api_keys:all", "workspaces:read"} }

// neededScopes are those without which an admin key could not be replaced again.
func neededScopes() []string {
	return []string{"api_keys:create", "api_keys:read", "api_keys:delete"}
}

func adminRotationOptions() []Option {
	const in = adminRotationSection
	return []Option{
		knownToOption(in),
		{
			In: "workspaces.*.admin_key", Name: "rotate",
			Doc: "Keeps the admin key fresh too, as the target WORKSPACE-admin-key; only for one in a store. " +
				"It has the options of defaults, but inherits neither keep_apart nor after_promote. Of several workspaces with one admin key, one has it.",
		},
		{
			In: in, Name: "scopes",
			Doc: "What the admin key may do: it must make, list and revoke keys. Left out: api_keys:all and workspaces:read.",
		},
		{In: in, Name: "followers", Doc: "Further stores that get the admin key too, for other programs."},
	}
}

// adminKeys gives the targets that keep admin keys fresh: one for each secret,
// however many workspaces use it.
func (c *checker) adminKeys(f *fileForm) []Key {
	var keys []Key
	by := map[string]mark{} // place → which workspace's options rotate it
	for i := range f.Workspaces.Entries {
		e := &f.Workspaces.Entries[i]
		ref, rotate := &e.Value.AdminKey, &e.Value.AdminKey.Rotate
		if !rotate.written() || c.hasErrorWithin(ref.path) {
			continue
		}
		if !ref.Store.ok {
			c.fail(rotate.mark, "keep it in a store: write {store: NAME, secret: NAME}", "only an admin key in a store can be rotated")
			continue
		}
		store, ok := c.cfg.Stores[ref.Store.v]
		if !ok {
			continue // reported
		}
		place := store.place(ref.Secret.v)
		if at, taken := by[place]; taken {
			c.clash(rotate.mark, "take one of the two out", at.byPath(), "the same admin key is rotated already")
			continue
		}
		by[place] = rotate.mark
		keys = append(keys, c.adminKey(e, place, f))
	}
	return keys
}

// adminKey makes a workspace's admin key a target.
func (c *checker) adminKey(e *entry[workspaceForm], place string, f *fileForm) Key {
	ref, rotate := &e.Value.AdminKey, &e.Value.AdminKey.Rotate
	defaults := f.Defaults
	defaults.KeepApart, defaults.AfterPromote = text{}, list[afterPromoteForm]{} // meant for keys of consumers
	rotate.inherit(&defaults)
	k := keyForm{mark: rotate.mark, rotationForm: rotate.rotationForm, Scopes: rotate.Scopes, KnownTo: rotate.KnownTo, Workspace: e.Name}
	k.Name = text{value[string]{mark: rotate.mark, v: e.Name.v + "-admin-key", ok: true}}
	k.AllowCriticalScopes = text{value[string]{mark: rotate.mark, v: "it is the admin key", ok: true}}
	k.Stores.Items = append([]storeRefForm{{mark: ref.mark, Store: ref.Store, Secret: ref.Secret}}, rotate.Followers.Items...)
	for _, s := range adminScopes() {
		if !rotate.Scopes.written() {
			k.Scopes.Items = append(k.Scopes.Items, text{value[string]{mark: rotate.mark, v: s, ok: true}})
		}
	}
	key := c.key(&k, f)
	c.adminNameTaken(k.Name, f)
	if !c.hasErrorWithin(rotate.path) && !instantly.CoversAll(key.Scopes, neededScopes()) {
		c.fail(rotate.Scopes.mark, "add api_keys:all", "an admin key with these scopes could not make, list and revoke keys")
	}
	key.Admin = true
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Workspaces)) {
		w := c.cfg.Workspaces[name]
		if s, ok := c.cfg.Stores[w.AdminKey.Store]; !ok || s.place(w.AdminKey.Secret) != place {
			continue
		}
		w.AdminTarget = key.Name
		c.cfg.Workspaces[name] = w
		if w.AsWorkspace == "" && c.cfg.Workspaces[key.Workspace].AsWorkspace != "" {
			key.Workspace = name // whose own admin key it is
		}
	}
	return key
}

// adminNameTaken reports a key that is named as an admin key's target is, and a name
// that is no target's.
func (c *checker) adminNameTaken(name text, f *fileForm) {
	if !isName(name.v) {
		c.fail(name.mark, "shorten the workspace's name", "the target would be named %s: %s", quote(name.v), nameWant)
	}
	for _, k := range f.targets() {
		if k.Name.ok && k.Name.v == name.v {
			c.clash(k.Name.mark, "give each target its own name", name.byPath(), "an admin key is the target %q", name.v)
		}
	}
}
