package kubernetessecret

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

var _ secretstore.Prober = (*Store)(nil)

// ProbeWrites implements [secretstore.Prober]. It reads the Secret and asks the cluster
// what the rotator may do with it.
func (s *Store) ProbeWrites(ctx context.Context) (secretstore.WriteProbe, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return secretstore.WriteProbe{}, s.named("probe", err)
	}
	var p secretstore.WriteProbe
	for _, a := range s.needs(v) {
		switch allowed, err := s.cluster.Allowed(ctx, a); {
		case err != nil:
			p.Unknown = append(p.Unknown, err.Error())
		case !allowed:
			p.Lacking = append(p.Lacking, "needs "+a.String())
		}
	}
	if err := s.writable(v, s.trial(v)); err != nil && !v.absent {
		p.Lacking = append(p.Lacking, strings.TrimPrefix(err.Error(), secretstore.ErrDenied.Error()+": "))
	}
	p.Clock, p.Asked = s.cluster.Clock()
	return p, nil
}

// needs are the rights that a rotation uses.
func (s *Store) needs(v view) []kubernetescluster.Access {
	right := func(verb, name string) kubernetescluster.Access {
		return kubernetescluster.Access{Verb: verb, Resource: "secrets", Namespace: s.o.Namespace, Name: name}
	}
	rights := []kubernetescluster.Access{right("get", s.o.Secret), right("patch", s.o.Secret)}
	if v.absent {
		rights = append(rights, right("create", ""))
	}
	return rights
}

// trial is the beginning of a rotation, which is not written.
func (s *Store) trial(v view) change {
	notes := v.state.Notes
	notes.Intent = secretstore.Intent{Nonce: "trial", At: s.o.Now(), Grace: time.Hour, Holder: fmt.Sprintf("%*s", secretstore.MaxHolder, "")}
	return change{next: v.state.Annotate(notes)}
}
