package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

func (a *app) validateCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration; reads no secret and calls nobody",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return a.validate(output) },
	}
	outputFlag(c, &output)
	return c
}

// validation is what "validate -o json" prints.
type validation struct {
	File       string    `json:"file"`
	Valid      bool      `json:"valid"`
	Mistakes   []mistake `json:"mistakes"`
	Warnings   []mistake `json:"warnings"`
	Targets    int       `json:"targets"`
	Workspaces int       `json:"workspaces"`
	Stores     int       `json:"stores"`
	Sinks      int       `json:"sinks"`
}

// mistake is one in the configuration, with its place.
type mistake struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func mistakesOf(problems []config.Problem) []mistake {
	all := []mistake{}
	for _, p := range problems {
		all = append(all, mistake{p.Line, p.Column, p.Path, p.Message + p.Elsewhere, p.Hint})
	}
	return all
}

func (a *app) validate(output string) error {
	cfg, err := a.load()
	var problems config.Problems
	if err != nil && (output != "json" || !errors.As(err, &problems)) {
		return err
	}
	_, warnings, _ := config.Load(a.configPath) // as read before
	v := validation{File: a.configPath, Valid: err == nil, Mistakes: mistakesOf(problems), Warnings: mistakesOf(warnings)}
	if cfg != nil {
		v.Targets, v.Workspaces, v.Stores, v.Sinks = len(cfg.Keys), len(cfg.Workspaces), len(cfg.Stores), len(cfg.Sinks)
	}
	said := a.show(output, v, func() {
		fmt.Fprintf(a.stdout, "%s: good: %s\n", a.configPath, extent(cfg))
	})
	if err != nil {
		return err // told on standard error too
	}
	return said
}

// extent says how much a configuration has; of sinks only if there are any.
func extent(cfg *config.Config) string {
	parts := []string{humantime.Count(len(cfg.Keys), "target"), humantime.Count(len(cfg.Workspaces), "workspace"), humantime.Count(len(cfg.Stores), "store")}
	if n := len(cfg.Sinks); n > 0 {
		parts = append(parts, humantime.Count(n, "sink"))
	}
	return strings.Join(parts, ", ")
}

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration, for editors",
		Example: `  instantly-rotator schema > config.schema.json
  # then, as the first line of config.yaml:
  # yaml-language-server: $schema=./config.schema.json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := config.Schema()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s\n", schema)
			return err
		},
	}
}
