package demo

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// account is what the demonstration comes to.
type account struct {
	// Rotations counts the keys that became current, the first one included.
	Rotations int

	Requests    int // of the apps
	Refused     int // because of the key
	Failed      int // for another reason than the outage
	Unavailable int // in the outage, whatever the key
	Late        int // answered though the key was displaced already

	Issued, Revoked, Dead, Orphans int

	// Crashed and Successor are the key that the crash lost and the one that was
	// promoted in its place. Interrupted is the one whose rotation the outage
	// interrupted, Finished how long after it was created it became current.
	Crashed, Successor, Interrupted string
	Finished                        time.Duration
	Setbacks                        int // runs that stopped with an error
	// What the rules say of the crash, of the outage and of the stranger's key.
	CrashMended, OutageMended, StrangerSafe bool

	// Stored are the ids of the versions in the store, by stage.
	Stored map[secretstore.Stage]string
}

// reckon makes up the account. Judging is left to the rules.
func reckon(f facts) account {
	a := account{
		Rotations: len(f.Promotions),
		Requests:  len(f.Uses), Refused: f.count(refused), Failed: f.count(failed),
		Unavailable: f.count(unavailable), Late: f.late(),
		Issued: len(f.Issued), Revoked: len(f.revoked()), Orphans: len(f.orphans()),
		Crashed: f.Crashed, Successor: f.successor(), Interrupted: f.Interrupted, Setbacks: f.Setbacks,
		CrashMended: crashLeftOver(f) == "", OutageMended: outageLeftOver(f) == "", StrangerSafe: strangerTouched(f) == "",
		Stored: map[secretstore.Stage]string{},
	}
	for _, k := range f.revoked() {
		if f.Answers[k.ID] == instantly.Invalid {
			a.Dead++
		}
	}
	for _, p := range f.Promotions {
		if k, ok := f.issued(p.KeyID); ok && p.KeyID == f.Interrupted {
			a.Finished = p.Done.Sub(k.Created)
		}
	}
	for stage, v := range f.Store.Versions {
		a.Stored[stage] = v.ID
	}
	return a
}

// row is a line of the account: what, how many, and what there is to say of it.
type row struct {
	what, value string
	mood        mood
	note        string
}

// rows lay the account out; label gives the short name of a key.
func (a account) rows(label func(id string) string) []row {
	return []row{
		plainRow("rotations done", a.Rotations, "one a chapter: the first key, by schedule, after a crash, through an outage"),
		plainRow("calls by the apps", a.Requests, "made all the while"),
		zeroRow("  key refused", a.Refused, "must be 0"),
		zeroRow("  failed otherwise", a.Failed, "must be 0"),
		plainRow("  lost to the outage", a.Unavailable, "503, whatever the key; the apps tried again"),
		plainRow("  saved by the grace", a.Late, "made with the old key after the new one was current, and answered"),
		plainRow("keys issued", a.Issued, ""),
		plainRow("  revoked", a.Revoked, "all but the one in use"),
		plainRow("  proven dead", a.Dead, "a test call with each gets a 401"),
		zeroRow("  orphans", a.Orphans, "keys that exist but are in no store: must be 0"),
		verdictRow("the crash", a.CrashMended, "made good", fmt.Sprintf("%s was lost with the process; it was found by its name and revoked, and %s took its place",
			label(a.Crashed), label(a.Successor))),
		verdictRow("the outage", a.OutageMended, "made good", fmt.Sprintf("%d runs stopped with all keys alive; %s waited in the store and was current %.1fs after its creation",
			a.Setbacks, label(a.Interrupted), a.Finished.Seconds())),
		verdictRow("keys of others: 1", a.StrangerSafe, "untouched", strangerName),
		{what: "in the store now", note: a.holdings(label)},
	}
}

func plainRow(what string, n int, note string) row {
	return row{what: what, value: strconv.Itoa(n), note: note}
}

// zeroRow is for a number that is bad unless it is 0.
func zeroRow(what string, n int, note string) row {
	r := row{what: what, value: strconv.Itoa(n), mood: good, note: note}
	if n > 0 {
		r.mood = bad
	}
	return r
}

// verdictRow says the word if a promise was kept.
func verdictRow(what string, kept bool, word, note string) row {
	if !kept {
		return row{what: what, value: "BROKEN", mood: bad, note: "see below"}
	}
	return row{what: what, value: word, mood: good, note: note}
}

// holdings says what each stage holds.
func (a account) holdings(label func(id string) string) string {
	var held []string
	for _, stage := range secretstore.Stages() {
		text := fmt.Sprintf("%s: none", stage)
		if id, ok := a.Stored[stage]; ok {
			text = fmt.Sprintf("%s: %s (id …%s)", stage, label(id), tail(id))
		}
		held = append(held, text)
	}
	return strings.Join(held, ", ")
}
