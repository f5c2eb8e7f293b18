package githubsecret

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// For says who reads a secret.
type For string

// Actions are workflows, Dependabot its updates, Codespaces development environments.
const (
	Actions    For = "actions"
	Dependabot For = "dependabot"
	Codespaces For = "codespaces"
)

// Place is one secret, as the configuration has it:
//
//	OWNER/REPOSITORY/NAME                 of a repository
//	OWNER/REPOSITORY/ENVIRONMENT/NAME     of one of its environments
//	ORGANIZATION/NAME                     of an organization
type Place struct {
	Owner, Repository, Environment, Name string
}

// nameWant says what a secret's name must look like.
const nameWant = "the name of a secret has capital letters, digits and _, no digit first, and does not begin with GITHUB_"

// ParsePlace reads a place; what says what is wrong with it.
func ParsePlace(text string) (p Place, what string) {
	parts := strings.Split(text, "/")
	const want = "want ORGANIZATION/NAME, OWNER/REPOSITORY/NAME or OWNER/REPOSITORY/ENVIRONMENT/NAME"
	switch len(parts) {
	case 2:
		p = Place{Owner: parts[0], Name: parts[1]}
	case 3:
		p = Place{Owner: parts[0], Repository: parts[1], Name: parts[2]}
	case 4:
		p = Place{Owner: parts[0], Repository: parts[1], Environment: parts[2], Name: parts[3]}
	default:
		return p, want
	}
	switch {
	case !storekind.Pattern(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`).MatchString(p.Owner),
		len(parts) > 2 && (!storekind.Pattern(`^[A-Za-z0-9._-]{1,100}$`).MatchString(p.Repository) || strings.Trim(p.Repository, ".") == ""),
		len(parts) > 3 && !storekind.Pattern(`^[^/\s\\][^/\\\n]{0,254}$`).MatchString(p.Environment):
		return p, want
	case !storekind.Pattern(`^[A-Z_][A-Z0-9_]{0,127}$`).MatchString(p.Name), strings.HasPrefix(p.Name, "GITHUB_"):
		return p, nameWant // GitHub's names have no case: one secret is written one way
	}
	return p, ""
}

// String gives it as the configuration has it.
func (p Place) String() string {
	parts := []string{p.Owner, p.Repository, p.Environment, p.Name}
	var there []string
	for _, part := range parts {
		if part != "" {
			there = append(there, part)
		}
	}
	return strings.Join(there, "/")
}

// secrets is the path under which the place's secrets are.
func (p Place) secrets(of For) string {
	switch {
	case p.Repository == "":
		return fmt.Sprintf("/orgs/%s/%s/secrets", p.Owner, of)
	case p.Environment != "":
		return fmt.Sprintf("/repos/%s/%s/environments/%s/secrets", p.Owner, p.Repository, url.PathEscape(p.Environment))
	default:
		return fmt.Sprintf("/repos/%s/%s/%s/secrets", p.Owner, p.Repository, of)
	}
}

// variables is the path under which variables beside them are: only workflows have any.
func (p Place) variables() string {
	switch {
	case p.Repository == "":
		return fmt.Sprintf("/orgs/%s/actions/variables", p.Owner)
	case p.Environment != "":
		return fmt.Sprintf("/repos/%s/%s/environments/%s/variables", p.Owner, p.Repository, url.PathEscape(p.Environment))
	default:
		return fmt.Sprintf("/repos/%s/%s/actions/variables", p.Owner, p.Repository)
	}
}

// markName is the variable that tells which key a secret is.
func (p Place) markName() string { return p.Name + "_KEY_ID" }
