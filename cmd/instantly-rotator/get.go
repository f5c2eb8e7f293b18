package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// getFlags are the flags of get.
type getFlags struct {
	show, noNewline bool
	admin, all      bool
	store           string
}

func (a *app) getCommand() *cobra.Command {
	var f getFlags
	c := &cobra.Command{
		Use:               "get TARGET",
		ValidArgsFunction: a.completeOneTarget,
		Short:             "Print the current key, for scripts and units",
		Long: `Print the current key of a target, as its consumers read it. It goes to a pipe
or a file; on a terminal, where it would stay in the scroll-back, only with
--show. That of an admin key, which can make any other, wants --admin. No call is made
to Instantly.

With --all, the current value comes first and the previous one, while it lives, in a
line below it: receivers of webhooks accept both.`,
		Example: `  INSTANTLY_API_KEY="$(instantly-rotator get sending)" ./send
  instantly-rotator get --no-newline sending > /run/sender/api-key
  instantly-rotator get --all replies > /run/receiver/secrets`,
		Args: oneTarget,
		RunE: func(c *cobra.Command, args []string) error { return a.get(c.Context(), args[0], f) },
	}
	c.Flags().BoolVar(&f.show, "show", false, "print it on a terminal too")
	c.Flags().BoolVar(&f.admin, "admin", false, "print an admin key")
	c.Flags().BoolVar(&f.all, "all", false, "the previous value too, in a line of its own")
	c.Flags().BoolVarP(&f.noNewline, "no-newline", "n", false, "no newline after the key")
	c.Flags().StringVar(&f.store, "store", "", "the `name` of the store to read (default: the primary)")
	return c
}

func (a *app) get(ctx context.Context, target string, f getFlags) error {
	if terminal(a.stdout) && !f.show {
		return usageError{errors.New("this is a terminal: pipe the key to where it is needed, or print it with --show")}
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	ref, err := storeOf(cfg, target, f.store)
	if err != nil {
		return err
	}
	if err := mayGive(cfg, target, f.admin); err != nil {
		return err
	}
	c := fleet.Connect(a.fleetOptions(cfg, zap.NewNop(), true))
	defer c.Close()
	id, value, err := fleet.Current(ctx, c.Store(ctx, ref))
	if err != nil {
		return fmt.Errorf("%s: store %s: %w", target, ref.Store, err)
	}
	told, err := c.Recorder().Act(trail.What{Verb: "get", Target: target, Store: ref.Store, Key: id}, "")
	if err != nil {
		return err
	}
	err = a.give(ctx, c.Store(ctx, ref), value, f)
	told(id, err)
	return err
}

// give prints a value, and with --all the previous one after it. That is read before
// anything is printed: half of the answer would be taken for the whole.
func (a *app) give(ctx context.Context, st secretstore.Store, value secret.Value, f getFlags) error {
	text := value.Reveal()
	if f.all {
		previous, err := fleet.Previous(ctx, st)
		if err != nil {
			return fmt.Errorf("read the previous value: %w", err)
		}
		if !previous.IsZero() {
			text += "\n" + previous.Reveal()
		}
	}
	if !f.noNewline {
		text += "\n"
	}
	_, err := fmt.Fprint(a.stdout, text)
	return err
}

// mayGive refuses to give an admin key away that was not asked for as one.
func mayGive(cfg *config.Config, target string, admin bool) error {
	if !admin && slices.ContainsFunc(cfg.Keys, func(k config.Key) bool { return k.Name == target && k.Admin }) {
		return usageError{fmt.Errorf("%s is an admin key, which can make and revoke every other: if you mean it, add --admin", target)}
	}
	return nil
}

// storeOf picks one of a target's stores: the primary if no name is given.
func storeOf(cfg *config.Config, target, name string) (config.StoreRef, error) {
	chosen, err := fleet.Chosen(cfg, []string{target})
	if err != nil {
		return config.StoreRef{}, err
	}
	stores := chosen[0].Stores
	if name == "" {
		return stores[0], nil
	}
	i := slices.IndexFunc(stores, func(r config.StoreRef) bool { return r.Store == name })
	if i < 0 {
		return config.StoreRef{}, usageError{fmt.Errorf("%s is not kept in a store named %q", target, name)}
	}
	return stores[i], nil
}
