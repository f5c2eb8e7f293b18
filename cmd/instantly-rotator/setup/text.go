package setup

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Text writes the configuration. It fails for answers that no file can say.
func (a Answers) Text() ([]byte, error) {
	var b strings.Builder
	b.WriteString(head)
	a.Workspace.write(&b, a.Store.Name())
	if err := a.Store.write(&b); err != nil {
		return nil, err
	}
	b.WriteString("\nkeys:\n")
	for _, k := range a.Keys {
		k.write(&b, a.Store.Name())
	}
	if !utf8.ValidString(b.String()) {
		return nil, errors.New("not text (UTF-8)")
	}
	return []byte(b.String()), nil
}

const head = `# Configuration of instantly-rotator, begun by "instantly-rotator init".
#
#   - Every other option, with its default and why: config.example.yaml, or
#     "instantly-rotator help configuration".
#   - No secret belongs in this file, only the place where one is.
#   - Relative paths begin in the folder of this file.
#   - To check it: instantly-rotator validate

# What every key inherits unless it sets its own; more in config.example.yaml.
#defaults:
  #schedule: "0 3 1 */3 *"   # when a key falls due: quarterly
  #grace_period: 24h         # how long the old key lives on: longer than any consumer caches

`

// write adds the section workspaces.
func (w Workspace) write(b *strings.Builder, store string) {
	fmt.Fprintf(b, "workspaces:\n  %s:\n", scalar(w.Name))
	b.WriteString(`    # Where the key is that issues and revokes the others. It needs api_keys:create,
    # api_keys:read, api_keys:delete and, for the organization, workspaces:read. One
    # that is kept in a store can be kept fresh too.
`)
	ref := w.AdminKey
	switch {
	case ref.Env != "":
		fmt.Fprintf(b, "    admin_key: {env: %s}\n", scalar(ref.Env))
	case ref.File != "":
		fmt.Fprintf(b, "    admin_key: {file: %s}\n", scalar(ref.File))
	default:
		fmt.Fprintf(b, "    admin_key:\n      store: %s\n      secret: %s\n", scalar(store), scalar(ref.Secret))
		b.WriteString("      # Keeps the admin key fresh too; its options are in config.example.yaml.\n")
		if !w.RotateAdminKey {
			b.WriteString("      #")
		} else {
			b.WriteString("      ")
		}
		b.WriteString("rotate: {}\n")
	}
	if w.AsWorkspace != "" {
		fmt.Fprintf(b, "    # The sub workspace to act in.\n    as_workspace: %s\n", scalar(w.AsWorkspace))
	}
	if w.OrganizationID != "" {
		about := "Nothing is touched in any other organization."
		if w.About != "" {
			about = w.About + ". " + about
		}
		fmt.Fprintf(b, "    # %s\n    organization_id: %s\n", comment(about), scalar(w.OrganizationID))
	}
	if w.BaseURL != "" {
		fmt.Fprintf(b, "    base_url: %s\n", scalar(w.BaseURL))
	}
	if len(w.Subs) > 0 {
		b.WriteString("  # Sub workspaces of that admin key; each can be a workspace here, with\n  # as_workspace and a name of its own.\n")
	}
	for _, sub := range w.Subs {
		fmt.Fprintf(b, "  #   %s\n", comment(sub))
	}
}

// write adds the section stores.
func (s Store) write(b *strings.Builder) error {
	fmt.Fprintf(b, "\nstores:\n  %s:\n    kind: %s\n", scalar(s.Name()), scalar(s.Kind))
	options := optionsOf(s.Kind)
	settings := slices.Clone(s.Settings)
	at := func(name string) int {
		return slices.IndexFunc(options, func(o storekind.Option) bool { return o.Name == name })
	}
	slices.SortStableFunc(settings, func(x, y Setting) int { return cmp.Compare(at(x.Name), at(y.Name)) })
	section := ""
	for _, set := range settings {
		i := at(set.Name)
		if i < 0 {
			return fmt.Errorf("a store of kind %s has no option %s", s.Kind, comment(set.Name))
		}
		value, err := valueOf(options[i], set.Text)
		if err != nil {
			return fmt.Errorf("%s: %w", set.Name, err)
		}
		in, name, nested := strings.Cut(set.Name, ".")
		switch {
		case !nested:
			fmt.Fprintf(b, "    %s: %s\n", in, value)
		case in == section:
			fmt.Fprintf(b, "      %s: %s\n", name, value)
		default:
			section = in
			fmt.Fprintf(b, "    %s:\n      %s: %s\n", in, name, value)
		}
	}
	return nil
}

