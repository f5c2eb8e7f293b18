package sandbox

import "slices"

// accepted lists the scopes that open an operation: the exact one, all actions
// of the resource, the action on all resources, and everything. The OpenAPI
// file lists these four at nearly every operation.
func accepted(resource, action string) []string {
	return []string{resource + ":" + action, resource + ":all", "all:" + action, "all:all"}
}

// grants tells whether any of the scopes held is among those accepted.
func grants(held, accepted []string) bool {
	return slices.ContainsFunc(held, func(s string) bool { return slices.Contains(accepted, s) })
}

// publishedScopes is the enum that the OpenAPI file gives for the scopes of a
// new key: 36 resources with five actions each, but for email_verifications,
// which has three.
func publishedScopes() map[string]bool {
	scopes := map[string]bool{}
	for _, resource := range publishedResources() {
		for _, action := range []string{"all", "create", "read", "update", "delete"} {
			scopes[resource+":"+action] = true
		}
	}
	delete(scopes, "email_verifications:update")
	delete(scopes, "email_verifications:delete")
	return scopes
}

// publishedResources are the resources of that enum, hyphens as they are.
func publishedResources() []string {
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
