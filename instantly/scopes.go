package instantly

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Scope is a permission of a key: an action on a resource. "all" stands for any
// in either place.
type Scope struct{ Resource, Action string }

// String gives the form that the API uses.
func (s Scope) String() string { return s.Resource + ":" + s.Action }

// covers tells whether a key with s may do what w names: the vendor's OpenAPI
// file lists resource:action, resource:all, all:action and all:all for each call.
func (s Scope) covers(w Scope) bool {
	return (s.Resource == w.Resource || s.Resource == "all") && (s.Action == w.Action || s.Action == "all")
}

// ParseScope reads "resource:action". Both are lower-case letters, digits, "_"
// and "-", and begin with a letter, as all of the vendor's do. It does not ask
// whether the vendor knows the scope: see [CheckScopes].
func ParseScope(s string) (Scope, error) {
	resource, action, found := strings.Cut(s, ":")
	if !found || !isScopeWord(resource) || !isScopeWord(action) {
		return Scope{}, fmt.Errorf("scope %q: not of the form resource:action in lower case", s)
	}
	return Scope{Resource: resource, Action: action}, nil
}

func isScopeWord(w string) bool {
	if w == "" || w[0] < 'a' || w[0] > 'z' {
		return false
	}
	return strings.Trim(w, "abcdefghijklmnopqrstuvwxyz0123456789_-") == "" // nothing but these
}

// KnownScopes lists the scopes that a key can be created with according to the
// vendor's OpenAPI file (August 2026, 178 of them), in its order. The vendor
// adds some now and then, has removed some, and documents calls that need
// scopes which are not on the list: so others are not wrong.
func KnownScopes() []string {
	var scopes []string
	for _, resource := range resources() {
		for _, action := range actions() {
			if s := (Scope{Resource: resource, Action: action}); s.isListed() {
				scopes = append(scopes, s.String())
			}
		}
	}
	return scopes
}

// isListed tells whether the scope is on the vendor's list.
func (s Scope) isListed() bool {
	if s.Resource == "email_verifications" && (s.Action == "update" || s.Action == "delete") {
		return false
	}
	return slices.Contains(actions(), s.Action) && slices.Contains(resources(), s.Resource)
}

func actions() []string { return []string{"all", "create", "read", "update", "delete"} }

func resources() []string {
	return []string{
		"all", "ai_agents", "api_keys", "audit_logs", "custom_prompt_templates",
		"account_campaign_mappings", "campaigns", "inbox_placement_tests",
		"inbox_placement_analytics", "inbox_placement_reports", "lead_lists", "leads",
		"background-jobs", "custom_tags", "custom_tag_mappings", "crm_actions", "accounts",
		"block_list_entries", "lead-labels", "email_verifications", "emails",
		"email_templates", "workspaces", "workspace_billing", "workspace_group_members",
		"workspace_members", "subsequences", "ai_sdr", "ai_sdr_replies",
		"ai_inbox_manager_analytics", "sales_flows", "webhooks", "webhook_events",
		"security_tokens", "dfy_email_account_orders", "auth",
	}
}

// Covers tells whether a key with the granted scopes may do what wanted names:
// it is granted by name or by a wildcard. Single actions never add up to
// "resource:all", since the vendor may add actions.
func Covers(granted []string, wanted string) bool {
	w, err := ParseScope(wanted)
	if err != nil {
		return slices.Contains(granted, wanted)
	}
	return slices.ContainsFunc(granted, func(g string) bool {
		s, err := ParseScope(g)
		return err == nil && s.covers(w)
	})
}

// CoversAll tells whether granted covers every one of wanted.
func CoversAll(granted, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool { return !Covers(granted, w) })
}

// CheckScopes checks the scopes wanted for a key. The error names every one
// that is not of the form resource:action. The warnings name those that the
// vendor's list lacks, with the nearest that it has, and those named twice:
// they are passed on to the API as they are.
func CheckScopes(scopes []string) (warnings []string, err error) {
	var wrong []error
	for i, s := range scopes {
		scope, err := ParseScope(s)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if slices.Contains(scopes[:i], s) {
			warnings = append(warnings, fmt.Sprintf("scope %q is named twice", s))
			continue
		}
		if !scope.isListed() {
			warnings = append(warnings, unknownScope(s))
		}
	}
	return warnings, errors.Join(wrong...)
}

func unknownScope(s string) string {
	text := fmt.Sprintf("scope %q is not in the vendor's list of scopes", s)
	if nearest, ok := NearestScope(s); ok {
		text += fmt.Sprintf("; did you mean %q?", nearest)
	}
	return text
}
