package config

import (
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"
)

// fileForm is the whole file as it is written. The forms' fields, in this
// order, are what the schema shows.
type fileForm struct {
	mark
	Owner          text                    `json:"owner"`
	Concurrency    integer                 `json:"concurrency"`
	Resync         duration                `json:"resync"`
	VerifyEvery    duration                `json:"verify_every"`
	Lease          duration                `json:"lease"`
	Defaults       rotationForm            `json:"defaults"`
	Workspaces     named[workspaceForm]    `json:"workspaces"`
	Stores         named[storeForm]        `json:"stores"`
	Sinks          named[sinkForm]         `json:"sinks"`
	Keys           list[keyForm]           `json:"keys"`
	WebhookSecrets list[webhookSecretForm] `json:"webhook_secrets"`
	Notify         receiversForm           `json:"notify"`
	Audit          auditForm               `json:"audit"`
	Trail          trailForm               `json:"trail"`
}

// workspaceForm is one entry of workspaces.
type workspaceForm struct {
	mark
	AdminKey          adminKeyForm `json:"admin_key"`
	OrganizationID    text         `json:"organization_id"`
	BaseURL           text         `json:"base_url"`
	AsWorkspace       text         `json:"as_workspace"`
	RequestsPerSecond number       `json:"requests_per_second"`
	Members           list[text]   `json:"members"`
	RotateOn          list[text]   `json:"rotate_on"`
}

// rotationForm holds the options that each target may have and that take their
// default from the section defaults.
type rotationForm struct {
	mark
	Schedule          text                   `json:"schedule"`
	Timezone          text                   `json:"timezone"`
	Jitter            duration               `json:"jitter"`
	Freeze            list[text]             `json:"freeze"`
	KeepApart         text                   `json:"keep_apart"`
	GracePeriod       duration               `json:"grace_period"`
	MaxAge            duration               `json:"max_age"`
	ActivationTimeout duration               `json:"activation_timeout"`
	RevocationTimeout duration               `json:"revocation_timeout"`
	AfterPromote      list[afterPromoteForm] `json:"after_promote"`
}

// keyForm is one entry of keys.
type keyForm struct {
	mark
	Name                text               `json:"name"`
	Workspace           text               `json:"workspace"`
	Scopes              list[text]         `json:"scopes"`
	AllowCriticalScopes text               `json:"allow_critical_scopes"`
	Stores              list[storeRefForm] `json:"stores"`
	Sinks               list[sinkRefForm]  `json:"sinks"`
	KnownTo             list[text]         `json:"known_to"`
	rotationForm
}

// storeRefForm is one entry of a target's stores.
type storeRefForm struct {
	mark
	Store  text `json:"store"`
	Secret text `json:"secret"`
}

func (fileForm) section() string      { return "" }
func (workspaceForm) section() string { return "workspaces.*" }
func (rotationForm) section() string  { return "defaults" }
func (keyForm) section() string       { return "keys[]" }
func (storeRefForm) section() string  { return "keys[].stores[]" }

// inherit takes over what the key does not set.
func (f *rotationForm) inherit(defaults *rotationForm) {
	own, theirs := fieldsOf(f), fieldsOf(defaults)
	for i := range own {
		if !own[i].target.Interface().(interface{ at() mark }).at().written() {
			own[i].target.Elem().Set(theirs[i].target.Elem())
		}
	}
}

// A list is a YAML sequence.
type list[T any] struct {
	mark
	Items []T
}

func (l *list[T]) decode(d *decoder, n *yaml.Node, at mark) {
	l.place(at)
	if !d.isKind(n, yaml.SequenceNode, at) {
		return
	}
	l.Items = make([]T, len(n.Content))
	for i, item := range n.Content {
		d.decode(item, reflect.ValueOf(&l.Items[i]), fmt.Sprintf("%s[%d]", at.path, i), Option{})
	}
}

// JSONSchemaAlias implements an interface of package jsonschema.
func (list[T]) JSONSchemaAlias() any { return []T(nil) }

// A named is a YAML mapping from names the user chooses, in the file's order.
type named[T any] struct {
	mark
	Entries []entry[T]
}

// An entry of a named; its name's mark is where the name was written.
type entry[T any] struct {
	Name  text
	Value T
}

func (m *named[T]) decode(d *decoder, n *yaml.Node, at mark) {
	m.place(at)
	if !d.isKind(n, yaml.MappingNode, at) {
		return
	}
	m.Entries = make([]entry[T], 0, len(n.Content)/2)
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, content := n.Content[i], n.Content[i+1]
		good := name.Kind == yaml.ScalarNode && isName(name.Value)
		here := mark{line: name.Line, column: name.Column, path: join(at.path, pathName(name.Value))}
		switch {
		case !good && d.quiet:
			here.path = at.path
			d.fail(here, nameWant, "bad name")
		case !good:
			d.fail(here, nameWant, "bad name %s", quote(name.Value))
		}
		if line := first[name.Value]; line > 0 {
			d.fail(here, "take one of the two out", "is set twice, first in line %d", line)
			continue
		}
		first[name.Value] = name.Line
		e := entry[T]{Name: text{value[string]{mark: here, v: name.Value, ok: true}}}
		d.decode(content, reflect.ValueOf(&e.Value), here.path, Option{})
		m.Entries = append(m.Entries, e)
	}
}

// names lists the entries' names.
func (m *named[T]) names() []string {
	out := make([]string, len(m.Entries))
	for i, e := range m.Entries {
		out[i] = e.Name.v
	}
	return out
}

// JSONSchemaAlias implements an interface of package jsonschema.
func (named[T]) JSONSchemaAlias() any { return map[string]T(nil) }

// The forms' schemas get their words from the table of options.

// JSONSchemaExtend implements an interface of package jsonschema.
func (f fileForm) JSONSchemaExtend(s *jsonschema.Schema) {
	describe(s, f.section())
	if p, ok := s.Properties.Get("notify"); ok {
		p.PropertyNames = &jsonschema.Schema{Pattern: namePattern}
	}
	one := uint64(1)
	for _, targets := range []string{"keys", "webhook_secrets"} {
		some := jsonschema.NewProperties()
		some.Set(targets, &jsonschema.Schema{MinItems: &one})
		s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Required: []string{targets}, Properties: some})
	}
}

// JSONSchemaExtend implements an interface of package jsonschema.
func (f workspaceForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f rotationForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f storeRefForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }
