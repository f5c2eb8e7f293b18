package doctor

import "context"

// trail asks whether what is done could be recorded.
func (e *examiner) trail(f *Facts) []question {
	if e.Config.Trail == nil {
		return nil
	}
	f.Trail = &Trail{Written: ErrNotAnswered, Warn: e.Config.Trail.Warn}
	return []question{{theTrail, "can it be written?", func(ctx context.Context) func() {
		err := timely(ctx, e.conn.ProbeTrail(ctx))
		return func() { f.Trail.Written = err }
	}}}
}
