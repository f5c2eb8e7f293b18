package gcpsecretmanager

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

var _ secretstore.Prober = (*Store)(nil)

// ProbeWrites implements [secretstore.Prober]. It reads the secret and asks the service
// which permissions the caller has on it, for which none is needed. Where another
// endpoint is configured, it also makes the one write by which a server shows that it
// compares etags, and which it must refuse.
func (s *Store) ProbeWrites(ctx context.Context) (secretstore.WriteProbe, error) {
	p, err := s.probeWrites(ctx)
	return p, s.named("probe", err)
}

func (s *Store) probeWrites(ctx context.Context) (p secretstore.WriteProbe, err error) {
	v, err := s.observe(ctx)
	switch {
	case err != nil:
		return p, err
	case v.absent:
		p.Unknown = append(p.Unknown, "the secret is made by the first write: whether it may (secretmanager.secrets.create on the project) shows then")
		return p, nil
	}
	if err := s.permitted(ctx, &p); err != nil {
		return p, err
	}
	if len(p.Lacking) == 0 {
		if err := s.probe(ctx, v); err != nil {
			return p, err
		}
	}
	s.probeRoom(v, &p)
	return p, nil
}

// needs are the permissions that a rotation uses: see deploy/iam.
func (s *Store) needs() []string {
	gone := "versions.destroy"
	if s.o.Disable {
		gone = "versions.disable"
	}
	needs := []string{"secrets.get", "secrets.update", "versions.get", "versions.access", "versions.add", gone}
	if s.o.KeepVersions > 0 && !s.o.Disable {
		needs = append(needs, "versions.disable")
	}
	for i := range needs {
		needs[i] = "secretmanager." + needs[i]
	}
	return needs
}

// permitted asks which of the permissions there are.
func (s *Store) permitted(ctx context.Context, p *secretstore.WriteProbe) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var head metadata.MD
	began := time.Now()
	answer, err := s.service.client.TestIamPermissions(ctx, &iampb.TestIamPermissionsRequest{
		Resource: s.service.names.secret, Permissions: s.needs(),
	}, gax.WithGRPCOptions(grpc.Header(&head)))
	p.Asked = began.Add(time.Since(began) / 2)
	switch {
	case status.Code(err) == codes.Unimplemented:
		p.Unknown = append(p.Unknown, "the server does not tell which permissions there are")
		return nil
	case err != nil:
		return call{"TestIamPermissions", "no permission", s.service.names.secret}.failed(err)
	}
	if dates := head.Get("date"); len(dates) > 0 {
		p.Clock, _ = http.ParseTime(dates[0]) // zero if it is none
	}
	lacking := slices.DeleteFunc(s.needs(), func(n string) bool { return slices.Contains(answer.GetPermissions(), n) })
	if len(lacking) > 0 {
		p.Lacking = append(p.Lacking, fmt.Sprintf("needs %s on %s", strings.Join(lacking, ", "), s.service.names.secret))
	}
	return nil
}

// roomForARotation is more than it adds to the annotation.
const roomForARotation = 2 << 10

func (s *Store) probeRoom(v view, p *secretstore.WriteProbe) {
	if size := sizeOf(v.annotations); size+roomForARotation >= maxAnnotations {
		p.Lacking = append(p.Lacking, fmt.Sprintf("no room for annotations: they have %d bytes, and must have less than %d with a rotation's: take others away", size, maxAnnotations))
	}
}
