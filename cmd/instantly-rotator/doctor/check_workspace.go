package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// whereKeysAreMade is where a person makes an admin key, and with which scopes.
func (f Facts) whereKeysAreMade(w Workspace) string {
	scopes := "api_keys:create, api_keys:read, api_keys:delete and workspaces:read"
	if f.Config.HasWebhooks(w.Name) {
		scopes = "api_keys:create, api_keys:read, api_keys:delete, workspaces:read, " + strings.Join(scopesForWebhooks(), ", ")
	}
	return "make one with the scopes " + scopes + " in Instantly (Settings > Integrations > API Keys), and put it where admin_key points to"
}

// newAdminKey is for one that lacks a scope: nobody can change those of one that there is.
func (f Facts) newAdminKey(w Workspace) string {
	return "a key's scopes cannot be changed: " + f.whereKeysAreMade(w)
}

// scopesForWebhooks are those that secrets of webhooks need besides.
func scopesForWebhooks() []string {
	return []string{"webhooks:read", "webhooks:update", "webhook_events:read"}
}

// ofEach judges every workspace.
func ofEach(f Facts, judge func(w Workspace, about string) Finding) []Finding {
	var all []Finding
	for _, w := range f.Workspaces {
		all = append(all, judge(w, workspaceNamed(w.Name)))
	}
	return all
}

// aboutTheKey tells whether an error says something of the admin key, and not of
// Instantly or the way there.
func aboutTheKey(err error) bool {
	return errors.Is(err, instantly.ErrUnauthorized) || errors.Is(err, instantly.ErrScope) || errors.Is(err, instantly.ErrForbidden)
}

// instantlyAnswers goes by the answer that everything else needs: the key list.
func instantlyAnswers(f Facts) []Finding {
	return ofEach(f, func(w Workspace, about string) Finding {
		if aboutTheKey(w.Listed) {
			return good(about, "")
		}
		return judged(about, "", w.Listed)
	})
}

func adminKey(f Facts) []Finding {
	return ofEach(f, func(w Workspace, about string) Finding {
		switch {
		case w.Opened != nil:
			return judged(about, "", timelyOpened(w.Opened))
		case errors.Is(w.Listed, instantly.ErrUnauthorized):
			return bad(about, w.Listed.Error(), f.whereKeysAreMade(w))
		case errors.Is(w.Listed, instantly.ErrScope):
			return bad(about, w.Listed.Error(), f.newAdminKey(w))
		case aboutTheKey(w.Listed):
			return judged(about, "", w.Listed)
		case w.Listed != nil:
			return follows(about)
		default:
			return good(about, "")
		}
	})
}

// ability judges one of the things that the admin key must be able to do.
func ability(f Facts, asked func(Workspace) error) []Finding {
	return ofEach(f, func(w Workspace, about string) Finding {
		err := asked(w)
		if err != nil && w.Listed != nil && !errors.Is(err, instantly.ErrScope) {
			return follows(about)
		}
		if errors.Is(err, instantly.ErrScope) {
			return bad(about, err.Error(), f.newAdminKey(w))
		}
		return judged(about, "", err)
	})
}

func mayCreate(f Facts) []Finding { return ability(f, func(w Workspace) error { return w.MayCreate }) }

func mayDelete(f Facts) []Finding { return ability(f, func(w Workspace) error { return w.MayDelete }) }

// adminScopes judges what the API attests. What it does not attest is no fault.
func adminScopes(f Facts) []Finding {
	return ofEach(f, func(w Workspace, about string) Finding {
		switch {
		case w.Scoped != nil && w.Listed != nil:
			return follows(about)
		case w.Scoped != nil:
			return hidden(about, w.Scoped.Error(), "")
		case !w.Attested:
			return advice(about, "the admin key may read what has nothing to do with keys, all of it as it seems", f.whereKeysAreMade(w))
		}
		if more := unneeded(w.Scopes, f.Config.HasWebhooks(w.Name)); len(more) > 0 {
			return advice(about, "the admin key may do more than it must: "+strings.Join(more, ", "), f.whereKeysAreMade(w))
		}
		return good(about, "its scopes: "+strings.Join(w.Scopes, ", "))
	})
}

// unneeded are the scopes with which a key does harm that an admin key does not need.
func unneeded(scopes []string, webhooks bool) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(s string) bool {
		return strings.HasPrefix(s, "api_keys:") || webhooks && strings.HasPrefix(s, "webhook") || instantly.RiskOf([]string{s}) == instantly.Low
	})
}

