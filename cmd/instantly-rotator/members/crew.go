package members

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
)

// CrewOf is who sees to a leaving from the named workspaces; from all if none is named.
// The fleet has all targets.
func CrewOf(ctx context.Context, f *fleet.Fleet, workspaces map[string]bool) Crew {
	c := Crew{Workspaces: map[string]Workspace{}, Unreached: map[string]error{}, Engine: f.Rotator, Now: f.Now, Trail: f.Recorder()}
	for name := range f.Config.Workspaces {
		if len(workspaces) > 0 && !workspaces[name] {
			continue
		}
		if client, err := f.Shared(ctx, name); err != nil {
			c.Unreached[name] = err
		} else {
			c.Workspaces[name] = client
		}
	}
	for _, name := range c.names() {
		if why := fleet.NotRotated(f.Config.Workspaces[name]); why != "" {
			c.Limits = append(c.Limits, why+": if they could know it, make another one by hand")
		}
	}
	for i, k := range f.Config.Keys {
		if len(workspaces) == 0 || workspaces[k.Workspace] {
			t := Target{Name: k.Name, Workspace: k.Workspace, KnownTo: k.KnownTo, Opens: opens(f.Config, k)}
			c.Targets = append(c.Targets, Kept{t, f.Targets[i]})
		}
	}
	return c
}

// opens gives the workspaces of which a target is the admin key.
func opens(cfg *config.Config, k config.Key) (names []string) {
	for name, ws := range cfg.Workspaces {
		if k.Admin && ws.AdminTarget == k.Name {
			names = append(names, name)
		}
	}
	return names
}
