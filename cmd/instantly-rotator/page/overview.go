package page

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// rowsShown is how many targets a page lists.
const rowsShown = 50

// overview is the picture that the pages are drawn from, made at one moment. Nothing
// changes it afterwards.
type overview struct {
	Process   Process
	Assurance status.Assurance
	// Oldest is when the target was looked at that was looked at longest ago; nil if there
	// is one that never was. Stale: that is too long ago.
	Oldest *time.Time
	Stale  bool
	// Needs somebody, and is only to be known.
	Trouble, Notices []cause
	Incidents        []openIncident
	Unmoved          []unmoved
	Health           []health
	Expected         int

	at       time.Time
	targets  []status.Target // by name
	order    []int           // of the targets: what matters most comes first
	states   []stateCount    // that targets are in
	byName   map[string]int
	policies map[string]Policy
	pasted   func(string) string
}

// overview gives the picture, which is at most a moment old.
func (s *Site) overview() *overview {
	s.mu.Lock()
	defer s.mu.Unlock()
	age := time.Duration(0)
	if s.drawn != nil {
		age = s.Now().Sub(s.drawn.at)
	}
	switch {
	case s.drawn == nil || age < 0 || age > oldest:
		s.drawn = draw(s.Source)
	case age >= RedrawAfter && !s.drawing:
		s.drawing = true
		go s.redraw()
	}
	return s.drawn
}

// redraw draws the next picture.
func (s *Site) redraw() {
	next := draw(s.Source)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawing = false
	if next.at.After(s.drawn.at) {
		s.drawn = next
	}
}

// draw makes the picture.
func draw(from Source) *overview {
	o := &overview{
		Process: from.Process(), at: from.Now(), targets: from.Report().Targets,
		byName: map[string]int{}, policies: map[string]Policy{}, pasted: from.Pasted,
	}
	for _, p := range from.Policies() {
		o.policies[p.Target] = p
	}
	o.Expected = len(o.policies)
	for i, t := range o.targets {
		o.byName[t.Target] = i
	}
	o.sort()
	report := status.Report{Targets: o.targets}
	o.Assurance = report.Assurance(o.at, o.Process.stale(), o.Expected)
	o.age()
	o.Trouble, o.Notices = o.causes(report)
	o.Incidents, o.Unmoved = o.incidents(), o.notMoved()
	o.Health = o.health(report)
	return o
}

// age finds out how old what is shown is.
func (o *overview) age() {
	never := len(o.targets) < o.Expected
	for _, t := range o.targets {
		switch {
		case t.KnownAt == nil:
			never = true
		case o.Oldest == nil || t.KnownAt.Before(*o.Oldest):
			o.Oldest = t.KnownAt
		}
	}
	o.Stale = o.Oldest != nil && o.at.Sub(*o.Oldest) > o.Process.stale()
	if never {
		o.Oldest = nil
	}
}

// named tells whether there is such a target.
func (o *overview) named(name string) bool {
	_, ok := o.policies[name]
	return ok
}

func (o *overview) segments(text string) []segment { return segments(text, o.named) }

// openIncident is one that is not resolved.
type openIncident struct {
	ID      string
	Since   time.Time
	Targets []string
	More    int
	// Replaced counts the targets whose current key is from after it.
	Replaced, All int
}

// incidents lists those that are open, the oldest first.
func (o *overview) incidents() []openIncident {
	at := map[string]int{}
	var all []openIncident
	for _, t := range o.targets {
		if t.Incident == nil {
			continue
		}
		i, known := at[t.Incident.ID]
		if !known {
			i = len(all)
			at[t.Incident.ID] = i
			all = append(all, openIncident{ID: t.Incident.ID, Since: t.Incident.At})
		}
		in := &all[i]
		in.All++
		if t.Incident.At.Before(in.Since) {
			in.Since = t.Incident.At
		}
		if t.Since != nil && !t.Since.Before(t.Incident.At) {
			in.Replaced++
		}
		in.Targets = append(in.Targets, t.Target)
	}
	for i := range all {
		all[i].Targets, all[i].More = shortened(all[i].Targets)
	}
	slices.SortFunc(all, func(a, b openIncident) int { return a.Since.Compare(b.Since) })
	return all
}

// shortened gives as many names as one reads, and how many more there are.
func shortened(names []string) ([]string, int) {
	n := min(len(names), mostNames)
	return names[:n], len(names) - n
}

// unmoved is a target whose consumers, or places, may still have the old key.
type unmoved struct {
	Target string
	What   string
	Since  *time.Time
}

// mostUnmoved is how many are listed.
const mostUnmoved = 25

// UnmovedShown are as many as one reads.
func (o *overview) UnmovedShown() []unmoved { return o.Unmoved[:min(len(o.Unmoved), mostUnmoved)] }

// UnmovedMore is how many there are that are not shown.
func (o *overview) UnmovedMore() int { return max(0, len(o.Unmoved)-mostUnmoved) }

func (o *overview) notMoved() []unmoved {
	var all []unmoved
	for _, t := range o.targets {
		all = append(all, notMovedOf(t)...)
	}
	slices.SortStableFunc(all, func(a, b unmoved) int { return compareTimes(a.Since, b.Since) })
	return all
}

