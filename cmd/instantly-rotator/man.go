package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand is for those who package the program.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "Write the manual pages, made of the same texts as --help",
		Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("man takes one DIRECTORY, which is made if it is not there")}
			}
			return writeManual(c.Root(), args[0])
		},
	}
}

// writeManual writes a page for the program, and for each command and topic.
func writeManual(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // pages are for everybody
		return err
	}
	root.InitDefaultHelpCmd()
	for _, c := range append(root.Commands(), root) {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if err := writePage(c, dir); err != nil {
			return err
		}
	}
	return nil
}

func writePage(c *cobra.Command, dir string) error {
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	f, err := os.Create(filepath.Join(dir, name+".1"))
	if err != nil {
		return err
	}
	c.Long = literal(c.Long)
	c.DisableAutoGenTag = true
	err = doc.GenMan(c, &doc.GenManHeader{Title: strings.ToUpper(name), Section: "1", Source: "instantly-rotator " + version(), Manual: "User Commands"}, f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// literal keeps what is laid out in columns, or indented, as it stands: the pages
// are made by way of Markdown, which would fill it.
func literal(long string) string {
	paragraphs := strings.Split(long, "\n\n")
	for i, p := range paragraphs {
		if strings.Contains(p, "  ") {
			paragraphs[i] = "    " + strings.ReplaceAll(p, "\n", "\n    ")
		}
	}
	return strings.Join(paragraphs, "\n\n")
}
