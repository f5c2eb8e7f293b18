package azurekeyvault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

var _ secretstore.Prober = (*Store)(nil)

// noVersion has the form of a version's name and is none.
const noVersion = "00000000000000000000000000000000"

// ProbeWrites implements [secretstore.Prober]. It reads the secret and asks to disable a
// version that there is not, which is found out after the caller's rights.
func (s *Store) ProbeWrites(ctx context.Context) (secretstore.WriteProbe, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return secretstore.WriteProbe{}, s.named("probe", err)
	}
	var p secretstore.WriteProbe
	for _, name := range []string{s.o.Secret, s.stateName()} {
		switch e := s.client.mayUpdate(ctx, name); {
		case e == nil:
		case !errors.Is(e, secretstore.ErrDenied):
			p.Unknown = append(p.Unknown, e.Error())
		default:
			p.Lacking = append(p.Lacking, fmt.Sprintf("%s on %s/secrets/%s", e.advice(), s.client.vault, name))
		}
	}
	p.Unknown = append(p.Unknown, "whether values may be set ("+actions+"setSecret/action): the vault tells by setting one")
	if _, err := tagsFor(v.top, s.o.Owner, record{}); err != nil {
		p.Lacking = append(p.Lacking, strings.TrimPrefix(err.Error(), secretstore.ErrDenied.Error()+": "))
	}
	p.Asked = s.o.Now()
	p.Clock = s.client.clock(ctx, s.o.Secret)
	return p, nil
}
