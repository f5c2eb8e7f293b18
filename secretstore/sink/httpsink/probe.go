package httpsink

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

var _ sink.Prober = (*Sink)(nil)

// Probe implements [sink.Prober]: is its credential there? What a request of ours would do is
// not known, but for the one that holds_url names.
func (s *Sink) Probe(ctx context.Context) (string, error) {
	f, err := s.facts(ctx)
	if err != nil || f.credential.IsZero() {
		return "", err
	}
	return "its credential is there", nil
}
