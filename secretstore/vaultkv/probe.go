package vaultkv

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

var _ secretstore.Prober = (*Store)(nil)

// need is a capability that a rotation uses.
type need struct{ path, capability string }

// needs are all of them.
func (s *Store) needs() []need {
	public, own := s.o.Mount+"/data/"+s.o.Path, s.o.Mount+"/data/"+s.statePath
	return []need{
		{public, "read"}, {public, "create"}, {public, "update"}, {s.o.Mount + "/destroy/" + s.o.Path, "update"},
		{own, "read"}, {own, "create"}, {own, "update"},
		{s.o.Mount + "/metadata/" + s.statePath, "create"}, {s.o.Mount + "/metadata/" + s.statePath, "update"},
	}
}

// ProbeWrites implements [secretstore.Prober]. It reads the secret and asks the server
// what the token may do.
func (s *Store) ProbeWrites(ctx context.Context) (secretstore.WriteProbe, error) {
	v, err := s.observe(ctx)
	if err != nil {
		return secretstore.WriteProbe{}, s.named("probe", err)
	}
	p := secretstore.WriteProbe{Advice: s.advice(v)}
	needs, paths := s.needs(), []string{}
	for _, n := range needs {
		if !slices.Contains(paths, n.path) {
			paths = append(paths, n.path)
		}
	}
	granted, err := s.engine.capabilities(ctx, paths)
	if err != nil {
		p.Unknown = append(p.Unknown, err.Error())
		return p, nil
	}
	for _, path := range paths {
		var lacks []string
		for _, n := range needs {
			if n.path == path && !may(granted[path], n.capability) {
				lacks = append(lacks, n.capability)
			}
		}
		if len(lacks) > 0 {
			p.Lacking = append(p.Lacking, fmt.Sprintf("needs %s on %s", strings.Join(lacks, ", "), path))
		}
	}
	return p, nil
}

// may tells whether a capability is among those that were granted.
func may(granted []string, capability string) bool {
	return slices.Contains(granted, capability) || slices.Contains(granted, "root")
}
