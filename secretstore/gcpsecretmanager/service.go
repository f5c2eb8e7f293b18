package gcpsecretmanager

import (
	"context"
	"fmt"
	"time"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// callTimeout bounds each call.
const callTimeout = 30 * time.Second

// service is Secret Manager as far as one secret goes: one method for a call.
type service struct {
	client *secretmanager.Client
	names  names
}

// latest reads about the newest version; a sighting of number 0 if there is none.
func (s service) latest(ctx context.Context) (sighting, error) {
	return s.version(ctx, s.names.latest())
}

// version reads about a version; a sighting of number 0 if it is not there.
func (s service) version(ctx context.Context, name string) (sighting, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	v, err := s.client.GetSecretVersion(ctx, &secretmanagerpb.GetSecretVersionRequest{Name: name})
	if status.Code(err) == codes.NotFound {
		return sighting{}, nil
	}
	if err != nil {
		return sighting{}, call{"GetSecretVersion", "secretmanager.versions.get", s.names.secret}.failed(err)
	}
	return sighted(v)
}

func sighted(v *secretmanagerpb.SecretVersion) (sighting, error) {
	number, err := numberOf(v.GetName())
	return sighting{
		number: number, enabled: v.GetState() == secretmanagerpb.SecretVersion_ENABLED, created: timeOf(v.GetCreateTime()),
	}, err
}

// timeOf gives a time that the service tells, zero if it does not.
func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

// secret reads the secret, without a value. Its absence is ErrNotFound.
func (s service) secret(ctx context.Context) (*secretmanagerpb.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sec, err := s.client.GetSecret(ctx, &secretmanagerpb.GetSecretRequest{Name: s.names.secret})
	return sec, call{"GetSecret", "secretmanager.secrets.get", s.names.secret}.failed(err)
}

// read gives what a version holds. One that is disabled, destroyed or not there
// is ErrNotFound.
func (s service) read(ctx context.Context, number int64) (secret.Value, uint32, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c := call{"AccessSecretVersion", "secretmanager.versions.access", s.names.version(number)}
	answer, err := s.client.AccessSecretVersion(ctx, &secretmanagerpb.AccessSecretVersionRequest{Name: c.resource})
	if status.Code(err) == codes.FailedPrecondition {
		return secret.Value{}, 0, fmt.Errorf("%s of %s: %w: it is disabled or destroyed: %w", c.method, c.resource, secretstore.ErrNotFound, err)
	}
	if err != nil {
		c.resource = s.names.secret
		return secret.Value{}, 0, c.failed(err)
	}
	stored, crc, whole := unwire(answer.GetPayload())
	if !whole {
		return secret.Value{}, 0, fmt.Errorf("%s of %s: %w: it was damaged on the way, its checksum differs", c.method, c.resource, secretstore.ErrUnavailable)
	}
	return stored, crc, nil
}

// replace writes annotations and, if they are given, aliases over what the
// secret had at etag.
func (s service) replace(ctx context.Context, etag string, annotations map[string]string, aliases map[string]int64) (*secretmanagerpb.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	mask := &fieldmaskpb.FieldMask{Paths: []string{"annotations"}}
	if aliases != nil {
		mask.Paths = append(mask.Paths, "version_aliases")
	}
	return s.client.UpdateSecret(ctx, &secretmanagerpb.UpdateSecretRequest{
		Secret:     &secretmanagerpb.Secret{Name: s.names.secret, Etag: etag, Annotations: annotations, VersionAliases: aliases},
		UpdateMask: mask,
	})
}

func (s service) replacing() call {
	return call{updateSecret, "secretmanager.secrets.update", s.names.secret}
}

// add puts a value on top. It is sent once and never again: the service has no
// way to tell a repetition. With an error, none tells whether it is certain that
// nothing was added; key is what must not be in it either.
func (s service) add(ctx context.Context, stored, key secret.Value) (added sighting, none bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c := call{"AddSecretVersion", "secretmanager.versions.add", s.names.secret}
	v, err := s.client.AddSecretVersion(ctx, &secretmanagerpb.AddSecretVersionRequest{Parent: s.names.secret, Payload: wire(stored)})
	if err != nil {
		none = refused(err)
		if stored.IsIn(err.Error()) || key.IsIn(err.Error()) {
			err = status.Error(status.Code(err), "(its message is not shown: it repeats the value)")
		}
		return sighting{}, none, c.failed(err)
	}
	added, err = sighted(v)
	added.crc32c = checksum(stored)
	if err == nil && !v.GetClientSpecifiedPayloadChecksum() {
		err = s.confirm(ctx, added)
	}
	return added, false, err
}

// confirm reads a version back that a server took without its checksum.
func (s service) confirm(ctx context.Context, added sighting) error {
	_, crc, err := s.read(ctx, added.number)
	if err == nil && crc != added.crc32c {
		return fmt.Errorf("AddSecretVersion: version %d holds something else than was sent: %w", added.number, secretstore.ErrCorrupt)
	}
	return err
}

// dismiss destroys or disables a version. One that is that already, or is not
// there, is fine.
func (s service) dismiss(ctx context.Context, l leaving) (err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	name := s.names.version(l.Number)
	c := call{"DestroySecretVersion", "secretmanager.versions.destroy", s.names.secret}
	if l.Disable {
		c.method, c.permission = "DisableSecretVersion", "secretmanager.versions.disable"
		_, err = s.client.DisableSecretVersion(ctx, &secretmanagerpb.DisableSecretVersionRequest{Name: name})
	} else {
		_, err = s.client.DestroySecretVersion(ctx, &secretmanagerpb.DestroySecretVersionRequest{Name: name})
	}
	switch status.Code(err) {
	case codes.OK, codes.NotFound:
		return nil
	case codes.FailedPrecondition:
		return s.unlessGone(ctx, l, c.failed(err))
	default:
		return c.failed(err)
	}
}

// unlessGone gives the cause why a version could not be destroyed or disabled,
// unless it is that already.
func (s service) unlessGone(ctx context.Context, l leaving, cause error) error {
	v, err := s.client.GetSecretVersion(ctx, &secretmanagerpb.GetSecretVersionRequest{Name: s.names.version(l.Number)})
	if err != nil {
		return fmt.Errorf("%w: %w", cause, call{"GetSecretVersion", "secretmanager.versions.get", s.names.secret}.failed(err))
	}
	destroyed := v.GetState() == secretmanagerpb.SecretVersion_DESTROYED
	disabled := v.GetState() == secretmanagerpb.SecretVersion_DISABLED
	if destroyed || (disabled && (l.Disable || v.GetScheduledDestroyTime() != nil)) {
		return nil
	}
	return cause
}

// create makes the secret.
func (s service) create(ctx context.Context, id string, sec *secretmanagerpb.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := s.client.CreateSecret(ctx, &secretmanagerpb.CreateSecretRequest{Parent: s.names.parent, SecretId: id, Secret: sec})
	return call{"CreateSecret", "secretmanager.secrets.create", s.names.secret}.failed(err)
}