// webhookScopes judges whether the admin key may do what secrets of webhooks need. What the
// API does not attest is judged by their rotation.
func webhookScopes(f Facts) (all []Finding) {
	for _, w := range f.Workspaces {
		lacks := slices.DeleteFunc(scopesForWebhooks(), func(s string) bool { return instantly.Covers(w.Scopes, s) })
		switch about := workspaceNamed(w.Name); {
		case !f.Config.HasWebhooks(w.Name):
		case w.Scoped != nil && w.Listed != nil:
			all = append(all, follows(about))
		case w.Scoped != nil:
			all = append(all, hidden(about, w.Scoped.Error(), ""))
		case w.Attested && len(lacks) > 0:
			all = append(all, bad(about, "the secrets of its webhooks cannot be rotated: the admin key lacks "+strings.Join(lacks, ", "),
				f.newAdminKey(w)))
		default:
			all = append(all, good(about, ""))
		}
	}
	return all
}

func adminKeyKept(f Facts) []Finding {
	return ofEach(f, func(w Workspace, about string) Finding {
		switch {
		case w.AdminTarget != "":
			return good(about, "")
		case w.AdminKey.Store != "":
			return advice(about, "nobody rotates the admin key",
				"write rotate: {} beside its place: admin_key: {store: "+w.AdminKey.Store+", secret: "+w.AdminKey.Secret+", rotate: {}}")
		}
		where := "a file"
		if w.AdminKey.Env != "" {
			where = "an environment variable"
		}
		return advice(about, "the admin key is in "+where+": nobody rotates it",
			"keep it in a store, and rotate it: admin_key: {store: NAME, secret: NAME, rotate: {}}")
	})
}

func organization(f Facts) []Finding {
	return ofEach(f, func(w Workspace, about string) Finding {
		found := w.organizations()
		switch {
		case w.OrganizationID != "" && len(found) == 1 && found[0] == w.OrganizationID:
			return good(about, "")
		case w.OrganizationID != "" && len(found) > 0:
			return bad(about, fmt.Sprintf("organization_id is %s, but the admin key belongs to %s", w.OrganizationID, strings.Join(found, " and ")),
				"nothing is touched as long as they differ; check admin_key, as_workspace and organization_id")
		case w.Organized != nil && (w.Listed != nil || errors.Is(w.Organized, ErrNotAsked)):
			return follows(about)
		case len(found) == 0:
			return hidden(about, "the API does not tell which organization it is", f.newAdminKey(w))
		default:
			return advice(about, "its organization is not pinned: a key of another one would be used as well", "write organization_id: "+found[0]+" below "+w.Name)
		}
	})
}

// organizations are those that the key list and the workspace name, each once.
func (w Workspace) organizations() []string {
	found := []string{w.Organization}
	for _, k := range w.Keys {
		found = append(found, k.Organization)
	}
	slices.Sort(found)
	return slices.DeleteFunc(slices.Compact(found), func(id string) bool { return id == "" })
}

// rateLimit judges what the headers of the answers tell, which they need not.
func rateLimit(f Facts) []Finding {
	var all []Finding
	for _, w := range f.Workspaces {
		about, r := workspaceNamed(w.Name), w.Rate
		const tenth = 10
		switch {
		case !r.Known:
		case r.Remaining < r.Limit/tenth:
			all = append(all, advice(about, fmt.Sprintf("%d of %d calls are left: other programs use up the workspace's budget", r.Remaining, r.Limit),
				"lower requests_per_second below "+w.Name+", or slow the others down"))
		default:
			all = append(all, good(about, fmt.Sprintf("%d of %d calls are left", r.Remaining, r.Limit)))
		}
	}
	return all
}

// timelyOpened: a store with an admin key that did not answer says nothing of the key.
func timelyOpened(err error) error {
	if isLate(err) {
		return fmt.Errorf("%w: %w", ErrNotAnswered, err)
	}
	return err
}

// probeKeys finds what a probe has left that was killed.
func probeKeys(f Facts) []Finding {
	return ofEach(f, func(w Workspace, about string) Finding {
		if w.Listed != nil {
			return follows(about)
		}
		cutOff, young := leftOver(w.Keys, w.Owner, f.Now)
		if n := len(cutOff); n > 0 {
			return bad(about, humantime.Count(n, "key")+" of a probe that was cut off, still alive", remedy.Program+" doctor --probe --workspace "+w.Name+": it revokes them before it begins; or delete them in Instantly, nobody uses them")
		}
		if n := len(young); n > 0 {
			return advice(about, humantime.Count(n, "key")+" of a probe that may still be running: "+strings.Join(probesOf(young, w.Owner), ", "),
				"let it end; what it leaves, "+remedy.Program+" doctor --probe --workspace "+w.Name+" revokes when it is "+humantime.Span(mayRun)+" old")
		}
		return good(about, "")
	})
}
