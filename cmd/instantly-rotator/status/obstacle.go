package status

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Obstacle is what is in the way of several targets: a workspace, a store or a sink that
// cannot be worked with.
type Obstacle struct {
	Workspace, Store, Sink string // one of them
	Targets                []string
	Text, Hint             string
	Unanswered             bool // nothing else is known
	Each                   bool // the cause is another one for each target: see its remarks
}

// Name says what it is.
func (o Obstacle) Name() string {
	switch {
	case o.Store != "":
		return "store " + o.Store
	case o.Sink != "":
		return "sink " + o.Sink
	default:
		return "workspace " + o.Workspace
	}
}

// sortedError is the error that is in the way of a target.
type sortedError struct {
	workspace, store, sink string // empty: of the target alone
	class                  string
	text, hint             string
	// plain is the text of a sink without what is of the target's own place in it.
	plain string
}

// shared tells whether it is in the way of more than one target, or may be.
func (e *sortedError) shared() bool {
	return e != nil && (e.workspace != "" || e.store != "" || e.sink != "")
}

// sortError sorts it by what it is in the way of.
func sortError(o rotator.TargetStatus) *sortedError {
	err := o.Next.Err
	if err == nil {
		return nil
	}
	class := rotator.ClassOf(err)
	ob := &sortedError{class: class.Name, text: err.Error(), hint: remedy.For(err, o.Target)}
	for _, st := range o.Stores {
		text, said := strings.CutPrefix(ob.text, "store "+st.Name+": ")
		if said || st.Err != nil && errors.Is(err, st.Err) {
			ob.store, ob.text = st.Name, text
			return ob
		}
	}
	if ob.ofSink(err, o) {
		return ob
	}
	text, said := strings.CutPrefix(ob.text, "workspace "+o.Workspace+": ")
	if said || class.Scope == rotator.ScopeWorkspace || unanswered(err) {
		ob.workspace, ob.text = o.Workspace, text
	}
	return ob
}

// sinkInIncident is what can be done about a sink then: no old key lives on for it.
const sinkInIncident = "the old key is revoked without waiting for the sink: what uses it fails until it has the current one; see to the sink that the message names, and it is tried again"

// ofSink tells whether it is of a sink, and says so then: which key the sink has is among
// the remarks.
func (e *sortedError) ofSink(err error, o rotator.TargetStatus) bool {
	what := rotator.ErrSinkBehind
	if errors.Is(err, rotator.ErrSinkNotYet) {
		what = rotator.ErrSinkNotYet
	} else if !errors.Is(err, what) {
		return false
	}
	for _, s := range sinksOf(o) {
		if !strings.HasPrefix(e.text, "sink "+s.Sink+": ") {
			continue
		}
		e.sink, e.plain, e.text = s.Section(), what.Error(), what.Error()
		if s.Error != "" {
			e.text += ": " + s.Error
		}
		if !o.Incident.IsZero() {
			e.class, e.hint = e.class+" in an incident", sinkInIncident
		}
		return true
	}
	return false
}

// unanswered tells whether somebody did not answer in time, which says nothing else.
func unanswered(err error) bool { return errors.Is(err, context.DeadlineExceeded) }

// Obstacles gives what is in the way of more than one target, or may be: each once, in
// the order of the targets.
func (r Report) Obstacles() []Obstacle {
	var all []Obstacle
	at := map[sortedError]int{}
	for _, t := range r.Targets {
		ob := t.obstacle
		if !ob.shared() {
			continue
		}
		kind := sortedError{workspace: ob.workspace, store: ob.store, sink: ob.sink, class: ob.class}
		if t.Unanswered {
			kind.class = ""
		}
		i, known := at[kind]
		if !known {
			i = len(all)
			at[kind] = i
			all = append(all, Obstacle{Workspace: ob.workspace, Store: ob.store, Sink: ob.sink, Text: ob.text, Hint: ob.hint})
			if t.Unanswered && r.Timeout > 0 {
				all[i].Text, all[i].Unanswered = fmt.Sprintf("not answered within %s", r.Timeout), true
			}
		}
		if ob.sink != "" && all[i].Text != ob.text {
			all[i].Text, all[i].Each = ob.plain, true
		}
		all[i].Targets = append(all[i].Targets, t.Target)
	}
	return all
}

// Remarks are what people should know or do about the target, beside what
// [Report.Obstacles] says.
func (t Target) Remarks() []string {
	if t.obstacle == nil || t.obstacle.shared() {
		return t.remarks
	}
	return t.Hints
}
