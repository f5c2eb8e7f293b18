package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Sink is what is known of a place that is given the key besides.
type Sink struct {
	Sink string `json:"sink"`
	// KeyID is the key that it has; left out if that is not known.
	KeyID string `json:"key_id,omitempty"`
	// Current: that is the target's current key.
	Current bool `json:"current"`
	// Unproven: it is not known yet whether what uses it works with the key.
	Unproven bool   `json:"unproven,omitempty"`
	Error    string `json:"error,omitempty"`
}

// Behind tells whether the old key lives for the sink.
func (s Sink) Behind() bool { return !s.Current || s.Unproven }

// Section is the sink as the configuration names it, which many targets may share.
func (s Sink) Section() string {
	section, _, _ := strings.Cut(s.Sink, ":")
	return section
}

// Text says which key it has, and what keeps it from the current one.
func (s Sink) Text() string {
	text := "does not have the current key"
	switch {
	case s.Unproven:
		text = "has the current key, and what uses it is not known to work with that"
	case s.Current && s.Error != "":
		text = "was given the current key, and cannot be asked whether it has that still"
	case s.Current:
		text = "has the current key"
	case s.KeyID != "":
		text += ", but " + s.KeyID
	}
	if s.Error != "" {
		text += ": " + s.Error
	}
	return text
}

func sinksOf(o rotator.TargetStatus) (all []Sink) {
	for _, st := range o.Sinks {
		s := Sink{Sink: st.Name, KeyID: st.KeyID, Current: st.Current, Unproven: st.Unproven}
		if st.Err != nil {
			s.Error = st.Err.Error()
		}
		all = append(all, s)
	}
	return all
}

// SinksBehind lists the sinks that are to have the current key and are not known to have it
// now, or whose users are not known to work with it.
func (t Target) SinksBehind() (all []Sink) {
	if t.KeyID == "" || !t.Ours {
		return nil
	}
	for _, s := range t.Sinks {
		if s.Behind() || s.Error != "" {
			all = append(all, s)
		}
	}
	return all
}

// sinksAssured tells whether what uses the sinks holds a key that works: the current one, or
// one that lives on. In an incident old keys go without waiting for sinks.
func (t Target) sinksAssured() (Assured, string) {
	alive := map[string]bool{}
	for _, h := range t.Held {
		alive[h.ID] = h.Ours
	}
	for _, old := range t.OldKeys {
		alive[old.ID] = !old.Gone
	}
	assured, why := Working, ""
	for _, s := range t.Sinks {
		lives, known := alive[s.KeyID]
		switch {
		case !s.Current && known && !lives:
			return Broken, "sink " + s.Sink + " has key " + s.KeyID + ", which is revoked"
		case !s.Current && !known, s.Current && s.Unproven, s.Current && s.Error != "":
			assured, why = NotKnown, first(why, "sink "+s.Sink+" is not known to have a key that works: it "+s.Text())
		}
	}
	return assured, why
}

// sinksAwaited names those that the old key lives for.
func sinksAwaited(o rotator.TargetStatus) (names []string) {
	for _, s := range sinksOf(o) {
		if s.Behind() {
			names = append(names, "sink "+s.Sink)
		}
	}
	return names
}

// lastFailure is how often a sink failed, and how last, if it is what failed last.
func lastFailure(o rotator.TargetStatus, s Sink) string {
	why, ofIt := strings.CutPrefix(o.Failure.Reason, "sink "+s.Sink+": ")
	if !ofIt || o.Failure.Count == 0 {
		return ""
	}
	for _, said := range []string{rotator.ErrSinkBehind.Error(), rotator.ErrSinkNotYet.Error(), rotator.SinkBehindError{Has: s.KeyID}.Error()} {
		why = strings.TrimPrefix(why, said+": ")
	}
	return fmt.Sprintf("failed %s, last at %s: %s", humantime.Times(o.Failure.Count), humantime.Stamp(o.Failure.At), why)
}

// ofSinkBehind tells whether what failed last is a sink that is behind: then it is told with
// the sink.
func ofSinkBehind(o rotator.TargetStatus) bool {
	return slices.ContainsFunc(behind(o), func(s Sink) bool { return lastFailure(o, s) != "" })
}

// behind lists the sinks that do not have the target's own current key.
func behind(o rotator.TargetStatus) []Sink {
	if o.Current == nil || o.Current.Foreign {
		return nil
	}
	return slices.DeleteFunc(sinksOf(o), func(s Sink) bool { return !s.Behind() })
}

// sinkHints say which sinks do not have the key, and why.
func sinkHints(o rotator.TargetStatus) (hints []string) {
	lives := "an old key lives on until it has"
	if !o.Incident.IsZero() {
		lives = "no old key lives on for it in an incident"
	}
	for _, s := range behind(o) {
		said := "sink " + s.Sink + " " + s.Text()
		if failed := lastFailure(o, s); failed != "" {
			said += "; " + failed
		}
		hints = append(hints, said+"; "+lives+"; \"instantly-rotator rotate --due "+o.Target+"\" tries again")
	}
	return hints
}
