package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

func (a *app) trailMakeKeyCommand(f *trailFlags) *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "make-key",
		Short: "Make the key that signs a trail without a folder",
		Long: `Make the key that signs a trail which pods write to their output (trail:
config_map): in the folder --dir the file key, to be put into a Secret that the
pods mount, and key.pub, which is printed too, to be kept elsewhere. A trail in a
folder makes its own.`,
		Example: `  instantly-rotator trail make-key --dir ./trail-key
  kubectl create secret generic instantly-rotator-trail \
    --from-file=./trail-key/key
  kubectl create configmap instantly-rotator-trail`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if f.dir == "" {
				return usageError{errors.New("--dir says in which folder")}
			}
			public, err := trail.MakeKey(f.dir, name)
			if err == nil {
				_, err = fmt.Fprintln(a.stdout, public)
			}
			return err
		},
	}
	c.Flags().StringVar(&name, "name", "cluster", "what the key is called")
	return c
}
