package config

import (
	"slices"
	"time"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
)

// Webhooks say which webhooks send a target's secret, and how.
type Webhooks struct {
	// IDs of webhooks; any if empty. URL is that of a webhook, or its beginning and a star.
	IDs                  []string
	URL, Name, EventType string
	// Header that carries the secret, and what its value is made of.
	Header string
	Format webhookauth.Format
	// Settle is how long receivers may take to read a new secret; more than 0.
	Settle time.Duration
	// Test: a test delivery confirms that receivers accept it.
	Test bool
}

// Sends tells whether a target is a secret of webhooks.
func (c *Config) Sends(target string) bool {
	return slices.ContainsFunc(c.Keys, func(k Key) bool { return k.Name == target && k.Webhooks != nil })
}

// HasWebhooks tells whether a workspace has webhooks whose secret is a target.
func (c *Config) HasWebhooks(workspace string) bool {
	return slices.ContainsFunc(c.Keys, func(k Key) bool { return k.Workspace == workspace && k.Webhooks != nil })
}

// webhookSecretForm is one entry of webhook_secrets.
type webhookSecretForm struct {
	mark
	Name      text               `json:"name"`
	Workspace text               `json:"workspace"`
	Webhooks  webhooksForm       `json:"webhooks"`
	Header    text               `json:"header"`
	Format    text               `json:"format"`
	Settle    duration           `json:"settle"`
	Test      flag               `json:"test"`
	Stores    list[storeRefForm] `json:"stores"`
	KnownTo   list[text]         `json:"known_to"`
	rotationForm
}

// webhooksForm chooses webhooks: a list of ids, or a mapping.
type webhooksForm struct {
	mark
	IDs       list[text] `json:"ids"`
	URL       text       `json:"url"`
	Name      text       `json:"name"`
	EventType text       `json:"event_type"`
}

const webhookSecretSection = "webhook_secrets[]"

func (webhookSecretForm) section() string { return webhookSecretSection }
func (webhooksForm) section() string      { return webhookSecretSection + ".webhooks" }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f webhookSecretForm) JSONSchemaExtend(s *jsonschema.Schema) {
	describeRotation(s)
	describe(s, f.section())
}

// JSONSchemaExtend implements an interface of package jsonschema.
func (f webhooksForm) JSONSchemaExtend(s *jsonschema.Schema) {
	describe(s, f.section())
	one := uint64(1)
	s.AnyOf = []*jsonschema.Schema{{Type: "array", Items: &jsonschema.Schema{Type: "string"}, MinItems: &one}}
	for _, name := range []string{"ids", "url", "name", "event_type"} {
		s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Type: s.Type, Required: []string{name}})
	}
	s.Type = "" // properties are those of a mapping
}

func (f *webhooksForm) decode(d *decoder, n *yaml.Node, at mark) {
	switch n.Kind {
	case yaml.SequenceNode:
		f.place(at)
		f.IDs.decode(d, n, at)
	case yaml.MappingNode:
		d.form(n, f, at)
	default:
		f.place(at)
		d.fail(at, "write for example {name: replies}, or [ID]", "want a list of ids or a mapping, found %s", kindOf(n))
	}
}

func webhookSecretOptions() []Option {
	const in = webhookSecretSection
	const of = in + ".webhooks"
	return []Option{
		{
			In: in, Name: "name", Required: true, Pattern: namePattern, Want: nameWant,
			Doc: "What commands and logs call it. It has the options of defaults, too.",
		},
		{In: in, Name: "workspace", Doc: "Which workspace the webhooks are of; may be left out if there is just one."},
		{
			In: in, Name: "webhooks", Required: true,
			Doc: "Which webhooks send the secret: those that all of what is written applies to. Or a list of their ids.",
		},
		{In: of, Name: "ids", Doc: "Their ids."},
		{
			In: of, Name: "url", Doc: "Their URL, or its beginning and a star.",
			Examples: []string{"https://hooks.example.com/*"},
		},
		{In: of, Name: "name", Doc: "Their name."},
		{In: of, Name: "event_type", Doc: "Their event type.", Examples: []string{"all_events", "reply_received"}},
		{
			In: in, Name: "header", Default: webhookauth.DefaultHeader, Pattern: `^[A-Za-z0-9-]{1,64}$`, Want: "want the name of a header",
			Doc: "Header that carries the secret. Others that a webhook has are kept.",
		},
		{
			In: in, Name: "format", Default: string(webhookauth.Raw), Pattern: `^(raw|bearer|basic:[!-9;-~]+)$`, Want: "want raw, bearer or basic:USER",
			Doc: "What the header's value is: the secret alone, Bearer and the secret, or basic authentication.",
		},
		{
			In: in, Name: "settle", Default: "10m",
			Doc: "How long receivers may take to read a new secret from the store. Only then do webhooks send it.",
		},
		{
			In: in, Name: "test", Default: "true",
			Doc: "Have Instantly send a test delivery to each webhook after its switch. One that is refused is switched back. " +
				"If false, it is enough that no real delivery was refused.",
		},
		{
			In: in, Name: "stores", Required: true,
			Doc: "Where receivers read the secret, the current one and the previous one. The first is the primary, the others follow it.",
		},
		{
			In: in, Name: "known_to",
			Doc: "The addresses of the people who could know the secret: it is replaced when one of them is offboarded. [] says " +
				"nobody; left out, it is not known.",
			Examples: []string{"ann@example.com"},
		},
	}
}

// target is the entry as a target like others.
func (f *webhookSecretForm) target() keyForm {
	return keyForm{mark: f.mark, Name: f.Name, Workspace: f.Workspace, Stores: f.Stores, rotationForm: f.rotationForm}
}

// targets are the entries of keys and of webhook_secrets.
func (f *fileForm) targets() []keyForm {
	all := append([]keyForm{}, f.Keys.Items...)
	for i := range f.WebhookSecrets.Items {
		all = append(all, f.WebhookSecrets.Items[i].target())
	}
	return all
}

// webhookSecret checks one entry, which has inherited the defaults already.
func (c *checker) webhookSecret(w *webhookSecretForm, f *fileForm) Key {
	k := w.target()
	key := c.rotation(&k.rotationForm)
	key.Name = k.Name.v
	key.Workspace = c.workspaceOf(&k, f)
	key.Stores = c.storesOf(&k, f)
	key.KnownTo = c.people(w.KnownTo)
	c.restartable(&k)
	hooks := &w.Webhooks
	key.Webhooks = &Webhooks{
		URL: hooks.URL.v, Name: hooks.Name.v, EventType: hooks.EventType.v,
		Header: w.Header.v, Format: webhookauth.Format(w.Format.v), Settle: c.positive(w.Settle), Test: w.Test.v,
	}
	for _, id := range hooks.IDs.Items {
		key.Webhooks.IDs = append(key.Webhooks.IDs, id.v)
	}
	if hooks.written() && len(hooks.IDs.Items) == 0 && hooks.URL.v+hooks.Name.v+hooks.EventType.v == "" && !c.hasErrorWithin(hooks.path) {
		c.fail(hooks.mark, "write for example {name: replies}, or [ID]", "chooses no webhook")
	}
	return key
}
