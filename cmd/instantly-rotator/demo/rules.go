package demo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

// rule is a promise of the rotator's. breach says what is wrong; empty if the
// promise was kept.
type rule struct {
	promise string
	breach  func(facts) string
}

func rules() []rule {
	return []rule{
		{"no request was refused for its key", someRefused},
		{"no request failed, but in the outage", someFailed},
		{"every key issued is current or revoked", someLeftOver},
		{"every revoked key is dead", someUndead},
		{"no old key went before its grace was over", someRevokedEarly},
		{"the key in the store works", storedKeyFails},
		{"keys of others are untouched", strangerTouched},
		{"the crash was made good", crashLeftOver},
		{"the outage was made good", outageLeftOver},
	}
}

// breaches gives what is wrong, in words; nothing if all promises were kept.
func breaches(f facts) []string {
	var broken []string
	for _, r := range rules() {
		if b := r.breach(f); b != "" {
			broken = append(broken, fmt.Sprintf("%s: %s", r.promise, b))
		}
	}
	return broken
}

func someRefused(f facts) string {
	if len(f.Uses) == 0 {
		return "there was none"
	}
	return several(f.count(refused), "refused")
}

func someFailed(f facts) string {
	i := slices.IndexFunc(f.Uses, func(u use) bool { return u.Outcome == failed })
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("%d failed, the first: %v", f.count(failed), f.Uses[i].Err)
}

func someLeftOver(f facts) string {
	living := slices.DeleteFunc(slices.Clone(f.Issued), func(k sandbox.KeyRecord) bool {
		return k.ID == f.current() || !k.Deleted.IsZero()
	})
	return named(living, "left over")
}

func someUndead(f facts) string {
	undead := slices.DeleteFunc(f.revoked(), func(k sandbox.KeyRecord) bool { return f.Answers[k.ID] == instantly.Invalid })
	return named(undead, "not refused by the API")
}

// someRevokedEarly compares when the sandbox deleted a key with when the next
// one had become current.
func someRevokedEarly(f facts) string {
	var early []sandbox.KeyRecord
	for i, old := range f.Promotions {
		k, ok := f.issued(old.KeyID)
		if !ok || k.Deleted.IsZero() {
			continue
		}
		if i+1 == len(f.Promotions) || k.Deleted.Before(f.Promotions[i+1].Begun.Add(f.Grace)) {
			early = append(early, k)
		}
	}
	return named(early, "revoked too early")
}

func storedKeyFails(f facts) string {
	if f.Stored != instantly.Valid {
		return "its test call is " + f.Stored.String()
	}
	return ""
}

func strangerTouched(f facts) string {
	if !f.Stranger.Deleted.IsZero() || f.Answers[f.Stranger.ID] != instantly.Valid {
		return named([]sandbox.KeyRecord{f.Stranger}, "not as it was")
	}
	return ""
}

// crashLeftOver: the key that was lost must be revoked, never have been current,
// and a later one must have taken its place.
func crashLeftOver(f facts) string {
	k, ok := f.issued(f.Crashed)
	switch {
	case !ok:
		return "there was no crash"
	case k.Deleted.IsZero():
		return named([]sandbox.KeyRecord{k}, "still alive")
	case f.successor() == "":
		return "no rotation took its place"
	case !f.Store.Notes.Intent.IsZero():
		return "a rotation is still open"
	}
	return ""
}

// successor gives the key that was promoted in the place of the one that the
// crash lost; empty if none was.
func (f facts) successor() string {
	lost, _ := f.issued(f.Crashed)
	for _, p := range f.Promotions {
		if p.Begun.After(lost.Created) {
			return p.KeyID
		}
	}
	return ""
}

// outageLeftOver: the very key whose rotation was interrupted must have become
// current, and the failure must be cleared from the store's record.
func outageLeftOver(f facts) string {
	became := slices.ContainsFunc(f.Promotions, func(p promotion) bool { return p.KeyID == f.Interrupted })
	switch {
	case f.Interrupted == "" || f.Setbacks == 0:
		return "there was no outage"
	case !became:
		return "the rotation it interrupted was not finished"
	case f.Store.Notes.Failure.Count > 0:
		return "the store still records a failure"
	}
	return ""
}

func several(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, what)
}

// named names keys by their ids; empty if there are none.
func named(keys []sandbox.KeyRecord, what string) string {
	var ids []string
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	if len(ids) == 0 {
		return ""
	}
	return strings.Join(ids, ", ") + " " + what
}
