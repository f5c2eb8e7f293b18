package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

const apiPrefix = "/api/v2/"

// Route is an operation of the API that the sandbox answers.
type Route struct {
	Method string
	// Pattern of the path; a segment in braces stands for any one segment.
	Pattern string
	// Scopes of which any one opens the route. The first one is what a refusal
	// calls required.
	Scopes []string
	answer func(*Server, *call) reply
}

func read(path, resource string, answer func(*Server, *call) reply) Route {
	return Route{http.MethodGet, apiPrefix + path, accepted(resource, "read"), answer}
}

// Routes lists all operations that the sandbox answers. Everything else is a
// 404, as an unknown route is at the vendor's.
func Routes() []Route {
	keys := apiPrefix + "api-keys"
	routes := []Route{
		{http.MethodPost, keys, accepted("api_keys", "create"), createKey},
		{http.MethodGet, keys, accepted("api_keys", "read"), listKeys},
		{http.MethodDelete, keys + "/{id}", accepted("api_keys", "delete"), deleteKey},
		read("audit-logs", "audit_logs", listAudit),
		read("workspaces/current", "workspaces", showWorkspace),
		read("workspace-group-members", "workspace_group_members", listGroup),
		read("workspace-billing/plan-details", "workspace_billing", showPlan),
		read("webhook-events", "webhook_events", listEvents),
		read("emails/unread/count", "emails", constant(map[string]any{"count": 0})),
		read("crm-actions/phone-numbers", "crm_actions", constant([]string{})),
		{http.MethodPost, apiPrefix + "leads/list", accepted("leads", "read"), listLeads},
	}
	return slices.Concat(routes, memberRoutes(), webhookRoutes(), blockRoutes(), emptyLists(), lookups())
}

// emptyLists are the lists of things that the sandbox has none of.
func emptyLists() []Route {
	return []Route{
		read("accounts", "accounts", emptyList),
		read("ai-agents", "ai_agents", emptyList),
		read("background-jobs", "background-jobs", emptyList),
		read("campaigns", "campaigns", emptyList),
		read("custom-tag-mappings", "custom_tag_mappings", emptyList),
		read("custom-tags", "custom_tags", emptyList),
		read("dfy-email-account-orders", "dfy_email_account_orders", emptyList),
		read("inbox-placement-tests", "inbox_placement_tests", emptyList),
		read("lead-labels", "lead-labels", emptyList),
		read("lead-lists", "lead_lists", emptyList),
		read("subsequences", "subsequences", emptyList),
	}
}

// lookups are reads of one thing by its id; the sandbox has none, so that they
// only tell whether a key has the scope.
func lookups() []Route {
	routes := []Route{
		read("account-campaign-mappings/{email}", "account_campaign_mappings", notFound),
		read("email-verification/{email}", "email_verifications", notFound),
		read("ai-agents/{id}/analytics", "ai_sdr", notFound),
		read("ai-agents/inbox-manager/{id}/replies", "ai_sdr_replies", notFound),
		read("ai-agents/inbox-manager/{id}/analytics/summary", "ai_inbox_manager_analytics", notFound),
		read("supersearch-enrichment/history/{id}", "supersearch_enrichments", notFound),
		read("inbox-placement-analytics", "inbox_placement_analytics", notFoundTest),
		read("inbox-placement-reports", "inbox_placement_reports", notFoundTest),
	}
	for _, r := range routes {
		if strings.Contains(r.Pattern, "/inbox-manager/") {
			r.Scopes[1] = "ai_agents:all" // in the place of <own>:all (OpenAPI file)
		}
	}
	return routes
}

// routeTable finds routes: those without a parameter at once, the few others
// by going through them.
type routeTable struct {
	fixed   map[string]*Route
	pattern []*Route
}

func newRouteTable(routes []Route) routeTable {
	t := routeTable{fixed: map[string]*Route{}}
	for i := range routes {
		r := &routes[i]
		if strings.Contains(r.Pattern, "{") {
			t.pattern = append(t.pattern, r)
			continue
		}
		t.fixed[r.Method+" "+r.Pattern] = r
	}
	return t
}

// find gives the route of a call and the path's parameter; nil if there is none.
func (t routeTable) find(method, path string) (route *Route, id string) {
	if r, ok := t.fixed[method+" "+path]; ok {
		return r, ""
	}
	for _, r := range t.pattern {
		if id, ok := match(r.Pattern, path); ok && r.Method == method {
			return r, id
		}
	}
	return nil, ""
}

// match compares a path with a pattern that has one parameter.
func match(pattern, path string) (parameter string, ok bool) {
	before, rest, _ := strings.Cut(pattern, "{")
	_, after, _ := strings.Cut(rest, "}")
	if len(path) <= len(before)+len(after) || !strings.HasPrefix(path, before) || !strings.HasSuffix(path, after) {
		return "", false
	}
	parameter = path[len(before) : len(path)-len(after)]
	return parameter, !strings.Contains(parameter, "/")
}
