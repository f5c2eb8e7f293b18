package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// askAdminKey finds where the admin key is.
func (s *Survey) askAdminKey(ctx context.Context) error {
	s.Person.tell(`Where is the admin key, which issues and revokes the others? Never the key itself:
  env:NAME      an environment variable
  file:PATH     a file that holds nothing but the key
  store:SECRET  a secret in the store above
`)
	return s.put(ctx, question{
		flag: "--admin-key", given: s.Given.AdminKey, text: "Admin key", proposed: "env:INSTANTLY_ADMIN_KEY",
		set: func(text string) error {
			next := s.answers
			place, name, _ := strings.Cut(text, ":")
			switch {
			case name == "":
				place = ""
			case place == "env":
				next.Workspace.AdminKey = config.SecretRef{Env: name}
			case place == "file":
				next.Workspace.AdminKey = config.SecretRef{File: name}
			case place == "store":
				next.Workspace.AdminKey = config.SecretRef{Store: next.Store.Name(), Secret: name}
			default:
				place = ""
			}
			if place == "" { // what was typed may be the key: it is not repeated
				return errors.New("want env:NAME, file:PATH or store:SECRET, never the key itself")
			}
			return s.try(next, "workspaces")
		},
	})
}

// askRotation asks whether the admin key is to be kept fresh too, where it can be.
func (s *Survey) askRotation(ctx context.Context) error {
	inStore := s.answers.Workspace.AdminKey.Store != ""
	switch {
	case s.Given.RotateAdminKey && !inStore:
		return &FlagError{"--rotate-admin-key", errors.New("only an admin key in the store can be: --admin-key store:SECRET")}
	case s.Given.RotateAdminKey:
		s.answers.Workspace.RotateAdminKey = true
		return nil
	case !inStore || s.Person == nil:
		return nil
	}
	return s.put(ctx, question{text: "Keep the admin key fresh too", proposed: no, set: func(text string) (err error) {
		s.answers.Workspace.RotateAdminKey, err = yesOrNo(text)
		return err
	}})
}

// askSubWorkspace lets an agency choose in which of its workspaces to act.
func (s *Survey) askSubWorkspace(ctx context.Context) error {
	s.answers.Workspace.Subs = describeSubs(s.account.Subs)
	if s.Given.AsWorkspace == "" && (s.Person == nil || len(s.account.Subs) == 0) {
		return nil
	}
	for i, sub := range s.account.Subs {
		s.Person.tell(fmt.Sprintf("  sub workspace %d  %s  %s\n", i+1, comment(sub.ID), comment(sub.Name)))
	}
	err := s.put(ctx, question{
		flag: "--as-workspace", given: s.Given.AsWorkspace, text: "Number or id of the sub workspace to act in, - for none", proposed: nothing,
		set: func(text string) error {
			next := s.answers
			if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(s.account.Subs) {
				text = s.account.Subs[n-1].ID
			}
			if text != nothing || s.Given.AsWorkspace != "" {
				next.Workspace.AsWorkspace, next.Workspace.Subs = text, nil
			}
			return s.try(next, "workspaces")
		},
	})
	if err != nil {
		return err
	}
	if s.answers.Workspace.AsWorkspace == "" {
		return nil
	}
	if s.account, err = s.explore(ctx); err != nil {
		s.Person.tell("  (the sub workspace could not be read: " + comment(tried(err)) + ")\n")
	}
	return nil
}

func describeSubs(subs []instantly.SubWorkspace) []string {
	var out []string
	for _, sub := range subs {
		out = append(out, strings.TrimSpace(sub.ID+"  "+sub.Name))
	}
	return out
}

// askOrganization pins what was found, unless another one is given.
func (s *Survey) askOrganization(ctx context.Context) error {
	s.Person.tell(s.account.introduction(s.Now))
	if s.Given.Organization == "" {
		s.answers.Workspace.OrganizationID, s.answers.Workspace.About = s.account.Organization, s.account.About()
		return s.answers.problem(s.File, "workspaces")
	}
	return s.put(ctx, question{
		flag: "--organization", given: s.Given.Organization,
		set: func(text string) error {
			if found := s.account.Organization; found != "" && found != text {
				return fmt.Errorf("the admin key is of organization %s", comment(found))
			}
			next := s.answers
			next.Workspace.OrganizationID, next.Workspace.About = text, s.account.About()
			return s.try(next, "workspaces")
		},
	})
}

// askWorkspace finds the workspace's name in the configuration.
func (s *Survey) askWorkspace(ctx context.Context) error {
	proposed := cmp.Or(nameFrom(s.account.Name), "main")
	return s.put(ctx, question{
		flag: "--workspace", given: s.Given.Workspace, text: "Name of the workspace in the configuration", proposed: proposed, otherwise: proposed,
		set: func(name string) error {
			next := s.answers
			next.Workspace.Name = name
			return s.try(next, "workspaces")
		},
	})
}

// mostShown is how many keys one reads.
const mostShown = 30

// introduction says what was found.
func (a Account) introduction(now clock) string {
	if a.Organization == "" && len(a.Keys) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, organization %s, with %s:\n", comment(cmp.Or(a.About(), "A workspace")), comment(cmp.Or(a.Organization, "not known")), humantime.Count(len(a.Keys), "key"))
	for i, k := range a.Keys[:min(len(a.Keys), mostShown)] {
		age := "-"
		if !k.Created.IsZero() {
			age = humantime.Span(now().Sub(k.Created))
		}
		fmt.Fprintf(&b, "  %2d  %-24s  age %-7s risk %-8s  %s\n", i+1, comment(k.Name), age, instantly.RiskOf(k.Scopes), comment(strings.Join(k.Scopes, ", ")))
	}
	if more := len(a.Keys) - mostShown; more > 0 {
		fmt.Fprintf(&b, "  … and %d more\n", more)
	}
	return b.String()
}
