package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/all"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Sink is a service, or a program, that is given keys besides.
type Sink struct {
	Name string
	// Kind is the name of one of the kinds in the list of sinks.
	Kind string
	// Settings open the places in it.
	Settings sinkkind.Settings
	// Credentials that it needs, by the name of the option; those that are configured.
	Credentials map[string]SecretRef
}

// SinkRef is one place in one of the configuration's sinks.
type SinkRef struct {
	Sink string
	// Place in it; may be empty.
	Place string
}

// maxSinks is how many a key may have: for so many there is room in the notes about it.
const maxSinks = 16

// sinkForm is one entry of sinks, of any kind.
type sinkForm struct {
	mark
	kind sinkkind.Kind
	// settings are nil if the kind is not known; form is how they were written.
	settings    sinkkind.Settings
	form        *settingsForm
	credentials map[string]*credentialForm
}

// sinkRefForm is one entry of a target's sinks.
type sinkRefForm struct {
	mark
	Sink  text `json:"sink"`
	Place text `json:"place"`
}

func (sinkRefForm) section() string { return "keys[].sinks[]" }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f sinkRefForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

// decode reads the kind first, since it decides which fields there are.
func (f *sinkForm) decode(d *decoder, n *yaml.Node, at mark) {
	f.place(at)
	if !d.isKind(n, yaml.MappingNode, at) {
		return
	}
	kind, where := kindField(n, at)
	if !where.written() {
		where.line, where.column = at.line, at.column
		d.fail(where, "known are "+strings.Join(sinkKindNames(), ", "), "is missing")
		return
	}
	for _, k := range all.Kinds() {
		if k.Name == kind {
			f.kind, f.settings = k, k.Settings()
			f.form, f.credentials = sinkSection(k, f.settings)
			d.decode(n, reflect.ValueOf(f.form), at.path, Option{})
			f.place(at)
			return
		}
	}
	d.unknownKind(where, "sink", kind, sinkKindNames())
}

func sinkKindNames() (names []string) {
	for _, k := range all.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// sinkSection is the section of a sink whose settings take what is written, and in it the
// places of its credentials.
func sinkSection(k sinkkind.Kind, s sinkkind.Settings) (*settingsForm, map[string]*credentialForm) {
	in := "sinks.*(" + k.Name + ")"
	kind := storekind.Option{Name: "kind", Into: new(string), Required: true, Doc: "What kind of sink it is."}
	f := newSettingsForm(in, append([]storekind.Option{kind}, s.Options()...))
	credentials := map[string]*credentialForm{}
	for _, c := range s.Credentials() {
		form := newCredentialForm(join(in, c.Name), c)
		credentials[c.Name] = form
		f.settings = append(f.settings, setting{
			Option: Option{In: in, Name: c.Name, Required: c.Required, Doc: c.Doc}, written: form, set: func(*checker) {},
		})
	}
	return f, credentials
}

// sinkOptions lists the options of all kinds.
func sinkOptions() (options []Option) {
	for _, k := range all.Kinds() {
		form, _ := sinkSection(k, k.Settings())
		options = append(options, form.options()...)
	}
	return options
}

// JSONSchema implements an interface of package jsonschema: one alternative for each kind.
func (sinkForm) JSONSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{}
	for _, k := range all.Kinds() {
		form, _ := sinkSection(k, k.Settings())
		alternative := form.JSONSchema()
		if kind, ok := alternative.Properties.Get("kind"); ok {
			kind.Const = k.Name
		}
		s.OneOf = append(s.OneOf, alternative)
	}
	return s
}

// credentialPurpose is that of what a sink is reached with.
type credentialPurpose struct{ in string }

func (p credentialPurpose) section() string { return p.in }
func (credentialPurpose) what() string      { return "a sink's credential" }
func (credentialPurpose) spoilt() string    { return "replace it if it was written here" }

// A credentialForm says where a sink's credential is.
type credentialForm struct {
	ref     refForm[credentialPurpose]
	purpose credentialPurpose
	within  *settingsForm // the fields of ref
}

