package rotatortest

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// A ledger is the trail of an instance: it judges that nothing is done without an intent.
type ledger struct {
	in *Instance

	mu   sync.Mutex
	open []*rotator.Effect
	// issued: an issue was intended, which covers that its key is stored, or revoked.
	issued bool
}

// Intend implements [rotator.Trail]. Where the world says so, writing the trail is an outside
// call, which may fail, and after which the process may be dead.
func (l *ledger) Intend(e rotator.Effect) (func(rotator.Outcome), error) {
	if err := l.call("intent"); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, &e)
	l.issued = l.issued || e.Verb == rotator.Issue
	return func(rotator.Outcome) {
		_ = l.call("outcome") // it is kept, and told later
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open = slices.DeleteFunc(l.open, func(o *rotator.Effect) bool { return o == &e })
	}, nil
}

func (l *ledger) call(name string) error {
	if !l.in.Trailed {
		return nil
	}
	return Hook(l.in.intercept).around(context.Background(), name, func() error { return nil })
}

// judge notes an effect that no intent tells of.
func (l *ledger) judge(call string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name, _, _ := strings.Cut(call, "@")
	verbs, effect := map[string][]rotator.Verb{
		"create":   {rotator.Issue},
		"delete":   {rotator.Revoke, rotator.Sweep, rotator.Discard, rotator.Issue},
		"stage":    {rotator.Stage},
		"promote":  {rotator.Promote, rotator.Repair},
		"destroy":  {rotator.Destroy, rotator.Discard},
		"annotate": nil, // any
		"supply":   {rotator.Supply},
		"works":    {rotator.CheckSink},
	}[name]
	if !effect || l.issued && (call == "stage@0" || call == "delete") {
		return
	}
	if !slices.ContainsFunc(l.open, func(e *rotator.Effect) bool {
		return (verbs == nil || slices.Contains(verbs, e.Verb)) && (name != "supply" || e.Sink == l.in.sinkOf(call))
	}) {
		l.in.mu.Lock()
		defer l.in.mu.Unlock()
		l.in.violate("trail: %s without an intent", call)
	}
}
