package audit

import (
	"fmt"
	"io"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

// Markdown writes the report to be handed in.
func (r Report) Markdown(w io.Writer, version, config string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Audit of %s\n\n", cell(strings.Join(r.Workspaces, ", ")))
	fmt.Fprintf(&b, "Made %s by instantly-rotator %s, with %s. %s\n", humantime.Stamp(r.At), cell(version), cell(config), r.Summary())
	if s := r.Scanned; s != nil {
		fmt.Fprintf(&b, "\nSearched for %s: %s.\n", humantime.Count(s.Values, "value"), cell(s.Text()))
	}
	for _, severity := range Severities() {
		r.markdownFindings(&b, severity)
	}
	r.markdownAccepted(&b)
	b.WriteString("\n## Checks\n\n| check | asks | came to |\n|---|---|---|\n")
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.ID, cell(c.Title), cell(c.Text()))
	}
	for _, u := range r.Unused {
		fmt.Fprintf(&b, "\nException that accepts nothing: %s\n", cell(u))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Report) markdownFindings(b *strings.Builder, severity Severity) {
	head := "\n## " + strings.ToUpper(string(severity[0])) + severity.Text()[1:] + "\n\n| check | what | finding | to do |\n|---|---|---|---|\n"
	for _, f := range r.Findings {
		if f.Severity != severity || f.Accepted != nil {
			continue
		}
		b.WriteString(head)
		head = ""
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f.Check, cell(f.Named()), cell(f.Said()), cell(f.Remedy))
	}
}

func (r Report) markdownAccepted(b *strings.Builder) {
	head := "\n## Accepted\n\n| check | what | finding | why | until |\n|---|---|---|---|---|\n"
	for _, f := range r.Findings {
		if f.Accepted == nil {
			continue
		}
		b.WriteString(head)
		head = ""
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", f.Check, cell(f.Named()), cell(f.Text), cell(f.Accepted.Reason), humantime.Stamp(f.Accepted.Until))
	}
}

// cell writes a text for a table's cell: names are other people's choice.
func cell(text string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "\n", " ", "\r", " ", "<", "&lt;", "`", "\\`", "[", "\\[").Replace(text)
}
