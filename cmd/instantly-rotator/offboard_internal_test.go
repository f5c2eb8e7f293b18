package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

const leavers = `
workspaces: {main: {admin_key: {env: ADMIN_KEY}, base_url: $API, requests_per_second: 100}}
stores: {local: {kind: file, path: ./store}}
keys:
  - {name: sending, scopes: [campaigns:read], stores: [{store: local}], known_to: [ann@acme.example]}
  - {name: leads, scopes: [leads:read], stores: [{store: local}], known_to: [bob@acme.example, ann@acme.example]}
  - {name: apart, scopes: [leads:read], stores: [{store: local}], known_to: [bob@acme.example]}
  - {name: adopted, scopes: [leads:read], stores: [{store: local}]}
`

const ann = "ann@acme.example"

// newLeaving is a workspace with three people, of whom ann leaves. Her own keys are one
// that was adopted and one that nobody manages.
func newLeaving(t *testing.T) *workspaceFixture {
	people := []sandbox.Member{
		{Email: "owner@acme.example", Role: "owner"}, {Email: "Ann@acme.example", Role: "admin"}, {Email: "bob@acme.example", Role: "editor", Pending: true},
	}
	admin := []string{"api_keys:all", "workspaces:read", "audit_logs:read", "workspace_members:all", "webhooks:all", "webhook_events:read"}
	d := newWorkspaceFixture(t, sandbox.Options{Workspaces: []sandbox.Workspace{{Name: "Acme", AdminScopes: admin, Members: people}}}, leavers)
	d.run(exitSettled, "rotate")
	d.ahead += time.Hour
	return d
}

// members are the addresses of who is in the workspace.
func (d *workspaceFixture) members() (all []string) {
	for _, m := range d.api.Members(d.api.Workspaces()[0].ID) {
		all = append(all, m.Email)
	}
	return all
}

// currentKeys gives each target's value, as consumers read it.
func (d *workspaceFixture) currentKeys() map[string]string {
	values := map[string]string{}
	for _, target := range []string{"sending", "leads", "apart", "adopted"} {
		values[target] = strings.TrimSpace(d.stdout("get", target))
	}
	return values
}

// alive tells whether a value opens the API.
func (d *workspaceFixture) alive(value string) bool {
	d.Helper()
	r, err := http.NewRequestWithContext(d.Context(), http.MethodGet, d.web.URL+"/api/v2/workspaces/current", nil)
	if err != nil {
		d.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+value)
	r.Header.Set("User-Agent", "a-consumer")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		d.Fatal(err)
	}
	defer res.Body.Close()
	var said struct{ Message string }
	_ = json.NewDecoder(res.Body).Decode(&said)
	return res.StatusCode == http.StatusOK || strings.HasPrefix(said.Message, "Invalid scope")
}

func wantSaid(t *testing.T, said string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
}

