package main

import (
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

// The list of keys has their values, audit_metadata may have anything, and errors repeat
// what the API says: none of it is for people to see.
func TestNoSecretIsToldOfALeaving(t *testing.T) {
	for name, faults := range map[string]sandbox.Faults{
		"values in the list": {ListKey: sandbox.KeyFull}, "no log": {AuditLog: sandbox.AuditRefused}, "repeated in an error": {},
	} {
		d := newLeaving(t)
		d.configure(leavers + "trail: {dir: ./trail}\n")
		canary := d.currentKeys()["adopted"]
		made := sandbox.AuditEntry{Activity: 37, UserName: "Ann@acme.example", Metadata: map[string]any{"id": d.keyOf("adopted"), "key": canary}}
		if err := d.api.PlantEntry(made); err != nil {
			t.Fatal(err)
		}
		d.api.SetFaults(faults)
		if name == "repeated in an error" {
			d.api.Inject(sandbox.Rule{Route: "/api/v2/workspace-members", Times: -1, Kind: sandbox.KindStatus, Status: 400, Body: `{"message": "no: ` + d.api.Workspaces()[0].AdminKey.Reveal() + `"}`})
		}
		var told strings.Builder
		for _, args := range [][]string{
			{"members"}, {"members", "-o", "json"}, {"offboard", ann, "--dry-run"}, {"offboard", ann, "--yes"}, {"offboard", ann, "--yes", "-o", "json", "--again"},
			{"members", "remove", "bob@acme.example", "--yes"}, {"trail", "show", "-n", "0", "-o", "json"},
		} {
			told.WriteString(d.any(append(args, "--log-level", "debug")...))
		}
		for _, k := range d.api.Keys(d.api.Workspaces()[0].ID) {
			value := k.Value.Reveal()
			for _, form := range []string{value, value[len(value)-8:]} {
				if strings.Contains(told.String(), form) {
					t.Errorf("%s: the value of key %s is told", name, k.Name)
				}
			}
		}
		if !strings.Contains(told.String(), "api call") {
			t.Errorf("%s: the test does not search what it should", name)
		}
	}
}

// any runs a command however it ends.
func (d *workspaceFixture) any(args ...string) string {
	d.Helper()
	_, stdout, stderr := d.carryOut(args...)
	return stdout + stderr
}
