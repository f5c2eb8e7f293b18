package demo_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/demo"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// clean gives the facts of a short story without a fault: key a was rotated to
// c, key b lost in a crash in between, and an outage interrupted that of c.
func clean() demo.Facts {
	at := func(seconds int) time.Time {
		return time.Unix(1_800_000_000, 0).Add(time.Duration(seconds) * time.Second)
	}
	return demo.Facts{
		Grace: 10 * time.Second,
		Issued: []sandbox.KeyRecord{
			{ID: "a", Created: at(0), Deleted: at(32)},
			{ID: "b", Created: at(10), Deleted: at(19)},
			{ID: "c", Created: at(20)},
		},
		Stranger: sandbox.KeyRecord{ID: "x"},
		Answers: map[string]instantly.Verdict{
			"a": instantly.Invalid, "b": instantly.Invalid, "c": instantly.Valid, "x": instantly.Valid,
		},
		Stored: instantly.Valid,
		Store: secretstore.Snapshot{Versions: map[secretstore.Stage]secretstore.Version{
			secretstore.Current: {ID: "c"},
		}},
		Promotions: []demo.Promotion{
			{KeyID: "a", Begun: at(1), Done: at(2)},
			{KeyID: "c", Begun: at(21), Done: at(22)},
		},
		Setbacks: 1, Crashed: "b", Interrupted: "c",
		Uses: []demo.Use{
			{KeyID: "a", At: at(5)},
			{KeyID: "a", At: at(20), Outcome: demo.Unavailable},
			{KeyID: "a", At: at(25)},
			{KeyID: "c", At: at(26)},
		},
	}
}

func TestCleanFactsBreakNoRule(t *testing.T) {
	if broken := demo.Breaches(clean()); len(broken) > 0 {
		t.Errorf("broken: %q", broken)
	}
}

func TestEachRuleNoticesItsBreach(t *testing.T) {
	cases := map[string]struct {
		promise string
		spoil   func(*demo.Facts)
	}{
		"a refused request": {"no request was refused for its key", func(f *demo.Facts) { f.Uses[2].Outcome = demo.Refused }},
		"no requests":       {"no request was refused for its key", func(f *demo.Facts) { f.Uses = nil }},
		"a failed request": {"no request failed, but in the outage", func(f *demo.Facts) {
			f.Uses[2].Outcome, f.Uses[2].Err = demo.Failed, errors.New("store on fire")
		}},
		"an orphan": {"every key issued is current or revoked", func(f *demo.Facts) {
			f.Issued = append(f.Issued, sandbox.KeyRecord{ID: "d"})
		}},
		"an old key kept": {"every key issued is current or revoked", func(f *demo.Facts) {
			f.Issued[0].Deleted = time.Time{}
			f.Store.Versions[secretstore.Previous] = secretstore.Version{ID: "a"}
		}},
		"a revoked key that works":  {"every revoked key is dead", func(f *demo.Facts) { f.Answers["b"] = instantly.Valid }},
		"a revoked key in doubt":    {"every revoked key is dead", func(f *demo.Facts) { f.Answers["a"] = instantly.Indeterminate }},
		"revoked within its grace":  {"no old key went before its grace was over", func(f *demo.Facts) { f.Issued[0].Deleted = f.Promotions[1].Begun.Add(9 * time.Second) }},
		"revoked while current":     {"no old key went before its grace was over", func(f *demo.Facts) { f.Issued[0].Deleted = f.Promotions[0].Done }},
		"a dead key in the store":   {"the key in the store works", func(f *demo.Facts) { f.Stored = instantly.Invalid }},
		"a stranger's key deleted":  {"keys of others are untouched", func(f *demo.Facts) { f.Stranger.Deleted = f.Promotions[0].Done }},
		"a stranger's key dead":     {"keys of others are untouched", func(f *demo.Facts) { f.Answers["x"] = instantly.Invalid }},
		"no crash":                  {"the crash was made good", func(f *demo.Facts) { f.Crashed = "" }},
		"a rotation left open":      {"the crash was made good", func(f *demo.Facts) { f.Store.Notes.Intent.Nonce = "n" }},
		"no rotation after a crash": {"the crash was made good", func(f *demo.Facts) { f.Issued[1].Created = f.Promotions[1].Done }},
		"no outage":                 {"the outage was made good", func(f *demo.Facts) { f.Setbacks = 0 }},
		"another key after it":      {"the outage was made good", func(f *demo.Facts) { f.Interrupted = "b" }},
		"a failure still on record": {"the outage was made good", func(f *demo.Facts) { f.Store.Notes.Failure.Count = 1 }},
	}
	tested := map[string]bool{}
	for name, c := range cases {
		tested[c.promise] = true
		t.Run(name, func(t *testing.T) {
			f := clean()
			c.spoil(&f)
			broken := demo.Breaches(f)
			if len(broken) != 1 || !strings.HasPrefix(broken[0], c.promise+": ") {
				t.Errorf("broken: %q, want only %q", broken, c.promise)
			}
		})
	}
	for _, p := range demo.Promises() {
		if !tested[p] {
			t.Errorf("nothing breaks %q", p)
		}
	}
}

func TestLostKeyThatLivesOnIsNoticedTwice(t *testing.T) {
	f := clean()
	f.Issued[1].Deleted = time.Time{}
	broken := strings.Join(demo.Breaches(f), "\n")
	for _, promise := range []string{"every key issued is current or revoked", "the crash was made good"} {
		if !strings.Contains(broken, promise) {
			t.Errorf("broken: %q, want %q too", broken, promise)
		}
	}
}

func TestAccountCountsTheFacts(t *testing.T) {
	want := demo.Account{
		Rotations: 2, Requests: 4, Unavailable: 1, Late: 1, Issued: 3, Revoked: 2, Dead: 2,
		Crashed: "b", Successor: "c", Interrupted: "c", Finished: 2 * time.Second, Setbacks: 1,
		CrashMended: true, OutageMended: true, StrangerSafe: true,
		Stored: map[secretstore.Stage]string{secretstore.Current: "c"},
	}
	if diff := cmp.Diff(want, demo.Reckon(clean())); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
}

func TestAccountCountsOrphans(t *testing.T) {
	f := clean()
	f.Issued = append(slices.Clone(f.Issued), sandbox.KeyRecord{ID: "d"})
	if got := demo.Reckon(f).Orphans; got != 1 {
		t.Errorf("%d orphans, want 1", got)
	}
}
