package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

// completeFlags offers values for flags, by their names, to shells. What takes a
// file is left to the shell.
func (a *app) completeFlags(root *cobra.Command) {
	fixed := map[string][]cobra.Completion{
		"log-level": {"debug", "info", "warn", "error"}, "log-format": {"console", "json"},
		"output": {"table", "json"}, "shard": {"auto", "0/2"}, "until": {"1d", "3d", "1w"},
		"admin-scopes": {"all:all", "all:read"},
	}
	computed := map[string]cobra.CompletionFunc{
		"store": a.completeStores, "secret": a.completeSecrets, "env": a.completeVariables,
		"workspace": a.completeWorkspaces,
	}
	for _, c := range append(commandsOf(root), root) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			complete, known := computed[f.Name]
			switch what, _ := pflag.UnquoteUsage(f); {
			case f.NoOptDefVal != "" || what == "file":
				return
			case !known:
				complete = cobra.FixedCompletions(fixed[f.Name], cobra.ShellCompDirectiveNoFileComp)
			}
			_ = c.RegisterFlagCompletionFunc(f.Name, complete) // fails for a flag that has one already
		})
	}
}

// commandsOf gives the commands, and those below them.
func commandsOf(c *cobra.Command) (all []*cobra.Command) {
	for _, sub := range c.Commands() {
		all = append(append(all, sub), commandsOf(sub)...)
	}
	return all
}

// fromConfig offers what names gives of the configuration.
func (a *app) fromConfig(names func(*config.Config) []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	cfg, _, err := config.Load(a.configPath)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names(cfg), cobra.ShellCompDirectiveNoFileComp
}

func targetNames(cfg *config.Config) []string {
	var names []string
	for _, k := range cfg.Keys {
		names = append(names, k.Name)
	}
	return names
}

// completeTargets offers the names of targets that were not given yet.
func (a *app) completeTargets(_ *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.fromConfig(func(cfg *config.Config) []string {
		return slices.DeleteFunc(targetNames(cfg), func(name string) bool { return slices.Contains(given, name) })
	})
}

// completeOneTarget is completeTargets for commands that take one.
func (a *app) completeOneTarget(c *cobra.Command, given []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeTargets(c, given, typed)
}

// completeProgram offers a target, and behind it whatever the shell knows.
func (a *app) completeProgram(c *cobra.Command, given []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return a.completeTargets(c, given, typed)
}

// completeReceivers offers the names of those who are notified.
func (a *app) completeReceivers(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.fromConfig(receiverNames)
}

// completeStores offers the names of stores; those of the target if there is one.
func (a *app) completeStores(_ *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.fromConfig(func(cfg *config.Config) []string {
		for _, k := range cfg.Keys {
			if len(given) == 0 || k.Name != given[0] {
				continue
			}
			var names []string
			for _, ref := range k.Stores {
				names = append(names, ref.Store)
			}
			return names
		}
		return slices.Sorted(maps.Keys(cfg.Stores))
	})
}

// completeSecrets offers the secrets that the configuration refers to in the store
// of --store.
func (a *app) completeSecrets(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.fromConfig(func(cfg *config.Config) []string {
		var refs []config.SecretRef
		for _, w := range cfg.Workspaces {
			refs = append(refs, w.AdminKey)
		}
		for _, r := range cfg.Notify {
			refs = append(refs, r.URL)
		}
		store := c.Flag("store").Value.String()
		var names []string
		for _, ref := range refs {
			if ref.Store != "" && (store == "" || ref.Store == store) {
				names = append(names, ref.Secret)
			}
		}
		slices.Sort(names)
		return slices.Compact(names)
	})
}

// completeVariables offers NAME=TARGET once the name is typed.
func (a *app) completeVariables(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	name, _, ok := strings.Cut(typed, "=")
	if !ok {
		return []cobra.Completion{defaultVariable + "="}, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return a.fromConfig(func(cfg *config.Config) []string {
		names := targetNames(cfg)
		for i := range names {
			names[i] = name + "=" + names[i]
		}
		return names
	})
}

// withFlagMeant adds to the error for a flag that there is not which one is likely meant.
func withFlagMeant(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return err
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near, ok := config.Nearest(unknown.GetSpecifiedName(), names); ok {
		return fmt.Errorf("%w; did you mean --%s?", err, near)
	}
	return err
}
