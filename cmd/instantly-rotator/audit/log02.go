package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func log02() Check {
	return Check{
		ID: "LOG-02", Title: "Nobody made keys, took leads along or came in without a second factor since the last audit",
		Why:   "What an intruder does first is there to be read, and nobody reads it.",
		judge: deeds,
	}
}

// deeds reads the audit log since the last audit.
func deeds(f *Facts) []Finding {
	return f.eachLog(func(w *Workspace, entries []instantly.AuditLog) []Finding {
		entries = slices.DeleteFunc(slices.Clone(entries), func(e instantly.AuditLog) bool { return e.At.Before(f.Since) })
		var all []Finding
		for _, e := range entries {
			if (e.Activity == instantly.KeyCreated || e.Activity == instantly.KeyDeleted) && !f.byUs(w, e) {
				all = append(all, Finding{Severity: Medium, Workspace: w.Name, Subject: "audit log entry " + e.ID, ID: "",
					Text: e.Activity.String() + ", not by the rotator: " + entryText(w, e), Remedy: "ask whether they meant it; a key that nobody needs is deleted in Instantly"})
			}
		}
		people := map[string][]instantly.AuditLog{}
		for _, e := range entries {
			who := "member " + cmp.Or(e.UserName, e.UserID, "unknown")
			if e.UserName == "" && e.UserID == "" && e.KeyID != "" {
				who = "key " + keyName(w, e.KeyID)
			}
			people[who] = append(people[who], e)
		}
		for _, who := range slices.Sorted(maps.Keys(people)) {
			all = append(all, personal(w, who, people[who])...)
		}
		return all
	})
}

// byUs tells whether the rotator did it: with its admin key or, where the key is gone or
// is not named, under its name. A key that is listed and is not the admin key is not ours.
func (f *Facts) byUs(w *Workspace, e instantly.AuditLog) bool {
	keys, _ := w.Keys.Get()
	for _, k := range keys {
		if k.ID == e.KeyID && e.KeyID != "" && k.Class == Managed {
			return k.Target.Admin
		}
	}
	return e.FromAPI && strings.HasPrefix(e.UserAgent, "instantly-rotator")
}

// entryText says who, when and from where.
func entryText(w *Workspace, e instantly.AuditLog) string {
	who := cmp.Or(e.UserName, e.UserID)
	switch {
	case e.KeyID != "" && who != "":
		who += " with key " + keyName(w, e.KeyID)
	case e.KeyID != "":
		who = "key " + keyName(w, e.KeyID)
	}
	text := humantime.Stamp(e.At) + " by " + cmp.Or(who, "nobody known") + " from " + cmp.Or(e.IP, "an address that is not known")
	if e.UserAgent != "" {
		text += " (" + e.UserAgent + ")"
	}
	return text
}

func keyName(w *Workspace, id string) string {
	keys, _ := w.Keys.Get()
	for _, k := range keys {
		if k.ID == id {
			return k.Name
		}
	}
	return id
}

// together is how long after a login its second factor counts as that login's, or before.
const together = 10 * time.Minute

// fewFailures are those of somebody who mistypes.
const fewFailures = 3

// personal judges what one member, or key, did.
func personal(w *Workspace, who string, entries []instantly.AuditLog) []Finding {
	find := func(s Severity, text, remedy string) Finding {
		return Finding{Severity: s, Workspace: w.Name, Subject: who, Text: text, Remedy: remedy}
	}
	var all []Finding
	of := func(a instantly.Activity) []instantly.AuditLog {
		return slices.DeleteFunc(slices.Clone(entries), func(e instantly.AuditLog) bool { return e.Activity != a })
	}
	second := of(instantly.MFASucceeded)
	bare := slices.DeleteFunc(of(instantly.UserLogin), func(e instantly.AuditLog) bool {
		return e.FromAPI || slices.ContainsFunc(second, func(m instantly.AuditLog) bool { return m.At.Sub(e.At).Abs() <= together })
	})
	if n := len(bare); n > 0 {
		all = append(all, find(Medium, fmt.Sprintf("logged in %s without a second factor, last %s", humantime.Times(n), entryText(w, newest(bare))), "have them enable two-factor authentication in Instantly"))
	}
	if locked := of(instantly.MFALocked); len(locked) > 0 {
		all = append(all, find(High, "failed the second factor too many times, last "+entryText(w, newest(locked)), "somebody has their password: change it, and ask them"))
	} else if failed := of(instantly.MFAFailed); len(failed) >= fewFailures {
		all = append(all, find(Medium, fmt.Sprintf("failed the second factor %s, last %s", humantime.Times(len(failed)), entryText(w, newest(failed))), "ask them whether it was they; if not, their password is known"))
	}
	if off := of(instantly.TOTPDisabled); len(off) > 0 {
		all = append(all, find(Medium, "disabled the second factor, "+entryText(w, newest(off)), "have them enable it again"))
	}
	if exports := of(instantly.LeadsExported); len(exports) > 0 {
		leads := 0
		for _, e := range exports {
			leads += e.Affected
		}
		all = append(all, find(Medium, fmt.Sprintf("exported leads %s, %d in all, last %s", humantime.Times(len(exports)), leads, entryText(w, newest(exports))), "ask whether they meant it"))
	}
	return all
}

func newest(entries []instantly.AuditLog) instantly.AuditLog {
	return slices.MaxFunc(entries, func(x, y instantly.AuditLog) int { return x.At.Compare(y.At) })
}
