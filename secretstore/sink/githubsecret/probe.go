package githubsecret

import (
	"context"
	"fmt"
	"net/http"

	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

var _ sink.Prober = (*Sink)(nil)

// Probe implements [sink.Prober]: may the token see the secrets of the place? GitHub does not
// tell without a write whether it may write them.
func (s *Sink) Probe(ctx context.Context) (string, error) {
	a, err := s.o.Client.call(ctx, http.MethodGet, s.o.Place.secrets(s.o.For)+"/public-key", nil, nil)
	switch {
	case err != nil:
		return "", err
	case a.Status == http.StatusNotFound:
		return "", fmt.Errorf("github: read the public key of %s: it is not there, or the token may not see it: %w", s.o.Place, a.Refused())
	case !a.OK():
		return "", fmt.Errorf("github: read the public key of %s: %w", s.o.Place, withRight(a.Refused(), "Secrets: write"))
	}
	return "the token may see its secrets", nil
}
