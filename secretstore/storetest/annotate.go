package storetest

import (
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func annotateClaims() []claim {
	return []claim{
		{"Annotate replaces the notes whole", checkAnnotateReplaces},
		{"Annotate with nothing clears the notes", checkAnnotateClears},
		{"Annotate touches no version", checkAnnotateTouchesNoVersion},
		{"Notes and versions keep a spec of the greatest length", checkLongSpec},
		{"Notes and versions keep every character that a spec may have", checkOddSpec},
		{"Notes keep a reason of the greatest length", checkLongReason},
		{"Notes keep a hold, with an end and without", checkHold},
		{"Notes keep an incident, open and resolved", checkIncident},
		{"Notes keep a waiver", checkWaiver},
		{"Notes keep the receipt of sinks", checkReceipt},
		{"Notes keep who holds an intent, and until when", checkLease},
		{"Each note is replaced without touching the others", checkNotesApart},
		{"Notes keep times to the second in any zone", checkNotesTimes},
		{"Notes keep any grace", checkGrace},
	}
}

func checkAnnotateReplaces(tr *trial) {
	tr.annotate(secretstore.Notes{Intent: intentOf(idA)})
	tr.wantNotes(secretstore.Notes{Intent: intentOf(idA)})
	tr.annotate(secretstore.Notes{Failure: failure()})
	tr.wantNotes(secretstore.Notes{Failure: failure()})
	tr.annotate(notesOf(idB))
	tr.wantNotes(notesOf(idB))
}

func checkAnnotateClears(tr *trial) {
	tr.annotate(notesOf(idA))
	tr.annotate(secretstore.Notes{})
	tr.wantNotes(secretstore.Notes{})
}

func checkAnnotateTouchesNoVersion(tr *trial) {
	tr.rotate(idA, idB)
	tr.stage(idC)
	before := tr.describe().Versions
	tr.annotate(besidePending())
	if diff := diff(before, tr.describe().Versions); diff != "" {
		tr.Errorf("annotate changed the versions (-before +after):\n%s", diff)
	}
	for _, id := range []string{idA, idB, idC} {
		tr.wantValue(id, valueOf(id))
	}
}

// checkLongSpec takes an intent and a version to the most that they can have to
// carry.
func checkLongSpec(tr *trial) { tr.wantSpecKept(longestSpec()) }

func checkOddSpec(tr *trial) { tr.wantSpecKept(oddSpec()) }

// wantSpecKept has a spec noted, staged and made current.
func (tr *trial) wantSpecKept(spec secretstore.Spec) {
	tr.Helper()
	in := intentOf(idA)
	in.Spec = spec
	tr.annotate(secretstore.Notes{Intent: in})
	tr.wantNotes(secretstore.Notes{Intent: in})
	v := version(idA)
	v.Intent = in
	if _, err := tr.store.Stage(tr.Context(), tr.describe(), v, valueOf(idA)); err != nil {
		tr.Fatalf("stage a version with a spec of %d bytes: %v", len(spec), err)
	}
	tr.promote(idA)
	got, _, _ := tr.describe().Find(idA)
	if diff := diff(in, got.Intent); diff != "" {
		tr.Errorf("the version's intent (-want +got):\n%s", diff)
	}
}

func checkLongReason(tr *trial) {
	f := failure()
	f.Reason = oddReason()
	tr.annotate(secretstore.Notes{Failure: f})
	tr.wantNotes(secretstore.Notes{Failure: f})
}

func checkHold(tr *trial) {
	h := hold()
	tr.annotate(secretstore.Notes{Hold: h})
	tr.wantNotes(secretstore.Notes{Hold: h})
	h.Until, h.Reason = time.Time{}, oddReason()
	tr.annotate(secretstore.Notes{Hold: h})
	tr.wantNotes(secretstore.Notes{Hold: h})
	tr.annotate(secretstore.Notes{})
	tr.wantNotes(secretstore.Notes{})
}

func checkIncident(tr *trial) {
	i := incident()
	tr.annotate(secretstore.Notes{Incident: i})
	tr.wantNotes(secretstore.Notes{Incident: i})
	for range 2 {
		i.Unrevoked, i.Soft = !i.Unrevoked, !i.Soft
		tr.annotate(secretstore.Notes{Incident: i})
		tr.wantNotes(secretstore.Notes{Incident: i})
		i.Soft = !i.Soft
	}
	i.ID, i.Resolved, i.Unrevoked = oddReason(), time.Time{}, true
	tr.annotate(secretstore.Notes{Incident: i})
	tr.wantNotes(secretstore.Notes{Incident: i})
	tr.annotate(secretstore.Notes{})
	tr.wantNotes(secretstore.Notes{})
}

func checkWaiver(tr *trial) {
	w := waiver()
	tr.annotate(secretstore.Notes{Waiver: w})
	tr.wantNotes(secretstore.Notes{Waiver: w})
	w.KeyID, w.Reason = idB, oddReason()
	tr.annotate(secretstore.Notes{Waiver: w})
	tr.wantNotes(secretstore.Notes{Waiver: w})
	tr.annotate(secretstore.Notes{})
	tr.wantNotes(secretstore.Notes{})
}

func checkReceipt(tr *trial) {
	r := receipt()
	tr.annotate(secretstore.Notes{Receipt: r})
	tr.wantNotes(secretstore.Notes{Receipt: r})
	tr.rotate(idA, idB)
	tr.wantNotes(secretstore.Notes{Receipt: r})
	r.KeyID, r.Sinks = idB, "aZ0-_9."
	tr.annotate(secretstore.Notes{Receipt: r})
	tr.wantNotes(secretstore.Notes{Receipt: r})
	tr.annotate(secretstore.Notes{})
	tr.wantNotes(secretstore.Notes{})
}

func checkLease(tr *trial) {
	in := intentOf(idA)
	in.Holder = "host with spaces+plus/and ü " + strings.Repeat("x", secretstore.MaxHolder-29)
	tr.annotate(secretstore.Notes{Intent: in})
	tr.wantNotes(secretstore.Notes{Intent: in})
	in.Until = in.Until.Add(time.Minute)
	tr.annotate(secretstore.Notes{Intent: in})
	tr.wantNotes(secretstore.Notes{Intent: in})
	in.Until = time.Time{}
	tr.annotate(secretstore.Notes{Intent: in})
	tr.wantNotes(secretstore.Notes{Intent: in})
	in.Holder = ""
	tr.annotate(secretstore.Notes{Intent: in})
	tr.wantNotes(secretstore.Notes{Intent: in})
}

// checkNotesApart changes one note after the other, on a secret in mid-rotation.
func checkNotesApart(tr *trial) {
	tr.rotate(idA, idB)
	tr.stage(idC)
	n := secretstore.Notes{}
	for _, change := range []func(){
		func() { n.Hold = hold() },
		func() { n.Incident = incident() },
		func() { n.Receipt = receipt() },
		func() { n.Failure = failure() },
		func() { n.Failure.Count++ },
		func() { n.Hold.Reason = "still" },
		func() { n.Receipt.KeyID = idB },
		func() { n.Receipt = secretstore.Receipt{} },
		func() { n.Incident = secretstore.Incident{} },
		func() { n.Failure = secretstore.Failure{} },
		func() { n.Hold = secretstore.Hold{} },
	} {
		change()
		tr.annotate(n)
		tr.wantNotes(n)
	}
}

// oddReason has the greatest length and the oddest characters.
func oddReason() string {
	const odd = `401 "Ungültig" <a&b> \n 鍵; `
	return odd + strings.Repeat("x", secretstore.MaxReason-len(odd))
}

func checkNotesTimes(tr *trial) {
	zone := time.FixedZone("far east", 13*3600)
	n := notesOf(idA)
	n.Intent.At = time.Date(2026, 12, 31, 23, 59, 59, 0, zone)
	n.Failure.At = time.Date(2027, 1, 1, 0, 0, 1, 0, zone)
	n.Hold.Until = time.Date(2027, 1, 1, 0, 0, 2, 0, zone)
	n.Incident.At = time.Date(2027, 1, 1, 0, 0, 3, 0, zone)
	n.Incident.Resolved = n.Incident.At.Add(time.Minute)
	n.Waiver.At = time.Date(2027, 1, 1, 0, 0, 5, 0, zone)
	n.Receipt.At = time.Date(2027, 1, 1, 0, 0, 6, 0, zone)
	n.Intent.Until = time.Date(2027, 1, 1, 0, 0, 4, 0, zone)
	tr.annotate(n)
	tr.wantNotes(n)
}

func checkGrace(tr *trial) {
	for _, grace := range []time.Duration{0, time.Second, 90 * time.Minute, 24 * time.Hour, 366 * 24 * time.Hour} {
		n := secretstore.Notes{Intent: intentOf(idA)}
		n.Intent.Grace = grace
		tr.annotate(n)
		tr.wantNotes(n)
	}
}

// longestSpec looks like the longest that are to be expected: every one of 178
// scopes, by names that have much in common, and then some.
func longestSpec() secretstore.Spec {
	resources := strings.Fields(`all ai_agents api_keys audit_logs custom_prompt_templates
		account_campaign_mappings campaigns inbox_placement_tests inbox_placement_analytics
		inbox_placement_reports lead_lists leads background-jobs custom_tags custom_tag_mappings
		crm_actions accounts block_list_entries lead-labels emails email_templates workspaces
		workspace_billing workspace_group_members workspace_members subsequences ai_sdr
		ai_sdr_replies ai_inbox_manager_analytics sales_flows webhooks webhook_events
		security_tokens dfy_email_account_orders auth email_verifications`)
	var scopes []string
	for _, r := range resources {
		for _, action := range []string{"all", "create", "read", "update", "delete"} {
			scopes = append(scopes, r+":"+action)
		}
	}
	spec := strings.Join(scopes, ",") + ","
	return secretstore.Spec(spec + strings.Repeat("x", secretstore.MaxSpec-len(spec)))
}

// oddSpec has every character that a spec may have, blanks at both ends included.
func oddSpec() secretstore.Spec {
	var spec []byte
	for c := byte(' '); c <= '~'; c++ {
		spec = append(spec, c)
	}
	return secretstore.Spec(spec) + "=2C=z +,/ "
}