// write adds an entry of keys.
func (k Key) write(b *strings.Builder, store string) {
	scopes := make([]string, len(k.Scopes))
	for i, s := range k.Scopes {
		scopes[i] = scalar(s)
	}
	what := "Risk if it is stolen: " + instantly.RiskOf(k.Scopes).String()
	if k.For != "" {
		what = "For " + k.For + ". " + what
	}
	fmt.Fprintf(b, "  # %s.\n  - name: %s\n    scopes: [%s]\n", comment(what), scalar(k.Name), strings.Join(scopes, ", "))
	if k.Reason != "" {
		fmt.Fprintf(b, "    allow_critical_scopes: %s\n", scalar(k.Reason))
	}
	if k.Grace != "" {
		fmt.Fprintf(b, "    grace_period: %s\n", scalar(k.Grace))
	}
	if k.Secret == "" || k.Secret == k.Name {
		fmt.Fprintf(b, "    stores: [{store: %s}]\n", scalar(store))
		return
	}
	fmt.Fprintf(b, "    stores: [{store: %s, secret: %s}]\n", scalar(store), scalar(k.Secret))
}

// valueOf writes what was typed for an option of a store as the option's type.
func valueOf(o storekind.Option, typed string) (string, error) {
	switch o.Into.(type) {
	case *bool:
		yes, err := yesOrNo(typed)
		return strconv.FormatBool(yes), err
	case *int:
		n, err := strconv.Atoi(typed)
		if err != nil {
			return "", errors.New("want a whole number")
		}
		return strconv.Itoa(n), nil
	case *[]string:
		if o.Word != "" && typed == o.Word {
			return scalar(typed), nil
		}
		items := listed(typed)
		for i := range items {
			items[i] = scalar(items[i])
		}
		return "[" + strings.Join(items, ", ") + "]", nil
	case *map[string]string:
		items := listed(typed)
		for i, item := range items {
			name, value, found := strings.Cut(item, "=")
			if !found {
				return "", errors.New("want NAME=VALUE,NAME=VALUE")
			}
			items[i] = quoted(name) + ": " + quoted(value)
		}
		return "{" + strings.Join(items, ", ") + "}", nil
	default:
		return scalar(typed), nil
	}
}

// yesOrNo reads the answer to a question.
func yesOrNo(typed string) (bool, error) {
	switch strings.ToLower(typed) {
	case "y", "yes", "true":
		return true, nil
	case "n", "no", "false":
		return false, nil
	default:
		return false, errors.New("want yes or no")
	}
}

// listed takes what is between commas.
func listed(typed string) []string {
	var items []string
	for item := range strings.SplitSeq(typed, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// scalar writes a text so that every reader of YAML takes it for that text.
func scalar(s string) string {
	if !storekind.Pattern(`^[A-Za-z0-9./][A-Za-z0-9._/:-]*$`).MatchString(s) || strings.HasSuffix(s, ":") || isWordOfYAML(s) {
		return quoted(s)
	}
	return s
}

// isWordOfYAML tells whether some version of YAML takes a text for a number, a date,
// yes or no, or nothing.
func isWordOfYAML(s string) bool {
	if slices.Contains([]string{"y", "n", "yes", "no", "on", "off"}, strings.ToLower(s)) || storekind.Pattern(`^[0-9.][0-9._:exobEXOB+-]*$`).MatchString(s) {
		return true
	}
	var doc yaml.Node
	err := yaml.Unmarshal([]byte(s), &doc)
	return err != nil || len(doc.Content) != 1 || doc.Content[0].ShortTag() != "!!str" || doc.Content[0].Value != s
}

// quoted writes a text between quotes.
func quoted(s string) string {
	text, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle})
	if err != nil {
		return s // it is no text: Text says so
	}
	return strings.TrimSuffix(string(text), "\n")
}

// comment keeps what others wrote (the names of workspaces, of keys) on its line, and
// from steering a terminal.
func comment(s string) string {
	const most = 100
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
