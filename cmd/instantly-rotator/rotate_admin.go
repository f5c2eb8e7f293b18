package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// pick gives the targets that the command is for, and those that follow them, out of the
// named ones. It notes which keys are exposed and follow by another command.
func (f *rotateFlags) pick(all *fleet.Fleet, part shard, names []string) (first, then []rotator.Target, err error) {
	first = part.pick(all.Targets)
	if f.admin != "" { // no names: the fleet has all
		if first, then, err = f.adminFirst(all); err != nil {
			return nil, nil, err
		}
	}
	if f.compromised && !f.andAll {
		f.exposed = slices.DeleteFunc(exposedBy(all.Config, first), func(name string) bool { return slices.Contains(names, name) })
	}
	return first, then, nil
}

// planned picks them for a plan, which says too what is to follow an admin key.
func (f *rotateFlags) planned(part shard, names []string) func(*fleet.Fleet) ([]rotator.Target, func(rotator.Target) []string, error) {
	return func(all *fleet.Fleet) ([]rotator.Target, func(rotator.Target) []string, error) {
		first, then, err := f.pick(all, part, names)
		return append(first, then...), func(t rotator.Target) []string {
			if f.compromised && t.Credential {
				return f.afterAdmin()
			}
			return nil
		}, err
	}
}

// adminFirst gives the targets that a command about a workspace's admin key is for: the
// admin key, and those that follow it.
func (f rotateFlags) adminFirst(all *fleet.Fleet) (first, then []rotator.Target, err error) {
	ws, ok := all.Config.Workspaces[f.admin]
	switch {
	case !ok:
		return nil, nil, usageError{fmt.Errorf("no workspace named %q in the configuration; it has %s", f.admin,
			strings.Join(slices.Sorted(maps.Keys(all.Config.Workspaces)), ", "))}
	case ws.AdminTarget == "":
		return nil, nil, usageError{fmt.Errorf("%s: make another one in Instantly under Settings > Integrations > API Keys, put it there, and revoke the old one; then: %s",
			fleet.NotRotated(ws), f.compromise(exposed(all.Config, f.admin)))}
	}
	follow := exposed(all.Config, f.admin)
	for _, t := range all.Targets {
		switch {
		case t.Name == ws.AdminTarget:
			first = append(first, t)
		case f.andAll && slices.Contains(follow, t.Name):
			then = append(then, t)
		}
	}
	return first, then, nil
}

// exposed gives the targets whose keys could be read by whoever had the admin key of a
// workspace: it may be that of other workspaces too.
func exposed(cfg *config.Config, workspace string) (names []string) {
	admin := cfg.Workspaces[workspace].AdminTarget
	for _, k := range cfg.Keys {
		if ws := cfg.Workspaces[k.Workspace]; !k.Admin && (k.Workspace == workspace || admin != "" && ws.AdminTarget == admin) {
			names = append(names, k.Name)
		}
	}
	return names
}

// exposedBy gives them for the admin keys among the targets of a command.
func exposedBy(cfg *config.Config, ts []rotator.Target) (names []string) {
	for _, k := range cfg.Keys {
		isAdmin := func(t rotator.Target) bool { return t.Credential && t.Name == k.Name }
		if slices.ContainsFunc(ts, isAdmin) {
			names = append(names, exposed(cfg, k.Workspace)...)
		}
	}
	return names
}

// compromise is the command that replaces keys in wrong hands.
func (f rotateFlags) compromise(names []string) string {
	return "instantly-rotator rotate --compromised " + strings.Join(names, " ") + " --incident " + fleet.ShellQuote(f.incident)
}

// afterAdmin says what else is to be done when an admin key was in wrong hands, what cannot
// wait first.
func (f rotateFlags) afterAdmin() []string {
	var said []string
	if len(f.exposed) > 0 {
		said = append(said, "whoever had it could read other keys, so they must be replaced too: "+f.compromise(f.exposed))
	}
	return append(said, "whoever had it could make keys: look for those that nobody knows: instantly-rotator status")
}

// replaced tells whether a compromised admin key is out of the way.
func replaced(results []rotator.Result) bool {
	return !slices.ContainsFunc(results, func(r rotator.Result) bool {
		return r.Err != nil || r.Interrupted || !r.Status.Incident.IsZero()
	})
}