// notMovedOf lists what of a target may still have the old key, or none.
func notMovedOf(t status.Target) (all []unmoved) {
	for _, st := range behind(t) {
		what := "place " + st.Store + " does not have the current key yet"
		if st.Error != "" {
			what = "place " + st.Store + ": not known: " + st.Error
		}
		all = append(all, unmoved{t.Target, what, t.Since})
	}
	for _, s := range t.SinksBehind() {
		all = append(all, unmoved{t.Target, "sink " + s.Sink + " " + s.Text(), t.Since})
	}
	if gates := gatesOf(t); len(gates) > 0 {
		all = append(all, unmoved{t.Target, strings.Join(gates, ", "), t.Since})
	}
	return all
}

// gatesOf names what an old key waits for beside the sinks.
func gatesOf(t status.Target) (names []string) {
	for _, old := range t.OldKeys {
		if len(old.WaitsFor) > 0 && !old.Gone {
			names = slices.Clone(old.WaitsFor)
			break
		}
	}
	for _, s := range t.Sinks {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "sink "+s.Sink })
	}
	return names
}

// compareTimes puts what is not known last.
func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	default:
		return a.Compare(*b)
	}
}

// row is a target in the list.
type row struct {
	Target, Workspace string
	State             pill
	Key               string
	Since             *time.Time
	Life              string
	By                string
	Next              string
	NextAt            *time.Time
}

// listed is the part of the list that was asked for.
type listed struct {
	Query, State, Workspace string
	Rows                    []row
	Found, All              int
	Page, Pages             int
	Prev, Next              string
	States                  []stateCount
}

// stateCount is how many targets are so.
type stateCount struct {
	State    status.State
	N        int
	Selected bool
}

// sort puts what matters most first, and counts.
func (o *overview) sort() {
	in := map[status.State][]int{}
	for i := range o.targets {
		state := o.targets[i].State
		in[state] = append(in[state], i)
	}
	for _, state := range status.States() {
		if len(in[state]) > 0 {
			o.order = append(o.order, in[state]...)
			o.states = append(o.states, stateCount{State: state, N: len(in[state])})
		}
	}
}

// list finds the targets that a query asks for.
func (o *overview) list(query url.Values) listed {
	l := listed{Query: strings.TrimSpace(query.Get("q")), State: query.Get("state"), Workspace: query.Get("workspace"), All: len(o.targets)}
	asked, _ := strconv.Atoi(query.Get("page")) // anything else is the first
	var found []int
	for _, i := range o.order {
		t := &o.targets[i]
		if (l.Query == "" || strings.Contains(t.Target, l.Query) || strings.Contains(t.KeyID, l.Query)) &&
			(l.State == "" || string(t.State) == l.State) && (l.Workspace == "" || t.Workspace == l.Workspace) {
			found = append(found, i)
		}
	}
	for _, c := range o.states {
		c.Selected = l.State == string(c.State)
		l.States = append(l.States, c)
	}
	l.Found, l.Pages = len(found), (len(found)+rowsShown-1)/rowsShown
	l.Page = max(1, min(asked, l.Pages))
	for _, i := range found[min(len(found), (l.Page-1)*rowsShown):min(len(found), l.Page*rowsShown)] {
		l.Rows = append(l.Rows, o.row(o.targets[i]))
	}
	l.Prev, l.Next = l.link(query, l.Page-1), l.link(query, l.Page+1)
	return l
}

// link is to another part of the list; empty if there is none.
func (l listed) link(query url.Values, page int) string {
	if page < 1 || page > l.Pages {
		return ""
	}
	to := url.Values{}
	for _, name := range []string{"q", "state", "workspace"} {
		if v := query.Get(name); v != "" {
			to.Set(name, v)
		}
	}
	to.Set("page", strconv.Itoa(page))
	return "?" + to.Encode() + "#targets"
}

func (o *overview) row(t status.Target) row {
	r := row{Target: t.Target, Workspace: t.Workspace, State: o.pill(t), Key: t.KeyID, Since: t.Since, Life: lifeOf(t, o.at).Text}
	if t.Rotation != nil {
		r.By = t.Rotation.By
	}
	r.Next, r.NextAt = nextOf(t)
	return r
}

// pill is a state as it is shown.
type pill struct{ Text, Tone string }

// pill shows the state of a target: nothing is good that is not known any more.
func (o *overview) pill(t status.Target) pill {
	assured, _ := t.Assured(o.at, o.Process.stale())
	if assured == status.NotKnown && t.State.Severity() != status.Trouble {
		return pill{"not known", "warn"}
	}
	return pill{t.State.Text(), tone(t.State)}
}

// overviewPage shows the main page.
func (s *Site) overviewPage(w http.ResponseWriter, r *http.Request) {
	o := s.overview()
	body := struct {
		*overview
		List listed
	}{o, o.list(r.URL.Query())}
	s.render(w, r, http.StatusOK, "overview.html", s.view("overview", headline(o.Assurance), body))
}

func (s *Site) view(here, title string, body any) view {
	return view{Title: title, Here: here, Now: s.Now(), CanLeave: !s.Gate.Open(), Refresh: true, Body: body}
}

// headline is the title of the window: what a tab shows of it.
func headline(a status.Assurance) string {
	if a.Assured == status.NotKnown && a.Since != nil {
		return "keys: not known since " + humantime.Stamp(*a.Since)
	}
	return "working keys: " + string(a.Assured)
}
