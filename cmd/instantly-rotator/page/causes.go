package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

const (
	// mostNames is how many names are told of what concerns many.
	mostNames = 8
	// mostAlike is how many targets are told one by one of those that have the same trouble.
	mostAlike = 5
)

// cause is what several targets suffer from, said once.
type cause struct {
	Title string
	State status.State
	// Text of what it is and what to do, where that is the same for all.
	Text    []segment
	Targets []string
	More    int
	// All is a link to all of them, if they are not all named.
	All string
	N   int
	// Single are the targets of which different things are to be said.
	Single []remarked

	rank int
}

// remarked is a target with what a person should know of it.
type remarked struct {
	Target string
	Texts  [][]segment
}

// causes sorts what is not in order into what needs somebody and what is only to be known.
func (o *overview) causes(report status.Report) (trouble, notices []cause) {
	told := map[string]bool{}
	for _, ob := range report.Obstacles() {
		c := o.obstacle(ob)
		for _, name := range ob.Targets {
			told[name] = true
		}
		trouble = append(trouble, c)
	}
	groups := map[status.State][]*status.Target{}
	severities := map[status.State]status.Severity{}
	for _, state := range status.States() {
		severities[state] = state.Severity()
	}
	for i := range o.targets {
		t := &o.targets[i]
		if state := worst(t); severities[state] != status.Fine && (!told[t.Target] || !explains(state)) {
			groups[state] = append(groups[state], t)
		}
	}
	ranks := status.States()
	for state, targets := range groups {
		c := o.causeOf(state, targets)
		c.rank = slices.Index(ranks, state)
		if state.Severity() == status.Trouble {
			trouble = append(trouble, c)
		} else {
			notices = append(notices, c)
		}
	}
	byRank := func(a, b cause) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Title, b.Title)) }
	slices.SortStableFunc(trouble, byRank)
	slices.SortStableFunc(notices, byRank)
	if c, ok := o.unseen(); ok {
		trouble = append(trouble, c)
	}
	return trouble, notices
}

// obstacle is what is in the way of several targets.
func (o *overview) obstacle(ob status.Obstacle) cause {
	c := cause{Title: sentence(ob.Name()) + ": " + ob.Text, State: status.Blocked, N: len(ob.Targets)}
	if ob.Unanswered {
		c.State = status.Unanswered
	}
	c.Text = o.segments(o.pasted(ob.Hint))
	if ob.Sink != "" {
		c.Text = append(c.Text, segment{Text: ". Not to wait: "}, segment{o.pasted(retry(ob.Targets)), true})
	} else {
		c.Text = o.withCommand(c.Text)
	}
	named := ob.Targets
	if ob.Each {
		for _, name := range ob.Targets[:min(len(ob.Targets), mostAlike)] {
			single := remarked{Target: name}
			for _, s := range o.targets[o.byName[name]].SinksBehind() {
				single.Texts = append(single.Texts, []segment{{Text: "sink " + s.Sink + " " + s.Text()}})
			}
			c.Single = append(c.Single, single)
		}
		named = named[len(c.Single):]
	}
	c.Targets, c.More = shortened(named)
	c.All = "?state=" + string(c.State) + "#targets"
	return c
}

// retry is the command that tries again with these targets: with all, if they are many.
func retry(targets []string) string {
	command := remedy.Program + " rotate --due"
	if len(targets) <= mostNames {
		command += " " + strings.Join(targets, " ")
	}
	return command
}

// withCommand ends a text that has no command with the one that finds out more.
func (o *overview) withCommand(text []segment) []segment {
	if slices.ContainsFunc(text, func(s segment) bool { return s.Command }) {
		return text
	}
	if len(text) > 0 {
		text = append(text, segment{Text: ". "})
	}
	return append(text, segment{Text: "To find out more: "}, segment{o.pasted(remedy.Program + " doctor"), true})
}

// worst is the state of a target, or that of what its state does not tell: a store that
// gave no key that works when that was last tested.
func worst(t *status.Target) status.State {
	if len(t.Wrong) > 0 && !t.Dead {
		return status.DeadKey
	}
	return t.State
}

// explains tells whether an obstacle is all that a target's state says.
func explains(state status.State) bool {
	return state == status.Blocked || state == status.Unanswered || state == status.Failing
}

func (o *overview) causeOf(state status.State, targets []*status.Target) cause {
	c := cause{Title: sentence(meaning(state)), State: state, N: len(targets)}
	var names []string
	for _, t := range targets {
		names = append(names, t.Target)
	}
	if len(targets) > mostAlike {
		c.All = "?state=" + string(state) + "#targets"
	}
	for _, t := range targets[:min(len(targets), mostAlike)] {
		single := remarked{Target: t.Target}
		for _, text := range t.Wrong {
			single.Texts = append(single.Texts, o.segments(text))
		}
		texts := t.Hints
		if t.Error != "" && !slices.ContainsFunc(texts, func(h string) bool { return strings.Contains(t.Error, h) }) {
			texts = append([]string{t.Error}, texts...)
		}
		for _, text := range texts {
			single.Texts = append(single.Texts, o.segments(text))
		}
		if len(single.Texts) == 0 {
			single.Texts = [][]segment{{{Text: t.Reason}}}
		}
		c.Single = append(c.Single, single)
	}
	c.Targets, c.More = shortened(names[len(c.Single):])
	return c
}

