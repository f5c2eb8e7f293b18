package doctor

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// senders asks the engine what is in the way of the next secret of webhooks.
func (e *examiner) senders(f *Facts) []question {
	var targets []rotator.Target
	for _, t := range e.fleet.Targets {
		if t.Senders != nil {
			targets = append(targets, t)
			f.Senders = append(f.Senders, Sender{Target: t.Name, Workspace: t.Workspace.Name, Replaced: ErrNotAnswered})
		}
	}
	var qs []question
	for i, t := range targets {
		qs = append(qs, question{f.Senders[i].Target, "what do its webhooks send?", func(ctx context.Context) func() {
			seen := e.fleet.Glance(ctx, []rotator.Target{t}, rotator.Request{})[0]
			err := timely(ctx, seen.Next.Err)
			return func() { f.Senders[i].Replaced = err }
		}})
	}
	return qs
}
