package fleet

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
)

// Sink opens one place in one of the configured sinks, for a target.
func (c *Connections) Sink(ctx context.Context, target string, ref config.SinkRef) sink.Sink {
	cfg := c.Config.Sinks[ref.Sink]
	readers := map[string]func(context.Context) (secret.Value, error){}
	for name, credential := range cfg.Credentials {
		readers[name] = c.reader(ctx, credential)
	}
	s, err := cfg.Settings.Open(ctx, c.env, sinkkind.Opening{
		Section: ref.Sink, Place: ref.Place, Target: target, Environ: c.EnvironmentForPrograms(),
		Credential: func(ctx context.Context, name string) (secret.Value, error) {
			if read, ok := readers[name]; ok {
				return read(ctx)
			}
			return secret.Value{}, nil
		},
	})
	if err != nil {
		return unopenedSink{sinkkind.Name(ref.Sink, ref.Place), err}
	}
	return s
}

// unopenedSink stands for a sink that could not be opened. What it has is not known, so it
// says that it could tell, and fails.
type unopenedSink struct {
	name string
	err  error
}

var _ sink.Holder = unopenedSink{}

func (u unopenedSink) Name() string { return u.name }

func (u unopenedSink) Put(context.Context, string, secret.Value) error { return u.err }

func (u unopenedSink) Holds(context.Context) (string, error) { return "", u.err }
