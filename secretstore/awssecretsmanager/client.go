package awssecretsmanager

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// client makes the calls, one method each. Reads are repeated by the SDK, and
// so is PutSecretValue, whose token makes a repetition harmless. Calls that
// move labels are not: a repetition of one whose answer was lost is refused,
// and that looks like a lost race. What the service throttled did not happen,
// so that it may be repeated whatever it was.
type client struct {
	api  *secretsmanager.Client
	name string // or ARN
}

type tag struct{ key, value string }

func (t tag) compare(other tag) int { return strings.Compare(t.key, other.key) }

// onlyThrottled repeats what the service said it did not do.
func onlyThrottled(o *secretsmanager.Options) {
	o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
		r.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}
	})
}

// described is DescribeSecret's answer.
type described struct {
	state
	deleted  time.Time // see deletion; zero if it is not scheduled
	kmsKeyID string    // empty for the account's aws/secretsmanager
	clock    time.Time // AWS's; zero if the answer does not say
}

// describe needs secretsmanager:DescribeSecret.
func (c client) describe(ctx context.Context, id string) (described, error) {
	out, err := c.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil {
		return described{}, c.failed("DescribeSecret", err)
	}
	st := state{arn: aws.ToString(out.ARN), labels: map[string]string{}, tags: map[string]string{}, created: map[string]time.Time{}}
	if region := aws.ToString(out.PrimaryRegion); region != arnRegion(st.arn) {
		st.primary = region
	}
	for version, labels := range out.VersionIdsToStages {
		for _, label := range labels {
			st.labels[label] = version
		}
	}
	for _, t := range out.Tags {
		if key := aws.ToString(t.Key); strings.HasPrefix(key, ours) {
			st.tags[key] = aws.ToString(t.Value)
		}
	}
	clock, _ := awsmiddleware.GetServerTime(out.ResultMetadata)
	return described{st, aws.ToTime(out.DeletedDate), aws.ToString(out.KmsKeyId), clock}, nil
}

// creationTimes needs secretsmanager:ListSecretVersionIds. DescribeSecret does
// not say when a version was put.
func (c client) creationTimes(ctx context.Context, id string) (map[string]time.Time, error) {
	created := map[string]time.Time{}
	pages := secretsmanager.NewListSecretVersionIdsPaginator(c.api, &secretsmanager.ListSecretVersionIdsInput{SecretId: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.failed("ListSecretVersionIds", err)
		}
		for _, v := range page.Versions {
			created[aws.ToString(v.VersionId)] = aws.ToTime(v.CreatedDate).UTC()
		}
	}
	return created, nil
}

// get needs secretsmanager:GetSecretValue. The version's labels come with it.
func (c client) get(ctx context.Context, id, version string) (stored, []string, error) {
	out, err := c.api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id, VersionId: &version})
	if err != nil {
		return stored{}, nil, c.failed("GetSecretValue", err)
	}
	return hide(out), out.VersionStages, nil
}

// put needs secretsmanager:PutSecretValue. It never goes without labels: AWS
// would make the version current at once. It gives the labels the version has
// afterwards: those it had before, if it was there.
func (c client) put(ctx context.Context, id, version string, value stored, labels []string) ([]string, error) {
	in := &secretsmanager.PutSecretValueInput{SecretId: &id, ClientRequestToken: &version, VersionStages: labels}
	value.show(in)
	out, err := c.api.PutSecretValue(ctx, in)
	if err != nil {
		return nil, c.failed("PutSecretValue", err)
	}
	return out.VersionStages, nil
}

// move needs secretsmanager:UpdateSecretVersionStage. It takes a label from one
// version and gives it to another; either may be empty. AWS refuses it if the
// label is on another version than from, or if from is empty and it is on any.
func (c client) move(ctx context.Context, id, label, from, to string) error {
	_, err := c.api.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &id, VersionStage: &label, RemoveFromVersionId: optional(from), MoveToVersionId: optional(to),
	}, onlyThrottled)
	return c.failed("UpdateSecretVersionStage", err)
}

// tag needs secretsmanager:TagResource.
func (c client) tag(ctx context.Context, id string, tags []tag) error {
	_, err := c.api.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: &id, Tags: wireTags(tags)}, onlyThrottled)
	return c.failed("TagResource", err)
}

// untag needs secretsmanager:UntagResource.
func (c client) untag(ctx context.Context, id string, keys []string) error {
	_, err := c.api.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: &id, TagKeys: keys}, onlyThrottled)
	return c.failed("UntagResource", err)
}

// make needs secretsmanager:CreateSecret and secretsmanager:TagResource. The
// secret has no value. It gives the ARN.
func (c client) make(ctx context.Context, kmsKeyID string, tags []tag) (string, error) {
	out, err := c.api.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: &c.name, KmsKeyId: optional(kmsKeyID), Tags: wireTags(tags),
		Description: aws.String("Kept fresh by instantly-rotator."),
	}, onlyThrottled)
	if err != nil {
		return "", c.failed("CreateSecret", err)
	}
	return aws.ToString(out.ARN), nil
}

func wireTags(tags []tag) []types.Tag {
	var out []types.Tag
	for _, t := range tags {
		out = append(out, types.Tag{Key: aws.String(t.key), Value: aws.String(t.value)})
	}
	return out
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func arnRegion(secret string) string {
	a, err := arn.Parse(secret)
	if err != nil {
		return ""
	}
	return a.Region
}

// deletion says when a secret goes. AWS's documents call the date that of the deletion's
// order, and that of the deletion; emulators give either.
func deletion(at, now time.Time) string {
	if at.After(now) {
		return "it will be deleted on " + at.UTC().Format(time.DateOnly)
	}
	return "it was deleted on " + at.UTC().Format(time.DateOnly) + " and is gone when its recovery window ends"
}

// describeSecret reads the secret's state and refuses one that is not the rotator's to touch.
func (s *Store) describeSecret(ctx context.Context) (state, error) {
	d, err := s.describe(ctx, s.name)
	switch {
	case isKind(err, secretstore.ErrNotFound) && s.create != nil:
		return absent(s.name), nil
	case isKind(err, secretstore.ErrNotFound):
		return state{}, fmt.Errorf("%w; make it with: aws secretsmanager create-secret --name %s", err, s.name)
	case err != nil:
		return state{}, err
	case !d.deleted.IsZero():
		return state{}, fmt.Errorf("%w: %s; restore it with: aws secretsmanager restore-secret --secret-id %s",
			secretstore.ErrScheduledForDeletion, deletion(d.deleted, s.now()), s.name)
	}
	if owner, marked := d.tags[tagOwner]; marked && s.owner != "" && owner != s.owner {
		return state{}, fmt.Errorf("it belongs to %q, as its tag %s says, and not to %q: name another secret, or remove the tag to hand it over: %w",
			owner, tagOwner, s.owner, secretstore.ErrDenied)
	}
	return d.state, nil
}
