package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// helpWidth is that of the narrowest terminals that people use.
const helpWidth = 80

// fitHelp keeps all that commands say of themselves within helpWidth. Paragraphs that are
// laid out in columns stay as they are.
func fitHelp(root *cobra.Command) {
	root.SetUsageTemplate(strings.NewReplacer(
		"FlagUsages ", fmt.Sprintf("FlagUsagesWrapped %d ", helpWidth),
		"for more information about a command", "for more about a command",
	).Replace(root.UsageTemplate()))
	for _, c := range append(commandsOf(root), root) {
		paragraphs := strings.Split(c.Long, "\n\n")
		for i, p := range paragraphs {
			if text.LongestLineLen(p) > helpWidth && !strings.Contains(p, "  ") {
				paragraphs[i] = filled(p)
			}
		}
		c.Long = strings.Join(paragraphs, "\n\n")
	}
}

// filled breaks a paragraph anew.
func filled(paragraph string) string {
	lines := strings.Split(softly(strings.ReplaceAll(paragraph, "\n", " "), helpWidth), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// refuseUnknown has those commands that cobra brings along refuse what they do not know, as
// all others do. It wants to know where the root command prints to.
func refuseUnknown(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = isCommand
		case "completion":
			c.Args = isShell
			c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
}

// isCommand wants the words of a command, or of a topic.
func isCommand(c *cobra.Command, words []string) error {
	found, rest, err := c.Root().Find(words)
	if err == nil && len(rest) == 0 {
		return nil
	}
	nothing := fmt.Errorf("there is no help on %q", strings.Join(words, " "))
	if near := found.SuggestionsFor(words[len(words)-1]); len(near) > 0 {
		nothing = fmt.Errorf("%w; did you mean %q?", nothing, near[0])
	}
	return usageError{nothing}
}

func isShell(c *cobra.Command, words []string) error {
	if len(words) == 0 {
		return nil
	}
	var shells []string
	for _, one := range c.Commands() {
		shells = append(shells, one.Name())
	}
	return usageError{fmt.Errorf("completion knows no shell %q: want one of %s", words[0], strings.Join(shells, ", "))}
}
