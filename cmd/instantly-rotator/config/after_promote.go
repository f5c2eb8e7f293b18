package config

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/loopback"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// AfterPromote is one thing that brings consumers to a new key. Exactly one of
// Restart, Command, URL and AuditLog is set.
type AfterPromote struct {
	// Restart is deployment/NAME or statefulset/NAME, in Namespace; empty for the
	// pod's own, or that of the kubeconfig's context.
	Restart, Namespace string
	// Command is a program, by an absolute path or to be found in PATH, and its
	// arguments. Program is how the program was written.
	Command []string
	Program string
	// URL is https, or http on this machine.
	URL string
	// AuditLog asks whether the old key still acts.
	AuditLog *AuditLogGate
}

// afterPromoteForm is one entry of after_promote.
type afterPromoteForm struct {
	mark
	Restart   text         `json:"restart"`
	Namespace text         `json:"namespace"`
	Command   list[text]   `json:"command"`
	URL       text         `json:"url"`
	AuditLog  auditLogForm `json:"audit_log"`
}

func (afterPromoteForm) section() string { return "defaults.after_promote[]" }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f afterPromoteForm) JSONSchemaExtend(s *jsonschema.Schema) {
	describe(s, f.section())
	s.OneOf = []*jsonschema.Schema{{Required: []string{"restart"}}, {Required: []string{"command"}}, {Required: []string{"url"}}, {Required: []string{"audit_log"}}}
	s.DependentRequired = map[string][]string{"namespace": {"restart"}}
	if p, ok := s.Properties.Get("command"); ok {
		atLeast := uint64(1)
		p.MinItems = &atLeast
	}
}

func afterPromoteOptions() []Option {
	in := afterPromoteForm{}.section()
	return append([]Option{
		{
			In: in, Name: "restart", Pattern: `^(deployment|statefulset)/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`,
			Want:     "want deployment/NAME or statefulset/NAME",
			Doc:      "Restart the pods of a Deployment or StatefulSet, and wait until none of before is left.",
			Examples: []string{"deployment/sender", "statefulset/queue"},
		},
		{
			In: in, Name: "namespace", Pattern: kubernetescluster.NamespacePattern, Want: kubernetescluster.NamespaceWant,
			Doc: "With restart: its namespace. Left out, the pod's own or, outside of a cluster, that of the kubeconfig's context.",
		},
		{
			In: in, Name: "command",
			Doc: "Run a program, without a shell: exit code 0 says that the consumers have moved, 75 not yet. It gets " +
				"INSTANTLY_ROTATOR_TARGET, INSTANTLY_ROTATOR_KEY_ID and INSTANTLY_ROTATOR_SINCE, never the key, has a minute, and may be run more than once for a key.",
		},
		{
			In: in, Name: "url",
			Doc: "POST the target and the key's id, never the key: 2xx says that the consumers have moved; 202, 425, 429 and 503 not yet. " +
				"It may be called more than once for a key.",
			Examples: []string{"https://deploy.example.com/hooks/instantly"},
		},
	}, auditLogOptions()...)
}

// afterPromote checks what brings consumers to a new key.
func (c *checker) afterPromote(l list[afterPromoteForm]) []AfterPromote {
	var all []AfterPromote
	for i := range l.Items {
		f := &l.Items[i]
		c.onlyOneWay(f)
		a := AfterPromote{Restart: f.Restart.v, Namespace: f.Namespace.v, Command: c.command(f), URL: f.URL.v, AuditLog: c.auditLog(&f.AuditLog)}
		if len(a.Command) > 0 {
			a.Program = f.Command.Items[0].v
		}
		if f.URL.ok {
			c.hook(f.URL)
		}
		all = append(all, a)
	}
	return all
}

func (c *checker) onlyOneWay(f *afterPromoteForm) {
	set := 0
	for _, m := range []mark{f.Restart.mark, f.Command.mark, f.URL.mark, f.AuditLog.mark} {
		if m.written() {
			set++
		}
	}
	switch {
	case c.hasErrorWithin(f.path):
	case set != 1:
		c.fail(f.mark, "write {restart: deployment/NAME}, {command: [PROGRAM, …]}, {url: https://…} or {audit_log: {}}",
			"want exactly one of restart, command, url and audit_log, found %d", set)
	case f.Namespace.written() && !f.Restart.written():
		c.fail(f.Namespace.mark, "take the line out", "namespace belongs to restart")
	}
}

// command gives a program and its arguments.
func (c *checker) command(f *afterPromoteForm) []string {
	var args []string
	for _, t := range f.Command.Items {
		args = append(args, t.v)
	}
	switch {
	case !f.Command.written() || c.hasErrorWithin(f.Command.path):
	case len(args) == 0 || args[0] == "":
		c.fail(f.Command.mark, "write [PROGRAM, ARGUMENT …]", "is empty")
	case strings.ContainsRune(args[0], filepath.Separator) && !filepath.IsAbs(args[0]):
		args[0] = filepath.Join(c.folder, args[0])
	}
	return args
}

// hook checks an address that is told of new keys. No message repeats it: it may
// have in it what lets one call it.
func (c *checker) hook(t text) {
	const hint = "write for example https://deploy.example.com/hooks/instantly"
	base, query, _ := strings.Cut(t.v, "?") // a query is fine
	u, err := url.Parse(base)
	switch {
	case strings.ContainsRune(query, '#'):
		c.fail(t.mark, hint, "an address with a fragment")
	case err == nil && u.Scheme == "http" && u.Hostname() != "" && !loopback.Host(u.Hostname()):
		c.fail(t.mark, "write https", "plain http would let the network give the answer")
	default:
		c.address(t.mark, base, hint)
	}
}

// restartable reports a key whose name cannot be part of an annotation.
func (c *checker) restartable(k *keyForm) {
	for _, f := range k.AfterPromote.Items {
		if f.Restart.ok && k.Name.ok && !kubernetescluster.IsShortName(k.Name.v) && isName(k.Name.v) {
			c.fail(k.Name.mark, "let it end in a letter or digit", "with restart, an annotation is named after the key")
			return
		}
	}
}