func TestWhoIsInTheWorkspaceAndWhenTheyWereSeen(t *testing.T) {
	d := newLeaving(t)
	if err := d.api.PlantEntry(sandbox.AuditEntry{Activity: 1, UserName: "Ann@acme.example", At: d.now().Add(-3 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	said := d.run(exitSettled, "members")
	wantSaid(t, said, "EMAIL", "Ann@acme.example    admin", "3h ago", "bob@acme.example    editor", "no        not in 30d")
	d.api.SetFaults(sandbox.Faults{AuditLog: sandbox.AuditRefused})
	wantSaid(t, d.run(exitFailed, "members"), "not known", "when they were last seen is not known: ")
}

func TestMemberIsRemovedAfterAYes(t *testing.T) {
	d := newLeaving(t)
	wantSaid(t, d.run(exitUsage, "members", "remove", ann), "nobody was removed: --yes removes")
	wantSaid(t, d.run(exitSettled, "members", "remove", ann, "--yes"), "removed from workspace main (admin)", "instantly-rotator offboard ann@acme.example")
	if slices.Contains(d.members(), "Ann@acme.example") {
		t.Error("still there")
	}
	wantSaid(t, d.run(exitSettled, "members", "remove", ann, "--yes"), "is in none of the workspaces")
	wantSaid(t, d.run(exitFailed, "members", "remove", "owner@acme.example", "--yes"), "NOT removed from workspace main (owner)")
}

func TestWhoLeavesIsRemovedAndWhatTheyKnowReplaced(t *testing.T) {
	d := newLeaving(t)
	before := d.currentKeys()
	said := d.run(exitUsage, "offboard", ann)
	wantSaid(t, said, "sending: they could know it: known_to has them", "nothing was done: --yes does it")
	d.run(exitSettled, "offboard", ann, "--dry-run")
	if !slices.Contains(d.members(), "Ann@acme.example") || d.currentKeys()["sending"] != before["sending"] {
		t.Fatal("--dry-run did something")
	}
	said = d.run(exitSettled, "offboard", "ANN＠acme.example", "--yes")
	wantSaid(t, said, "ann@acme.example: removed from workspace main (admin), ", "sending: rotated:", "leads: rotated:", "is dead: refused ",
		"whether they know adopted, which they did not make, only known_to can say", `as incident "left: ann@acme.example"`,
		"the admin key of workspace main is not rotated, since it is in environment variable ADMIN_KEY", "ann@acme.example: done, from ")
	after := d.currentKeys()
	for target, changed := range map[string]bool{"sending": true, "leads": true, "apart": false, "adopted": false} {
		if (before[target] != after[target]) != changed || d.alive(before[target]) == changed || !d.alive(after[target]) {
			t.Errorf("%s: changed %t, old key alive %t, new key alive %t", target, before[target] != after[target], d.alive(before[target]), d.alive(after[target]))
		}
	}
	said = d.run(exitSettled, "offboard", ann, "--yes")
	wantSaid(t, said, "is not found in a workspace any more", "incident left: ann@acme.example was resolved")
	if again := d.currentKeys(); again["sending"] != after["sending"] || again["leads"] != after["leads"] {
		t.Error("the second time keys were replaced again")
	}
	if said := d.run(exitSettled, "offboard", ann, "--yes", "--again"); !strings.Contains(said, "sending: rotated:") {
		t.Errorf("--again: %s", said)
	}
}

func TestWhoLeavesSoftlyHarmsNoConsumer(t *testing.T) {
	d := newLeaving(t)
	before := d.currentKeys()
	said := d.run(exitSettled, "offboard", ann, "--graceful", "--yes")
	wantSaid(t, said, "sending: rotated:", "lives on until ", "ann@acme.example: done")
	after := d.currentKeys()
	if !d.alive(before["sending"]) || after["sending"] == before["sending"] {
		t.Error("the old key has no grace, or is still current")
	}
	d.run(exitSettled, "offboard", ann, "--graceful", "--yes")
	d.run(exitSettled, "status")
	d.ahead += 25 * time.Hour
	d.run(exitSettled, "rotate", "--due")
	if d.alive(before["sending"]) || d.currentKeys()["sending"] != after["sending"] {
		t.Error("after its grace period the old key lives, or was replaced twice")
	}
	wantSaid(t, d.run(exitSettled, "offboard", ann, "--graceful", "--yes"), "incident left: ann@acme.example was resolved")
}

func TestWhoCannotBeRemovedLosesTheKeysAllTheSame(t *testing.T) {
	d := newLeaving(t)
	d.configure(strings.ReplaceAll(leavers, "ann@", "owner@"))
	before := d.currentKeys()
	said := d.run(exitFailed, "offboard", "owner@acme.example", "--yes")
	wantSaid(t, said, "NOT removed from workspace main (owner)", "sending: rotated:", "owner@acme.example: NOT done")
	if d.alive(before["sending"]) {
		t.Error("the owner's key lives")
	}
}

func TestWithoutTheAuditLogALeavingIsNotDone(t *testing.T) {
	d := newLeaving(t)
	d.api.SetFaults(sandbox.Faults{AuditLog: sandbox.AuditEmpty})
	said := d.run(exitFailed, "offboard", ann, "--yes")
	wantSaid(t, said, "not whether they could know adopted (known_to would say): the audit log is empty", "sending: rotated:", "NOT done")
}

func TestAMistypedAddressIsNotTakenForALeaving(t *testing.T) {
	d := newLeaving(t)
	wantSaid(t, d.run(exitFailed, "offboard", "amn@acme.example", "--yes"), "is it mistyped?")
	wantSaid(t, d.run(exitUsage, "offboard", "amn"), "takes one ADDRESS")
}

// ann made the key of a target by hand, and another one that nobody has.
func TestKeysThatTheLeavingMadeAreFoundInTheAuditLog(t *testing.T) {
	d := newLeaving(t)
	box := d.api.Workspaces()[0].ID
	stray, err := d.api.AddKey(box, "a stray", "leads:read")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{d.keyOf("adopted"), stray.ID} {
		made := sandbox.AuditEntry{Activity: 37, UserName: "Ann@acme.example", Metadata: map[string]any{"id": id}}
		if err := d.api.PlantEntry(made); err != nil {
			t.Fatal(err)
		}
	}
	said := d.run(exitFailed, "offboard", ann, "--yes")
	wantSaid(t, said, "adopted: they could know it: they made its key, by the audit log", "adopted: rotated:",
		"made key "+stray.ID+" (a stray) of workspace main, which no target has: revoke it", "NOT done")
	if err := d.api.DeleteKey(stray.ID); err != nil {
		t.Fatal(err)
	}
	if said := d.run(exitSettled, "offboard", ann, "--yes"); strings.Contains(said, "rotated:") {
		t.Errorf("replaced again: %s", said)
	}
}

// keyOf is the id of the key that a target has.
func (d *workspaceFixture) keyOf(target string) string {
	for _, k := range d.api.Keys(d.api.Workspaces()[0].ID) {
		if k.Deleted.IsZero() && strings.Contains(k.Name, "/"+target+"/") {
			return k.ID
		}
	}
	d.Fatalf("no key of %s", target)
	return ""
}

func TestALeavingIsInTheTrail(t *testing.T) {
	d := newLeaving(t)
	d.configure(leavers + "trail: {dir: ./trail}\n")
	d.run(exitSettled, "offboard", ann, "--yes")
	wantSaid(t, d.run(exitSettled, "trail", "show", "--last", "1000", "-o", "json"), `"verb": "offboard"`, `"verb": "remove-member"`, "left: ann@acme.example")
	d.run(exitSettled, "trail", "verify")
}

func TestALeavingAsJSON(t *testing.T) {
	d := newLeaving(t)
	var r struct {
		Done     bool
		Incident string
		Known    []struct{ Target, Why string }
		Results  []struct{ Target, Result string }
		Removed  []struct{ Workspace, Error string }
	}
	if err := json.Unmarshal([]byte(d.stdout("offboard", ann, "--yes", "-o", "json")), &r); err != nil {
		t.Fatal(err)
	}
	if !r.Done || len(r.Known) != 2 || len(r.Results) != 2 || len(r.Removed) != 1 || r.Results[0].Result != "rotated" {
		t.Errorf("%+v", r)
	}
}
