package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

const auditPath = "/api/v2/audit-logs"

type auditEntry struct {
	ID           string    `json:"id"`
	Timestamp    time.Time `json:"timestamp"`
	ActivityType int       `json:"activity_type"`
	IPAddress    string    `json:"ip_address"`
	UserAgent    string    `json:"user_agent"`
	FromAPI      bool      `json:"from_api"`
	APIKeyID     *string   `json:"api_key_id"`
	UserName     *string   `json:"user_name"`
}

func auditOf(t *testing.T, c client, query string) listPage[auditEntry] {
	t.Helper()
	a := c.get(auditPath + query)
	wantStatus(t, a, http.StatusOK)
	return decode[listPage[auditEntry]](t, a)
}

func activities(page listPage[auditEntry]) []int {
	got := []int{}
	for _, e := range page.Items {
		got = append(got, e.ActivityType)
	}
	return got
}

func TestAuditNamesTheKeyThatActed(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{})
	adminID := srv.Keys(sandbox.DefaultWorkspaceID)[0].ID
	admin.del(admin.create("worker").ID)
	page := auditOf(t, admin, "")
	if d := cmp.Diff([]int{38, 37}, activities(page)); d != "" {
		t.Fatal(d)
	}
	for _, e := range page.Items {
		if e.APIKeyID == nil || *e.APIKeyID != adminID || !e.FromAPI || e.IPAddress != "127.0.0.1" || e.UserAgent != "sandbox-test/1.0" {
			t.Errorf("got %+v", e)
		}
	}
}

func TestAuditTellsWhatWasDoneByHand(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{})
	k, err := srv.AddKey(sandbox.DefaultWorkspaceID, "by hand", "all:read")
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.DeleteKey(k.ID); err != nil {
		t.Fatal(err)
	}
	page := auditOf(t, admin, "")
	if d := cmp.Diff([]int{38, 37}, activities(page)); d != "" {
		t.Fatal(d)
	}
	for _, e := range page.Items {
		if e.APIKeyID != nil || e.FromAPI || e.UserName == nil || *e.UserName != "owner@acme.example" {
			t.Errorf("got %+v", e)
		}
	}
}

func TestAuditLeavesOutWhatFailed(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	admin.post(`{}`)
	admin.del("nothing")
	admin.get(keysPath)
	if page := auditOf(t, admin, ""); len(page.Items) != 0 {
		t.Errorf("got %+v", page.Items)
	}
}

func TestAuditFilters(t *testing.T) {
	now := time.Date(2026, 8, 1, 23, 59, 59, 999e6, time.UTC)
	_, admin := inProcess(t, sandbox.Options{Now: func() time.Time { return now }})
	k := admin.create("worker") // on the first day
	now = now.Add(time.Millisecond)
	admin.del(k.ID) // on the second, at its start
	for query, want := range map[string][]int{
		"":                      {38, 37},
		"activity_type=37":      {37},
		"activity_type=1":       {},
		"start_date=2026-08-02": {38},
		"end_date=2026-08-01":   {37},
		"start_date=2026-08-01&end_date=2026-08-02": {38, 37},
		"start_date=2026-08-02T00:00:00.000Z":       {38},
		"start_date=2026-08-02T00:00:00.001Z":       {},
		"end_date=2026-08-02T00:00:00.000Z":         {38, 37},
		"end_date=2026-08-01T23:59:59.999Z":         {37},
		"search=DELETED":                            {38},
		"search=nobody":                             {},
	} {
		if d := cmp.Diff(want, activities(auditOf(t, admin, "?"+query))); d != "" {
			t.Errorf("%s: %s", query, d)
		}
	}
}

func TestAuditRefusesParametersItCannotRead(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	for query, message := range map[string]string{
		"limit=1001":          "querystring/limit must be <= 1000",
		"activity_type=login": "querystring/activity_type must be number",
		"start_date=today":    "querystring/start_date must be a date",
		"end_date=today":      "querystring/end_date must be a date",
	} {
		wantError(t, admin.get(auditPath+"?"+query), http.StatusBadRequest, message)
	}
	wantStatus(t, admin.get(auditPath+"?limit=1000"), http.StatusOK)
}

func TestAuditPagesGiveEveryMatchOnce(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	for range 5 {
		admin.del(admin.create("worker").ID)
	}
	seen := map[string]bool{}
	var sizes []int
	after := ""
	for {
		page := auditOf(t, admin, fmt.Sprintf("?activity_type=38&limit=2&starting_after=%s", url.QueryEscape(after)))
		for _, e := range page.Items {
			seen[e.ID] = true
		}
		sizes = append(sizes, len(page.Items))
		if after = page.Next; after == "" {
			break
		}
	}
	if d := cmp.Diff([]int{2, 2, 1}, sizes); d != "" || len(seen) != 5 {
		t.Errorf("%d entries, %s", len(seen), d)
	}
}
