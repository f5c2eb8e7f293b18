package status

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

// Assured tells whether consumers hold a key that works.
type Assured string

// The answers, the worst first. What was not looked at lately is not known, however good
// it was then.
const (
	Broken   Assured = "no"
	NotKnown Assured = "not known"
	Working  Assured = "yes"
)

// Assurance is whether all consumers hold working keys.
type Assurance struct {
	Assured Assured
	// Since is since when that is not known; nil if it never was, and unless it is not known.
	Since *time.Time
	// Broken and NotKnown are the targets of which it is not so, or not known.
	Broken, NotKnown []string
	// Why says it of the first of them.
	Why string
}

// Assurance judges all targets at now. What was last looked at longer than stale ago is
// not known any more. expected is how many targets there are: those that are missing in
// the report were not looked at yet.
func (r Report) Assurance(now time.Time, stale time.Duration, expected int) Assurance {
	a := Assurance{Assured: Working}
	var brokenWhy, unknownWhy string
	never := false
	for _, t := range r.Targets {
		assured, why := t.Assured(now, stale)
		switch assured {
		case Broken:
			a.Broken = append(a.Broken, t.Target)
			brokenWhy = first(brokenWhy, t.Target+": "+why)
		case NotKnown:
			a.NotKnown = append(a.NotKnown, t.Target)
			unknownWhy = first(unknownWhy, t.Target+": "+why)
			never = never || t.KnownAt == nil
			if t.KnownAt != nil && (a.Since == nil || t.KnownAt.Before(*a.Since)) {
				a.Since = t.KnownAt
			}
		case Working:
		}
	}
	if expected == 0 {
		never, unknownWhy = true, "there is no target"
	}
	if len(r.Targets) < expected {
		never, unknownWhy = true, first(unknownWhy, humantime.Count(expected-len(r.Targets), "target")+" not looked at yet")
	}
	switch {
	case len(a.Broken) > 0:
		a.Assured, a.Why, a.Since = Broken, brokenWhy, nil
	case len(a.NotKnown) > 0 || never:
		a.Assured, a.Why = NotKnown, unknownWhy
	}
	if never {
		a.Since = nil
	}
	return a
}

func first(said, text string) string {
	if said == "" {
		return text
	}
	return said
}

// Text says it in one line.
func (a Assurance) Text() string {
	const all = "all consumers hold working keys: "
	switch {
	case a.Assured != NotKnown:
		return all + string(a.Assured)
	case a.Since == nil:
		return all + "not known yet"
	default:
		return all + "not known since " + humantime.Stamp(*a.Since)
	}
}

// Assured tells whether the consumers of this target hold a key that works, and why not.
func (t Target) Assured(now time.Time, stale time.Duration) (Assured, string) {
	switch {
	case t.Dead:
		return Broken, "consumers hold a key that is refused"
	case len(t.Wrong) > 0:
		return Broken, t.Wrong[0]
	case t.KnownAt == nil && t.Error != "":
		return NotKnown, t.Error
	case t.KnownAt == nil:
		return NotKnown, "not looked at yet"
	case t.Refused:
		return NotKnown, "the current key was refused just now; whether for good is not known"
	case t.KnownAt.Before(t.AsOf), t.Unanswered, t.Unreadable():
		return NotKnown, first(t.Error, "not everything could be read")
	case now.Sub(*t.KnownAt) > stale:
		return NotKnown, "nothing was looked at since " + humantime.Stamp(*t.KnownAt)
	}
	if t.KeyID == "" {
		return Broken, "there is no key"
	}
	for _, st := range t.Stores {
		if st.Current == "" {
			return Broken, "store " + st.Store + " has no key"
		}
	}
	for _, st := range t.Stores[min(1, len(t.Stores)):] { // the primary's is tested at every run
		if st.foreign {
			return NotKnown, "store " + st.Store + " gives a value that somebody put there, and it is not known whether that works"
		}
	}
	return t.sinksAssured()
}
