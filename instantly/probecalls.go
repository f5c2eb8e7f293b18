package instantly

import (
	"encoding/json"
	"slices"
	"strings"
)

// chooseProbe picks the test call for a key with those scopes.
func (c *Client) chooseProbe(scopes []string) probeCall {
	for _, p := range c.probes() {
		if Covers(scopes, p.scope) {
			return p
		}
	}
	return workspaceProbe()
}

// workspaceProbe is the vendor's own way to check a key. It says whether a key
// is alive even if the key may not make it.
func workspaceProbe() probeCall {
	return probeCall{scope: "workspaces:read", route: routeWorkspace, answers: objectWith("id")}
}

// probeCalls lists the test calls, the most telling and cheapest first (vendor's
// OpenAPI file). No call is documented for custom_prompt_templates,
// email_templates, sales_flows, security_tokens and auth. GET /emails is left
// out: it may be called 20 times a minute only; so is POST /email-verification:
// it costs credits.
func probeCalls() []probeCall {
	calls := []probeCall{workspaceProbe()}
	calls = append(calls, listProbes()...)
	calls = append(calls, probeCall{scope: "leads:read", route: "/leads/list", body: `{"limit":1}`, answers: isPage})
	return append(calls, idProbes()...)
}

func listProbes() []probeCall {
	list := func(scope, route string) probeCall {
		return probeCall{scope: scope, route: route, limit: true, answers: isPage}
	}
	whole := func(scope, route string, answers func([]byte) bool) probeCall {
		return probeCall{scope: scope, route: route, answers: answers}
	}
	return []probeCall{
		list("campaigns:read", "/campaigns"),
		list("accounts:read", "/accounts"),
		list("lead_lists:read", "/lead-lists"),
		list("lead-labels:read", "/lead-labels"),
		whole("emails:read", "/emails/unread/count", objectWith("count")),
		list("subsequences:read", "/subsequences"),
		list("custom_tags:read", "/custom-tags"),
		list("custom_tag_mappings:read", "/custom-tag-mappings"),
		list("block_list_entries:read", "/block-lists-entries"),
		list("background-jobs:read", "/background-jobs"),
		list("audit_logs:read", "/audit-logs"),
		list("workspace_members:read", "/workspace-members"),
		list("workspace_group_members:read", "/workspace-group-members"),
		whole("workspace_billing:read", "/workspace-billing/plan-details",
			objectWith("organization_id", "organization_name", "subscriptions", "addons")),
		whole("crm_actions:read", "/crm-actions/phone-numbers", isArray),
		list("inbox_placement_tests:read", "/inbox-placement-tests"),
		list("dfy_email_account_orders:read", "/dfy-email-account-orders"),
		list("webhook_events:read", "/webhook-events"),
		list("webhooks:read", "/webhooks"), // its scope is not documented
		// Documented since August 2026 only, and not what it answers.
		{scope: "ai_agents:read", route: "/ai-agents", limit: true},
		list("api_keys:read", "/api-keys"), // the answer may hold secrets
	}
}

// isPage tells whether a body is a page of a list: all of the vendor's lists
// answer with an object that has items.
func isPage(body []byte) bool {
	var p page[json.RawMessage]
	return json.Unmarshal(body, &p) == nil && p.Items != nil
}

// isArray tells whether a body is an array.
func isArray(body []byte) bool {
	var items *[]json.RawMessage
	return json.Unmarshal(body, &items) == nil && items != nil
}

// objectWith tells of a body whether it is an object that has one of the fields.
func objectWith(fields ...string) func(body []byte) bool {
	return func(body []byte) bool {
		var object map[string]any
		return json.Unmarshal(body, &object) == nil &&
			slices.ContainsFunc(fields, func(f string) bool { return object[f] != nil })
	}
}

// idProbes ask for things that do not exist, for resources without a list.
func idProbes() []probeCall {
	byID := func(scope, route string) probeCall {
		return probeCall{scope: scope, route: route, value: randomUUID}
	}
	byTest := func(scope, route string) probeCall {
		return probeCall{scope: scope, route: route, value: randomUUID, parameter: "test_id", limit: true}
	}
	byEmail := func(scope, route string) probeCall {
		return probeCall{scope: scope, route: route, value: randomAddress}
	}
	return []probeCall{
		byTest("inbox_placement_analytics:read", "/inbox-placement-analytics"),
		byTest("inbox_placement_reports:read", "/inbox-placement-reports"),
		byEmail("account_campaign_mappings:read", "/account-campaign-mappings/"+placeholder),
		byEmail("email_verifications:read", "/email-verification/"+placeholder),
		byID("ai_sdr:read", "/ai-agents/"+placeholder+"/analytics"),
		byID("ai_sdr_replies:read", "/ai-agents/inbox-manager/"+placeholder+"/replies"),
		byID("ai_inbox_manager_analytics:read", "/ai-agents/inbox-manager/"+placeholder+"/analytics/summary"),
		// Not in the vendor's list of scopes, but what its documents ask for.
		byID("supersearch_enrichments:read", "/supersearch-enrichment/history/"+placeholder),
	}
}

// randomAddress is nobody's e-mail address: ".invalid" never is (RFC 6761).
func randomAddress() string {
	return strings.ReplaceAll(randomUUID(), "-", "") + "@example.invalid"
}
