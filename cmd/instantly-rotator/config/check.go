package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/loopback"
)

// A checker turns forms into values. It reports what is wrong and goes on, so
// that everything is reported at once; the values are only used if nothing was.
type checker struct {
	*report
	folder string // where relative paths begin; absolute
	cfg    Config
	gaps   map[string]gaps // of schedules, by their text
}

// file checks the whole file.
func (c *checker) file(f *fileForm) *Config {
	c.cfg = Config{Owner: f.Owner.v, Concurrency: f.Concurrency.v, Resync: c.resync(f.Resync), VerifyEvery: f.VerifyEvery.v, Lease: c.lease(f.Lease), Stores: map[string]Store{}, Workspaces: map[string]Workspace{}}
	c.rotation(&f.Defaults)
	c.nonEmpty(f.Workspaces.mark, len(f.Workspaces.Entries), "a workspace")
	c.nonEmpty(f.Stores.mark, len(f.Stores.Entries), "a store")
	c.someTarget(f)
	for _, e := range f.Stores.Entries {
		c.store(e.Name.v, &e.Value)
	}
	if f.Sinks.written() {
		c.cfg.Sinks = map[string]Sink{}
	}
	for _, e := range f.Sinks.Entries {
		c.sink(e.Name.v, &e.Value, f)
	}
	for _, e := range f.Workspaces.Entries {
		c.cfg.Workspaces[e.Name.v] = c.workspace(e.Name.v, &e.Value, f)
	}
	c.cfg.Keys = c.adminKeys(f) // first: they are what the others are made with
	for i := range f.Keys.Items {
		f.Keys.Items[i].inherit(&f.Defaults)
		c.cfg.Keys = append(c.cfg.Keys, c.key(&f.Keys.Items[i], f))
	}
	for i := range f.WebhookSecrets.Items {
		f.WebhookSecrets.Items[i].inherit(&f.Defaults)
		c.cfg.Keys = append(c.cfg.Keys, c.webhookSecret(&f.WebhookSecrets.Items[i], f))
	}
	for _, e := range f.Notify.Entries {
		c.cfg.Notify = append(c.cfg.Notify, c.receiver(e.Name.v, &e.Value, f))
	}
	c.cfg.Audit = c.audit(&f.Audit)
	c.cfg.Trail = c.trail(&f.Trail)
	c.distinctNames(f.targets())
	c.distinctSecrets(f)
	c.distinctSinks(f)
	c.unusedSinks(f)
	return &c.cfg
}

// someTarget reports a file in which nothing is to be kept fresh.
func (c *checker) someTarget(f *fileForm) {
	targets := len(f.Keys.Items) + len(f.WebhookSecrets.Items)
	if f.Keys.written() {
		c.nonEmpty(f.Keys.mark, targets, "a key")
		return
	}
	c.nonEmpty(f.WebhookSecrets.mark, targets, "a secret")
}

// nonEmpty reports a list or mapping that was written but holds nothing.
func (c *checker) nonEmpty(at mark, n int, what string) {
	if at.written() && n == 0 && !c.hasErrorWithin(at.path) {
		c.fail(at, "", "is empty: there must be at least %s", what)
	}
}

// path makes a path absolute; empty if there is none.
func (c *checker) path(t text) string {
	switch {
	case !t.ok:
		return ""
	case t.v == "" || strings.HasPrefix(t.v, "~") || strings.ContainsRune(t.v, 0):
		c.fail(t.mark, `write a path; "~" is not expanded`, "not a usable path")
		return ""
	case filepath.IsAbs(t.v):
		return filepath.Clean(t.v)
	default:
		return filepath.Join(c.folder, t.v)
	}
}

// reference reports a name that is not among the known ones.
func (c *checker) reference(t text, what string, known []string) bool {
	if slices.Contains(known, t.v) {
		return true
	}
	c.fail(t.mark, suggestion(t.v, known), "unknown %s %s", what, quote(t.v))
	return false
}

// suggestion says which of the known names was likely meant.
func suggestion(name string, known []string) string {
	if near, ok := Nearest(name, known); ok {
		return fmt.Sprintf("did you mean %s?", quote(near))
	}
	return knownAre(known)
}

// knownAre lists names the user chose.
func knownAre(names []string) string {
	if len(names) == 0 {
		return "there is none"
	}
	if len(names) == 1 {
		return "there is only " + quote(names[0])
	}
	var out []string
	for _, n := range names {
		out = append(out, pathName(n))
	}
	return "known are " + strings.Join(out, ", ")
}

func (c *checker) workspace(name string, w *workspaceForm, f *fileForm) Workspace {
	return Workspace{
		Name:              name,
		AdminKey:          secretRef(c, &w.AdminKey.refForm, f),
		OrganizationID:    w.OrganizationID.v,
		BaseURL:           c.baseURL(w.BaseURL),
		AsWorkspace:       w.AsWorkspace.v,
		RequestsPerSecond: w.RequestsPerSecond.v,

		Members: c.people(w.Members), RotateWhenMemberLeft: c.rotateOn(w),
	}
}

// secretName reports a name that the store cannot keep a secret under.
func (c *checker) secretName(ref StoreRef, at mark) {
	store, ok := c.cfg.Stores[ref.Store]
	if !ok {
		return
	}
	if reason := store.Settings.Refuse(ref.Secret); reason != "" {
		c.fail(at, reason, "bad name of a secret in store %s", pathName(ref.Store))
	}
}

// hasErrorWithin tells whether anything at or below path was reported.
func (c *checker) hasErrorWithin(path string) bool {
	for _, p := range c.errors {
		if p.Path == path || strings.HasPrefix(p.Path, path+".") {
			return true
		}
	}
	return false
}

// baseURL checks the API's address. Keys travel there, so that plain http is
// for the same machine only.
func (c *checker) baseURL(t text) string {
	if !t.ok {
		return ""
	}
	base := strings.TrimRight(strings.TrimSuffix(strings.TrimRight(t.v, "/"), "/api/v2"), "/")
	c.address(t.mark, base, "write for example https://api.instantly.ai")
	return base
}

// address reports what is not the address of a web server to which secrets may
// be sent.
func (c *checker) address(at mark, base, hint string) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		c.fail(at, hint, "not the address of a web server")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		c.fail(at, hint, "an address with a user, a query or a fragment")
	case u.Scheme == "http" && !loopback.Host(u.Hostname()):
		c.fail(at, "write https", "plain http would show keys to the network")
	}
}