// unseen are the targets that were not looked at yet, or not lately.
func (o *overview) unseen() (cause, bool) {
	var names []string
	for i := range o.targets {
		t := &o.targets[i]
		if assured, _ := t.Assured(o.at, o.Process.stale()); assured == status.NotKnown && t.State.Severity() != status.Trouble {
			names = append(names, t.Target)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.policies)) {
		if _, shown := o.byName[name]; !shown {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return cause{}, false
	}
	c := cause{Title: "Not looked at yet, or too long ago", State: status.Unanswered, N: len(names), rank: len(status.States())}
	switch {
	case o.Process.Standing:
		c.Text = []segment{{Text: "This instance stands by: ask the one that leads."}}
	case o.Process.Unasked:
		c.Text = []segment{{Text: "Nobody is known to work on them: the election cannot be asked which instance leads; the log says why."}}
	case o.Process.Hung != "":
		c.Text = []segment{{Text: o.Process.Hung + ": see its log, and start it again."}}
	default:
		c.Text = []segment{{Text: "Every target is read each " + humantime.Span(o.Process.Resync) + "; the log says what keeps it."}}
	}
	c.Targets, c.More = shortened(names)
	return c, true
}

// sentence begins with a capital letter.
func sentence(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// health is how something is that the rotator needs.
type health struct {
	Name string
	// OK, or else it is in the way; neither: Unknown.
	OK, Unknown bool
	Text        string
}

// health tells of the instance, its configuration, each workspace and each store.
func (o *overview) health(report status.Report) []health {
	p := o.Process
	all := []health{o.instance(), {Name: "Configuration", OK: p.Refused == "", Text: "in force since " + humantime.Stamp(p.Reloaded)}}
	if p.Refused != "" {
		all[1].Text = fmt.Sprintf("the changed one is refused since %s; that of %s is in force: %s", humantime.Stamp(p.RefusedAt), humantime.Stamp(p.Reloaded), p.Refused)
	}
	trouble := map[string]string{}
	for _, ob := range report.Obstacles() {
		name := sentence(ob.Name())
		if ob.Workspace != "" {
			name = "Instantly, workspace " + ob.Workspace
		}
		if trouble[name] == "" {
			trouble[name] = ob.Text
		}
	}
	known := o.needed()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		h := health{Name: name, OK: trouble[name] == "" && known[name], Unknown: trouble[name] == "" && !known[name], Text: trouble[name]}
		if ws, ok := strings.CutPrefix(name, "Instantly, workspace "); ok && p.CircuitOpen[ws] {
			h.OK, h.Unknown, h.Text = false, false, "nothing is begun while calls fail: "+cmp.Or(h.Text, "tried again by itself")
		}
		switch {
		case h.Unknown:
			h.Text = "not known"
		case h.OK && strings.HasPrefix(name, "Sink "):
			h.Text = "has what it was to be given"
		case h.OK:
			h.Text = "answers"
		}
		all = append(all, h)
	}
	return all
}

// needed lists what keys come from and go to, and whether it is known how that is: of a
// sink, which perhaps cannot be asked, only by the keys that it is known to have.
func (o *overview) needed() map[string]bool {
	workspaces, stores, behind := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range o.targets {
		t := &o.targets[i]
		seen := t.KnownAt != nil && o.at.Sub(*t.KnownAt) <= o.Process.stale()
		workspaces[t.Workspace] = workspaces[t.Workspace] || seen
		for _, st := range t.Stores {
			stores[st.Store] = stores[st.Store] || seen
		}
		for _, s := range t.Sinks {
			behind[s.Section()] = behind[s.Section()] || !seen || s.Behind() || s.Error != ""
		}
	}
	known := map[string]bool{}
	for name, some := range behind {
		known["Sink "+name] = !some
	}
	for name, seen := range workspaces {
		known["Instantly, workspace "+name] = seen
	}
	for name, seen := range stores {
		known["Store "+name] = seen
	}
	return known
}

func (o *overview) instance() health {
	p := o.Process
	h := health{Name: "Instance " + p.Instance, OK: p.Leads && p.Hung == "", Unknown: !p.Leads && p.Hung == "" && !p.Unasked, Text: "works on the targets"}
	switch {
	case p.Hung != "":
		h.Text = p.Hung
	case p.Standing:
		h.Text = "stands by; another instance works"
	case p.Unasked:
		h.Text = "waits: the election cannot be asked which instance leads"
	case !p.Leads:
		h.Text = "starts"
	}
	return h
}
