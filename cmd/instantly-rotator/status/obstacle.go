package status

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Obstacle is what is in the way of several targets: a workspace, or a store, that
// cannot be worked with.
type Obstacle struct {
	Workspace, Store string // one of the two
	Targets          []string
	Text, Hint       string
	Unanswered       bool // nothing else is known
}

// sortedError is the error that is in the way of a target.
type sortedError struct {
	workspace, store string // empty: of the target alone
	class            string
	text, hint       string
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
	text, said := strings.CutPrefix(ob.text, "workspace "+o.Workspace+": ")
	if said || class.Scope == rotator.ScopeWorkspace || unanswered(err) {
		ob.workspace, ob.text = o.Workspace, text
	}
	return ob
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
		if ob == nil || (ob.workspace == "" && ob.store == "") {
			continue
		}
		kind := sortedError{workspace: ob.workspace, store: ob.store, class: ob.class}
		if t.Unanswered {
			kind.class = ""
		}
		i, known := at[kind]
		if !known {
			i = len(all)
			at[kind] = i
			all = append(all, Obstacle{Workspace: ob.workspace, Store: ob.store, Text: ob.text, Hint: ob.hint})
			if t.Unanswered && r.Timeout > 0 {
				all[i].Text, all[i].Unanswered = fmt.Sprintf("not answered within %s", r.Timeout), true
			}
		}
		all[i].Targets = append(all[i].Targets, t.Target)
	}
	return all
}

// Remarks are what people should know or do about the target, beside what
// [Report.Obstacles] says.
func (t Target) Remarks() []string {
	if ob := t.obstacle; ob == nil || ob.workspace != "" || ob.store != "" {
		return t.remarks
	}
	return t.Hints
}
