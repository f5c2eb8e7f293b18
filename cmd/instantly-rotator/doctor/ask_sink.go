package doctor

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// sinks asks what can be known of each without a write.
func (e *examiner) sinks(f *Facts) []question {
	var opened []sink.Sink
	for _, t := range e.fleet.Targets {
		for _, s := range t.Sinks {
			opened = append(opened, s)
			f.Sinks = append(f.Sinks, Sink{Target: t.Name, Name: s.Name(), Asked: ErrNotAnswered})
		}
	}
	var qs []question
	for i, one := range opened {
		s := &f.Sinks[i]
		qs = append(qs, question{s.about(), "which key does it have?", func(ctx context.Context) func() {
			found, err := probed(ctx, one)
			err = timely(ctx, err)
			return func() { s.Found, s.Asked = found, err }
		}})
	}
	return qs
}

// probed never writes.
func probed(ctx context.Context, s sink.Sink) (found string, err error) {
	if prober, ok := s.(sink.Prober); ok {
		if found, err = prober.Probe(ctx); err != nil {
			return "", err
		}
	}
	holder, ok := s.(sink.Holder)
	if !ok {
		return found, nil
	}
	switch id, err := holder.Holds(ctx); {
	case err != nil:
		return "", err
	case id == "":
		return "it answers, and has no key of ours", nil
	default:
		return "it answers, and has key " + id, nil
	}
}
