package awssecretsmanager

import (
	"context"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// AWS begins a rotation, if that is enabled for a secret, by making a version without a
// value that has AWSPENDING; its name is the token that the rotation function is called
// with. Whatever rotation of the rotator's comes next, of whichever instance, fills it, so
// that the version AWS waits for is the one that becomes current. AWS takes the rotation
// for complete when AWSPENDING is on no version, or on the current one (API reference,
// RotateSecret).
//
// A value cannot be put twice under one name. Where a process dies after it filled the
// version and before that was pending, the next key goes into another version, and takes
// the label kindFor along, which says what it stands for.

// vacancy finds the version that AWS waits for. A reading that may not read values takes it
// for somebody else's pending version, which is left alone.
func (s *Store) vacancy(ctx context.Context, r reading) (string, error) {
	if r.pending == "" || r.pending != r.labels[labelPending] || r.isOurs(r.pending) {
		return "", nil
	}
	v, _, err := s.get(ctx, r.arn, r.pending)
	switch {
	case isKind(err, secretstore.ErrNotFound):
		return r.pending, nil
	case isKind(err, secretstore.ErrDenied):
		return "", nil
	case err != nil || !v.absent:
		return "", err
	default:
		return r.pending, nil
	}
}

func forText(version string) string { return joinMark(kindFor, escape(version)) }

// unfulfilled lists the rotations that AWS began and that no version on a stage is for.
func (r *reading) unfulfilled() []string {
	var texts []string
	if r.vacant != "" {
		texts = append(texts, forText(r.vacant))
	}
	for _, m := range r.marks() {
		if m.kind == kindFor && m.at != "" && !r.holds(m.at) {
			texts = append(texts, m.text)
		}
	}
	return texts
}

var _ storekind.Rotated = (*Store)(nil)

// Begun implements [storekind.Rotated]. It makes one call, or two.
func (s *Store) Begun(ctx context.Context, token string) (storekind.Progress, error) {
	r, err := s.read(ctx)
	if err != nil {
		return storekind.Progress{}, s.named("describe", err)
	}
	p := storekind.Progress{Secret: r.arn, State: storekind.NeverBegun}
	version := token
	if at, marked := r.labels[forText(token)]; marked {
		version, p.State = at, storekind.Begun
	}
	switch {
	case version == "":
	case version == r.vacant:
		p.State = storekind.Begun
	case r.holds(version) && !r.isOurs(version):
		p.State = storekind.PutByOthers
	case version == r.pending:
		p.State = storekind.Staged
	case version == r.current:
		p.State = storekind.Promoted
	case version == r.previous:
		p.State = storekind.Displaced
	case r.isOurs(version):
		p.State = storekind.Begun // killed before it was pending
	}
	if p.State >= storekind.Staged {
		p.KeyID = r.keys[version].id
	}
	return p, nil
}

// IsSecret implements [storekind.Named]. AWS names a secret by its ARN, with six characters
// at the end of its name that it has added.
func (s *Settings) IsSecret(secret, called string) bool {
	if secret == called {
		return true
	}
	is := secretARN().FindStringSubmatch(called)
	if is == nil || s.Region != "" && s.Region != is[1] {
		return false
	}
	const added = len("-xxxxxx")
	if len(is[2]) <= added {
		return false
	}
	if strings.HasPrefix(secret, "arn:") {
		return secret == called[:len(called)-added]
	}
	return secret == is[2][:len(is[2])-added]
}
