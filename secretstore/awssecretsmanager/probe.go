package awssecretsmanager

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// AWS does not say what a caller may do, but by letting him do it: iam:SimulatePrincipalPolicy
// is a right of its own, that a rotator has no use for. So each call that a rotation
// makes is made in a form that changes nothing. That AWS refuses who may not before it
// looks at what is asked is inferred; no recording shows it.

var _ secretstore.Prober = (*Store)(nil)

// probeLabel is on no version and no secret, but for a moment.
const probeLabel = ours + "doctor"

// ProbeWrites implements [secretstore.Prober]. It makes five calls: DescribeSecret, and
// one for each that a rotation makes to write. One more if the secret does not bear the
// owner's mark yet: it has a tag for a moment then.
func (s *Store) ProbeWrites(ctx context.Context) (secretstore.WriteProbe, error) {
	p, err := s.probeWrites(ctx)
	return p, s.named("probe", err)
}

func (s *Store) probeWrites(ctx context.Context) (p secretstore.WriteProbe, err error) {
	began := time.Now()
	d, err := s.describe(ctx, s.name)
	p.Clock, p.Asked = d.clock, began.Add(time.Since(began)/2)
	switch {
	case isKind(err, secretstore.ErrNotFound) && s.create != nil:
		p.Unknown = append(p.Unknown, "the secret is made by the first write: whether it may (secretsmanager:CreateSecret, TagResource) shows then")
		return p, nil
	case err != nil:
		return p, err
	}
	r := read(d.state)
	if err := r.writable(); err != nil {
		p.Lacking = append(p.Lacking, err.Error())
		return p, nil
	}
	s.probeCalls(ctx, &r, &p)
	s.probeRoom(&r, &p)
	s.probeKey(d.kmsKeyID, &p)
	return p, nil
}

// probeCalls makes each call that writes in a form that changes nothing.
func (s *Store) probeCalls(ctx context.Context, r *reading, p *secretstore.WriteProbe) {
	calls := []struct {
		action string
		make   func() error
	}{
		{"PutSecretValue", func() error { return s.putNothing(ctx, r.arn) }},
		{"UpdateSecretVersionStage", func() error { return s.move(ctx, r.arn, probeLabel, r.someVersion(), "") }},
		{"TagResource", func() error { return s.tagAgain(ctx, r) }},
		// Taking away a tag that is not there is documented to change nothing.
		{"UntagResource", func() error { return s.untag(ctx, r.arn, []string{probeLabel}) }},
	}
	for _, c := range calls {
		err := c.make()
		var e *Error
		switch {
		case err == nil:
		case errors.As(err, &e) && isDenial(e.Code):
			p.Lacking = append(p.Lacking, strings.TrimPrefix(err.Error(), secretstore.ErrDenied.Error()+": "))
		case errors.As(err, &e) && (isRefusal(e.Code) || e.Code == "ResourceNotFoundException"):
			// It was looked at what is asked, and that is refused, as expected.
		default:
			p.Unknown = append(p.Unknown, fmt.Sprintf("may %s be called? %v", c.action, err))
		}
	}
}

// putNothing asks for a version without a value, which AWS refuses (API reference of
// PutSecretValue: one of SecretString and SecretBinary). Were it taken, it would not
// become current.
func (s *Store) putNothing(ctx context.Context, id string) error {
	token := "00000000-0000-4000-8000-000000000000"
	_, err := s.api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(id), ClientRequestToken: &token, VersionStages: []string{probeLabel},
	})
	return s.failed("PutSecretValue", err)
}

// someVersion is one of the secret's. The label that is taken from it is on none.
func (r *reading) someVersion() string {
	if holder := r.holder(); holder != "" {
		return holder
	}
	return "00000000-0000-4000-8000-000000000000"
}

// tagAgain writes the owner's mark over itself or, where there is none yet, a tag that
// the call after it takes away.
func (s *Store) tagAgain(ctx context.Context, r *reading) error {
	if owner, marked := r.tags[tagOwner]; marked {
		return s.tag(ctx, r.arn, []tag{{tagOwner, owner}})
	}
	return s.tag(ctx, r.arn, []tag{{probeLabel, "probe"}})
}

// labelsOfAnIntent is how many labels hold one of few scopes.
const labelsOfAnIntent = 2

// probeRoom counts the labels that a rotation would find: what lies about is cleared
// away, and the previous version is gone before the next rotation.
func (s *Store) probeRoom(r *reading, p *secretstore.WriteProbe) {
	stay := len(r.labels) - len(r.litter())
	if r.previous != "" && r.isOurs(r.previous) {
		stay -= len(r.labelsOn(r.previous))
	}
	if more := labelsOfAnIntent + labelsOfARotation; stay+more > maxLabels {
		w := &write{Store: s, reading: *r}
		p.Lacking = append(p.Lacking, fmt.Sprintf("no room for labels: the secret has %d of the %d that AWS allows, and a rotation needs %d more: %s",
			stay, maxLabels, more, w.whichToRemove()))
	}
}

// probeKey says what is to be known of how the values are encrypted.
func (s *Store) probeKey(id string, p *secretstore.WriteProbe) {
	if id == "" || strings.HasSuffix(id, "alias/aws/secretsmanager") {
		id = ""
	} else {
		p.Unknown = append(p.Unknown, "the secret is encrypted with "+id+": whether kms:GenerateDataKey is allowed shows only when a value is stored")
	}
	if s.create != nil && s.create.KMSKeyID != "" && !sameKey(s.create.KMSKeyID, id) {
		p.Advice = append(p.Advice, fmt.Sprintf("kms_key_id is %s, but is for secrets that are made: this one was there, and is encrypted with %s: "+
			"to change it: aws secretsmanager update-secret --secret-id %s --kms-key-id %s",
			s.create.KMSKeyID, orDefault(id), s.name, s.create.KMSKeyID))
	}
}

// sameKey tells whether two names are of one KMS key, as far as they show it.
func sameKey(a, b string) bool {
	last := func(name string) string { return name[strings.LastIndex(name, ":")+1:] }
	trim := func(name string) string { return strings.TrimPrefix(last(name), "key/") }
	return trim(a) == trim(b)
}

func orDefault(id string) string {
	if id == "" {
		return "the account's aws/secretsmanager"
	}
	return id
}
