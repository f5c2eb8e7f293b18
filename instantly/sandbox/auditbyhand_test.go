package sandbox_test

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

func TestPlantedEntriesAreInOrderOfTime(t *testing.T) {
	now := time.Date(2026, 8, 5, 0, 0, 0, 0, time.UTC)
	o := sandbox.Options{
		Now:       func() time.Time { return now },
		StateFile: filepath.Join(t.TempDir(), "state.json"), Workspaces: []sandbox.Workspace{acme()},
	}
	srv, admin := reopen(t, o)
	admin.create("worker")
	for day, activity := range map[int]int{1: 1, 3: 34, 7: 29} {
		if err := srv.PlantEntry(sandbox.AuditEntry{Activity: activity, At: time.Date(2026, 8, day, 0, 0, 0, 0, time.UTC)}); err != nil {
			t.Fatal(err)
		}
	}
	_, admin = reopen(t, o)
	if d := cmp.Diff([]int{29, 37, 34, 1}, activities(auditOf(t, admin, ""))); d != "" {
		t.Error(d)
	}
	var got []int
	for after := ""; ; {
		page := auditOf(t, admin, "?limit=1&starting_after="+after)
		got = append(got, activities(page)...)
		if after = page.Next; after == "" {
			break
		}
	}
	if d := cmp.Diff([]int{29, 37, 34, 1}, got); d != "" {
		t.Error("page by page:", d)
	}
	if d := cmp.Diff([]int{34}, activities(auditOf(t, admin, "?search=EXPORTED"))); d != "" {
		t.Error(d)
	}
}

func TestEntriesArePlantedOverHTTP(t *testing.T) {
	_, c := inProcess(t, sandbox.Options{})
	wantStatus(t, c.send(http.MethodPost, "/_sandbox/audit", `{"activity_type":1,"user_name":"owner@acme.example","ip_address":"192.0.2.9"}`), http.StatusNoContent)
	wantStatus(t, c.send(http.MethodPost, "/_sandbox/audit", `{"activity_type":1,"workspace_id":"nowhere"}`), http.StatusNotFound)
	wantStatus(t, c.send(http.MethodPost, "/_sandbox/audit", `{"activity":1}`), http.StatusBadRequest)
	if page := auditOf(t, c, ""); len(page.Items) != 1 || page.Items[0].IPAddress != "192.0.2.9" || page.Items[0].FromAPI {
		t.Errorf("got %+v", page.Items)
	}
}

func TestAPlanMayHaveNoAuditLog(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{})
	admin.create("worker")
	srv.SetFaults(sandbox.Faults{AuditLog: sandbox.AuditRefused})
	wantError(t, admin.get(auditPath), http.StatusPaymentRequired, "Your plan does not include audit logs")
	srv.SetFaults(sandbox.Faults{AuditLog: sandbox.AuditEmpty})
	if page := auditOf(t, admin, ""); len(page.Items) != 0 {
		t.Errorf("got %+v", page.Items)
	}
	srv.SetFaults(sandbox.Faults{})
	if page := auditOf(t, admin, ""); len(page.Items) != 1 {
		t.Errorf("got %+v", page.Items)
	}
	if (sandbox.Faults{AuditLog: "half"}).Check() == nil {
		t.Error("half a log is accepted")
	}
}

func TestTheBlockListSurvivesARestart(t *testing.T) {
	o := sandbox.Options{StateFile: filepath.Join(t.TempDir(), "state.json"), Workspaces: []sandbox.Workspace{acme()}}
	srv, admin := reopen(t, o)
	if err := srv.Block(sandbox.DefaultWorkspaceID, "x.example", "a@y.example"); err != nil {
		t.Fatal(err)
	}
	const path = "/api/v2/block-lists-entries"
	wantStatus(t, admin.send(http.MethodPost, path, `{"bl_value":"z.example"}`), http.StatusOK)
	wantStatus(t, admin.send(http.MethodPost, path, `{"bl_value":"x.example"}`), http.StatusOK)
	wantStatus(t, admin.send(http.MethodPost, path, `{"bl_value":7}`), http.StatusBadRequest)
	_, admin = reopen(t, o)
	type entry struct {
		Value string `json:"bl_value"`
	}
	for query, want := range map[string][]string{
		"": {"x.example", "a@y.example", "z.example"}, "?domains_only=true": {"x.example", "z.example"}, "?search=Y.": {"a@y.example"},
	} {
		page := decode[listPage[entry]](t, admin.get(path+query))
		if d := cmp.Diff(want, names(page.Items, func(e entry) string { return e.Value })); d != "" {
			t.Error(query, d)
		}
	}
}
