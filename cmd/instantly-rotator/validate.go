package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

func (a *app) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration; reads no secret and calls nobody",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s: good: %s, %s, %s\n", a.configPath,
				count(len(cfg.Keys), "key"), count(len(cfg.Workspaces), "workspace"), count(len(cfg.Stores), "store"))
			return nil
		},
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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
