package config

import (
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
)

// Receiver is somebody who is told what happened.
type Receiver struct {
	Name string
	// URL refers to the receiver's address, which is a secret.
	URL SecretRef
	// On lists the kinds of messages that the receiver gets; at least one, none twice.
	On []notify.Kind
}

// receiversForm is the section notify.
type receiversForm struct{ named[receiverForm] }

// decode keeps a URL that was pasted anywhere in the section out of every message.
func (f *receiversForm) decode(d *decoder, n *yaml.Node, at mark) {
	was := d.quiet
	d.quiet = true
	f.named.decode(d, n, at)
	d.quiet = was
}

// receiverForm is one entry of notify.
type receiverForm struct {
	mark
	URL refForm[receiverURLPurpose] `json:"url"`
	On  list[text]                  `json:"on"`
}

func (receiverForm) section() string { return "notify.*" }

// decode knows the likely mistake.
func (f *receiverForm) decode(d *decoder, n *yaml.Node, at mark) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" {
		f.place(at)
		d.pasted(receiverURLPurpose{}, "{url: {env: NAME}} or {url: {file: PATH}}", at)
		return
	}
	d.form(n, f, at)
}

// JSONSchemaExtend implements an interface of package jsonschema.
func (f receiverForm) JSONSchemaExtend(s *jsonschema.Schema) {
	describe(s, f.section())
	if p, ok := s.Properties.Get("on"); ok {
		atLeast := uint64(1)
		p.MinItems, p.UniqueItems = &atLeast, true
		for _, k := range notify.Kinds() {
			p.Items.Enum = append(p.Items.Enum, string(k))
		}
	}
}

func notifyOptions() []Option {
	const in = "notify.*"
	options := []Option{{
		In: in, Name: "url", Required: true,
		Doc: "Where the receiver's URL is: exactly one of env, file, or store with secret. " +
			"The URL has a form of shoutrrr's, such as slack://hook:TOKEN@webhook or generic://example.com/hook. " +
			"It is a secret: who has it can speak in your name. It is read anew for each message.",
	}}
	options = append(options, refOptions(receiverURLPurpose{}, "URL", "SLACK_URL", "/run/secrets/slack")...)
	return append(options, Option{
		In: in, Name: "on", Default: "[" + kindsText(notify.Alarms()) + "]",
		Doc: "What the receiver is told of: " + kindsText(notify.Kinds()) + ". Left out, all but rotated, which reports success.",
	})
}

func kindsText(kinds []notify.Kind) string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = string(k)
	}
	return strings.Join(out, ", ")
}

func (c *checker) receiver(name string, r *receiverForm, f *fileForm) Receiver {
	return Receiver{Name: name, URL: secretRef(c, &r.URL, f), On: c.kinds(&r.On)}
}

// kinds checks what a receiver wants to be told of.
func (c *checker) kinds(on *list[text]) []notify.Kind {
	if !on.written() {
		return notify.Alarms()
	}
	if len(on.Items) == 0 && !c.hasErrorWithin(on.path) {
		c.fail(on.mark, "leave the line out for all but rotated, or take the receiver out", "is empty: the receiver would be told nothing")
	}
	var kinds []notify.Kind
	for _, item := range on.Items {
		kind := notify.Kind(item.v)
		switch {
		case !item.ok: // reported
		case !slices.Contains(notify.Kinds(), kind):
			c.unknownKind(item)
		case slices.Contains(kinds, kind):
			c.fail(item.mark, "take one of the two out", "%s is there twice", quote(item.v))
		default:
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func (c *checker) unknownKind(item text) {
	var known []string
	for _, k := range notify.Kinds() {
		known = append(known, string(k))
	}
	c.fail(item.mark, suggestion(item.v, known), "unknown kind of message %s", quote(item.v))
}
