package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
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
				humantime.Count(len(cfg.Keys), "target"), humantime.Count(len(cfg.Workspaces), "workspace"), humantime.Count(len(cfg.Stores), "store"))
			return nil
		},
	}
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
