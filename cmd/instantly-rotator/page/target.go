package page

import (
	"net/http"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// targetBody is what a target's page shows.
type targetBody struct {
	status.Target

	Pill     pill
	Life     life
	Steps    []lifeStep
	Next     string
	NextAt   *time.Time
	Assured  status.Assured
	Why      string
	Texts    [][]segment
	Policy   Policy
	Keys     []ageOf
	Places   []placeBody
	Past     past
	Timeline timeline
	Seen     bool
	TooOld   bool
}

// lifeStep is one of a key's life.
type lifeStep struct {
	Name       string
	Done, Here bool
}

// ageOf is a key that the primary store has, with its age.
type ageOf struct {
	status.HeldKey

	TooOld bool
}

// placeBody is a place that a key is kept in, or sent to.
type placeBody struct {
	Name, Secret, Current, Text string
	Moved                       bool
}

// targetPage shows one target.
func (s *Site) targetPage(w http.ResponseWriter, r *http.Request) {
	o := s.overview()
	name := r.PathValue("name")
	i, seen := o.byName[name]
	if !seen && !o.named(name) {
		s.fail(w, r, http.StatusNotFound, "There is no such target in the configuration in force.")
		return
	}
	b := targetBody{Target: status.Target{Target: name}, Policy: o.policies[name], Seen: seen, Assured: status.NotKnown, Why: "not looked at yet"}
	if seen {
		b = o.target(o.targets[i])
		b.Past = s.past(b.Target)
		b.Timeline = drawTimeline(b.Past, o.at)
	}
	s.render(w, r, http.StatusOK, "target.html", s.view("target", name, b))
}

func (o *overview) target(t status.Target) targetBody {
	b := targetBody{Target: t, Policy: o.policies[t.Target], Life: lifeOf(t, o.at), Seen: true}
	b.Pill = o.pill(t)
	b.Assured, b.Why = t.Assured(o.at, o.Process.stale())
	b.Next, b.NextAt = nextOf(t)
	for i, name := range lifeSteps() {
		b.Steps = append(b.Steps, lifeStep{name, i < b.Life.Step, i == b.Life.Step})
	}
	for _, text := range append(append([]string{}, t.Wrong...), t.Hints...) {
		b.Texts = append(b.Texts, o.segments(text))
	}
	b.TooOld = o.tooOld(t)
	for _, h := range t.Held {
		b.Keys = append(b.Keys, ageOf{h, h.ID == t.KeyID && b.TooOld})
	}
	b.Places = o.places(t, b.Policy)
	return b
}

// tooOld tells whether the current key is older than the policy wants.
func (o *overview) tooOld(t status.Target) bool {
	limit := o.policies[t.Target].MaxAge
	return limit > 0 && t.Since != nil && o.at.Sub(*t.Since) > limit
}

// places lists where the key is, and whether it is the current one.
func (o *overview) places(t status.Target, p Policy) []placeBody {
	var all []placeBody
	for i, st := range t.Stores {
		b := placeBody{Name: st.Store, Current: st.Current, Moved: st.Error == "" && st.Current == t.Current() && st.Current != "", Text: "has the current key"}
		if i < len(p.Places) && p.Places[i].Name == st.Store {
			b.Secret = p.Places[i].Secret
		}
		switch {
		case st.Error != "":
			b.Text = "not known: " + st.Error
		case st.Current == "":
			b.Text = "has no key"
		case st.Pending != "":
			b.Text += "; pending: " + st.Pending
		case !b.Moved:
			b.Text = "does not have the current key yet"
		}
		all = append(all, b)
	}
	for _, s := range t.Sinks {
		b := placeBody{Name: "sink " + s.Sink, Current: s.KeyID, Moved: !s.Behind() && s.Error == "", Text: s.Text()}
		if i := slices.IndexFunc(p.Places, func(place Place) bool { return place.Sink == s.Sink }); i >= 0 {
			b.Name, b.Secret = p.Places[i].Name, p.Places[i].Secret
		}
		all = append(all, b)
	}
	return all
}
