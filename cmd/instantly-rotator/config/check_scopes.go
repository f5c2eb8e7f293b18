package config

import (
	"fmt"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// scopePattern is what scopes look like, for the schema; the parser asks
// package instantly.
const scopePattern = `^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$`

// maxScope is longer than any scope of the vendor's, in bytes.
const maxScope = 100

// scopes checks each scope by itself, so that each has its place in the file,
// and the set as a whole for its risk.
func (c *checker) scopes(k *keyForm) []string {
	list := k.Scopes
	if list.written() && len(list.Items) == 0 && !c.hasErrorWithin(list.path) {
		c.fail(list.mark, "write for example [campaigns:read]", "is empty: a key must be allowed something")
	}
	var scopes []string
	first := map[string]mark{}
	for _, item := range list.Items {
		if !item.ok || !c.scope(item, first) {
			continue
		}
		first[item.v] = item.mark
		scopes = append(scopes, item.v)
	}
	c.risk(k, scopes, first)
	return scopes
}

// scope checks one scope; false if it cannot be used.
func (c *checker) scope(item text, first map[string]mark) bool {
	if at, twice := first[item.v]; twice {
		c.clash(item.mark, "take one of the two out", fmt.Sprintf(", first in line %d", at.line), "scope %s is there twice", quote(item.v))
		return false
	}
	warnings, err := instantly.CheckScopes([]string{item.v})
	if err != nil || len(item.v) > maxScope {
		c.fail(item.mark, scopeHint(item.v), "bad scope %s", quote(item.v))
		return false
	}
	for _, w := range warnings {
		c.warn(item.mark, "", "%s", w)
	}
	return true
}

func scopeHint(s string) string {
	if len(s) <= maxScope {
		if near, ok := instantly.NearestScope(s); ok {
			return fmt.Sprintf("did you mean %q?", near)
		}
	}
	return "want RESOURCE:ACTION, such as campaigns:read"
}

// risk refuses critical scopes that nobody gave a reason for.
func (c *checker) risk(k *keyForm, scopes []string, at map[string]mark) {
	reason := k.AllowCriticalScopes
	if reason.ok && strings.TrimSpace(reason.v) == "" {
		c.fail(reason.mark, "say why this key must have critical scopes", "is blank")
		return
	}
	critical := false
	for _, s := range scopes {
		if instantly.RiskOf([]string{s}) != instantly.Critical {
			continue
		}
		critical = true
		if !reason.written() {
			c.fail(at[s], `leave it out, or give the reason in allow_critical_scopes: "…"`,
				"%s is critical: a key with it can do nearly everything", quote(s))
		}
	}
	if reason.ok && !critical {
		c.warn(reason.mark, "take the line out", "no scope of this key is critical")
	}
}
