package config

import (
	"slices"
	"strings"
)

// memberLeft is what rotate_on may have in it.
const memberLeft = "member-left"

func memberOptions() []Option {
	const in = "workspaces.*"
	return []Option{
		{
			In: in, Name: "members",
			Doc:      "The addresses of who is in the workspace. Whoever is on this list and no longer in the workspace has left.",
			Examples: []string{"ann@example.com"},
		},
		{
			In: in, Name: "rotate_on",
			Doc: "member-left: the daemon replaces the keys that could be known to whoever of members has left, each with its " +
				"grace period. The admin key needs workspace_members:read and audit_logs:read.",
			Examples: []string{memberLeft},
		},
	}
}

func knownToOption(in string) Option {
	return Option{
		In: in, Name: "known_to",
		Doc: "The addresses of the people who could know the key: it is replaced when one of them is offboarded. [] says " +
			"nobody; left out, only who made it is known, by the audit log.",
		Examples: []string{"ann@example.com"},
	}
}

// people reads a list of people, whose addresses are compared in lower case; nil if
// it is not written.
func (c *checker) people(l list[text]) []string {
	if !l.written() {
		return nil
	}
	all := make([]string, 0, len(l.Items))
	for _, t := range l.Items {
		switch address := strings.ToLower(t.v); {
		case !t.ok:
		case !IsAddress(address):
			c.fail(t.mark, "write for example ann@example.com", "%s is no address of a person", quote(t.v))
		case slices.Contains(all, address):
			c.fail(t.mark, "take one of the two out", "%s is on the list twice", quote(t.v))
		default:
			all = append(all, address)
		}
	}
	return all
}

// IsAddress tells whether a text can be a person's address: what names an incident, so
// short, and without what separates several.
func IsAddress(text string) bool {
	return pattern(`^[^@\s,]{1,64}@[^@\s,]{1,80}$`).MatchString(text)
}

func (c *checker) rotateOn(w *workspaceForm) bool {
	for _, t := range w.RotateOn.Items {
		if t.ok && t.v != memberLeft {
			c.fail(t.mark, "known is "+memberLeft, "unknown occasion %s", quote(t.v))
		}
	}
	on := len(w.RotateOn.Items) > 0
	if on && len(w.Members.Items) == 0 && !c.hasErrorWithin(w.RotateOn.path) {
		c.fail(w.RotateOn.mark, "list who is in the workspace: members: [ann@example.com]", "needs members: who has left is who is on that list and not in the workspace")
	}
	return on
}
