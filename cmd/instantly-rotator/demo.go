package main

import (
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/demo"
)

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Watch keys being rotated through a crash and an outage",
		Long: `Run the whole thing on this machine, with nothing to configure: a stand-in for
the Instantly API, an encrypted local store in a temporary folder, consumers that
use the key all the while, and the real engine with shortened times.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return demo.Run(c.Context(), demo.Options{Out: a.stdout, Color: a.colorful()})
		},
	}
}