func newCredentialForm(in string, c sinkkind.Credential) *credentialForm {
	f := &credentialForm{purpose: credentialPurpose{in}, within: &settingsForm{in: in}}
	fields := []*text{&f.ref.Env, &f.ref.File, &f.ref.Store, &f.ref.Secret}
	for i, o := range refOptions(f.purpose, c.Word, c.EnvExample, c.FileExample) {
		f.within.settings = append(f.within.settings, setting{Option: o, written: fields[i], set: func(*checker) {}})
	}
	return f
}

func (f *credentialForm) at() mark      { return f.ref.at() }
func (f *credentialForm) place(at mark) { f.ref.place(at) }

func (f *credentialForm) decode(d *decoder, n *yaml.Node, at mark) {
	f.place(at)
	decodeRef(d, n, f.within, f.purpose, at)
}

// JSONSchema implements an interface of package jsonschema.
func (f *credentialForm) JSONSchema() *jsonschema.Schema {
	s := f.within.JSONSchema()
	f.ref.oneOf(s)
	return s
}

// sink checks a sink's settings.
func (c *checker) sink(name string, f *sinkForm, file *fileForm) {
	if f.settings == nil {
		return // reported
	}
	f.form.set(c)
	s := Sink{Name: name, Kind: f.kind.Name, Settings: f.settings, Credentials: map[string]SecretRef{}}
	for option, credential := range f.credentials {
		if credential.at().written() {
			s.Credentials[option] = secretRef(c, &credential.ref, file)
		}
	}
	f.settings.Check(settingsChecker{c, f.form})
	c.cfg.Sinks[name] = s
}

// sinksOf gives the places that take the key besides.
func (c *checker) sinksOf(k *keyForm, f *fileForm) (refs []SinkRef) {
	if n := len(k.Sinks.Items); n > maxSinks {
		c.fail(k.Sinks.mark, fmt.Sprintf("want at most %d", maxSinks), "%d sinks are too many", n)
	}
	for _, s := range k.Sinks.Items {
		if !s.Sink.ok || !c.reference(s.Sink, "sink", f.Sinks.names()) || s.Place.written() && !s.Place.ok {
			continue
		}
		ref := SinkRef{Sink: s.Sink.v, Place: s.Place.v}
		if sink, ok := c.cfg.Sinks[ref.Sink]; ok {
			if reason := sink.Settings.Refuse(ref.Place); reason != "" {
				c.fail(closest(s.Place.mark, s.mark), reason, "bad place in sink %s", pathName(ref.Sink))
			}
		}
		refs = append(refs, ref)
	}
	return refs
}

// unusedSinks warns of those that no key is given to: somebody waits for it there.
func (c *checker) unusedSinks(f *fileForm) {
	used := map[string]bool{}
	for _, k := range f.Keys.Items {
		for _, s := range k.Sinks.Items {
			used[s.Sink.v] = true
		}
	}
	for _, e := range f.Sinks.Entries {
		if !used[e.Name.v] {
			c.warn(e.Name.mark, fmt.Sprintf("name it in a key: sinks: [{sink: %s, place: …}], or take it out", pathName(e.Name.v)), "no key is given to this sink")
		}
	}
}

// distinctSinks reports two uses of one place, however it is written: keys would take each
// other's.
func (c *checker) distinctSinks(f *fileForm) {
	first := map[string]mark{}
	for _, k := range f.Keys.Items {
		for _, s := range k.Sinks.Items {
			sink, ok := c.cfg.Sinks[s.Sink.v]
			if !ok || c.hasErrorWithin(s.path) || c.hasErrorWithin("sinks."+pathName(s.Sink.v)) {
				continue // reported
			}
			place := sink.Kind + " " + sink.Settings.Identity(s.Place.v, k.Name.v)
			if at, taken := first[place]; taken {
				c.clash(s.mark, "give each key a place of its own", at.inLine(), "sink %s, place %s is in use", pathName(s.Sink.v), quote(s.Place.v))
				continue
			}
			first[place] = s.mark
		}
	}
}
