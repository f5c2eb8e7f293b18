package status

import (
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

// sinksAwaited names those that the old key lives for.
func sinksAwaited(o rotator.TargetStatus) (names []string) {
	for _, s := range sinksOf(o) {
		if s.Behind() {
			names = append(names, "sink "+s.Sink)
		}
	}
	return names
}

// sinkHints say which sinks do not have the key, and why.
func sinkHints(o rotator.TargetStatus) (hints []string) {
	if o.Current == nil || o.Current.Foreign {
		return nil
	}
	for _, s := range sinksOf(o) {
		text := "sink " + s.Sink + " does not have the current key"
		switch {
		case !s.Behind():
			continue
		case s.Unproven:
			text = "sink " + s.Sink + " has the current key, and what uses it is not known to work with that"
		case s.KeyID != "":
			text += ", but " + s.KeyID
		}
		if s.Error != "" {
			text += ": " + s.Error
		}
		hints = append(hints, text+"; an old key lives on until it has; \"instantly-rotator rotate --due "+o.Target+"\" tries again")
	}
	return hints
}
