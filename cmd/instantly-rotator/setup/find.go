package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// searchTimeout bounds each search: nobody waits for what is not there.
const searchTimeout = 3 * time.Second

// A Surrounding is what this machine has for a kind of store.
type Surrounding struct {
	Kind string
	storekind.Discovery
}

// Surroundings asks all kinds side by side what works here, and gives those that
// said so in time.
func Surroundings(ctx context.Context, kinds []storekind.Kind) []Surrounding {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	found := make(chan Surrounding, len(kinds))
	var searches sync.WaitGroup
	for _, k := range kinds {
		if k.Discover == nil {
			continue
		}
		searches.Go(func() {
			if d, err := k.Discover(ctx); err == nil {
				found <- Surrounding{k.Name, d}
			}
		})
	}
	go func() { // some SDK may not heed the context
		searches.Wait()
		cancel()
	}()
	<-ctx.Done()
	var all []Surrounding
	for len(found) > 0 {
		all = append(all, <-found)
	}
	slices.SortFunc(all, func(x, y Surrounding) int { return cmp.Compare(x.Kind, y.Kind) })
	return all
}

// Account is what Instantly says of the admin key's workspace.
type Account struct {
	// Organization is the id of the workspace; empty if it could not be had.
	Organization string
	// Name of the workspace; empty if the key may not ask.
	Name string
	// Keys that are there, the oldest first.
	Keys []instantly.Key
	// Subs are the sub workspaces in which the key may act.
	Subs []instantly.SubWorkspace
}

// explore asks for all of it at once. It fails if the keys cannot be listed: such an
// admin key is of no use.
func explore(ctx context.Context, client *instantly.Client) (Account, error) {
	var (
		calls     sync.WaitGroup
		workspace instantly.Workspace
		found     Account
		unnamed   error
		failed    error
	)
	calls.Go(func() { workspace, unnamed = client.Workspace(ctx) })
	calls.Go(func() { found.Keys, failed = client.Keys(ctx) })
	calls.Go(func() { found.Subs, _ = client.SubWorkspaces(ctx) }) // most keys may not ask
	calls.Wait()
	if failed != nil {
		return Account{}, failed
	}
	found.Name, found.Organization = workspace.Name, workspace.ID
	if unnamed != nil {
		found.Organization = organizationOf(found.Keys)
	}
	found.Subs = slices.DeleteFunc(found.Subs, func(s instantly.SubWorkspace) bool { return s.Status != "accepted" })
	slices.SortStableFunc(found.Keys, func(x, y instantly.Key) int { return x.Created.Compare(y.Created) })
	return found, nil
}

// organizationOf is the one that all keys are of; empty if they do not agree.
func organizationOf(keys []instantly.Key) string {
	organization := ""
	for _, k := range keys {
		if organization != "" && k.Organization != organization {
			return ""
		}
		organization = k.Organization
	}
	return organization
}

// About names the workspace for people.
func (a Account) About() string {
	switch {
	case a.Organization == "":
		return ""
	case a.Name == "":
		return "The admin key's workspace"
	default:
		return "Workspace " + a.Name
	}
}

// administers tells whether a key may make or revoke keys.
func administers(k instantly.Key) bool {
	return instantly.Covers(k.Scopes, "api_keys:create") || instantly.Covers(k.Scopes, "api_keys:delete")
}

// nameFrom makes a name for the configuration out of what others wrote; empty if nothing of it
// can stand in one.
func nameFrom(written string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(written) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	const most = 40
	name := b.String()
	return strings.Trim(name[:min(len(name), most)], "-")
}

// tried says in a few words why the account could not be read.
func tried(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "Instantly did not answer in time"
	default:
		return fmt.Sprint(err)
	}
}
