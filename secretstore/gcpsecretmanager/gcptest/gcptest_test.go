package gcptest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

const secretName = "projects/" + gcptest.Project + "/secrets/s"

// served starts a server with the secret s, which has three versions, and a
// client.
func served(t *testing.T) (*gcptest.Server, *secretmanager.Client) {
	t.Helper()
	server := gcptest.New()
	t.Cleanup(server.Close)
	server.Make("s")
	for n := range 3 {
		server.Put("s", fmt.Sprintf("value %d", n+1))
	}
	toServer, err := server.ClientOptions()
	if err != nil {
		t.Fatal(err)
	}
	client, err := secretmanager.NewClient(t.Context(), toServer...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return server, client
}

func update(ctx context.Context, c *secretmanager.Client, sec *secretmanagerpb.Secret, paths ...string) error {
	sec.Name = secretName
	_, err := c.UpdateSecret(ctx, &secretmanagerpb.UpdateSecretRequest{Secret: sec, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}})
	return err
}

func aliases(n int) map[string]int64 {
	all := map[string]int64{}
	for i := range n {
		all[fmt.Sprintf("alias-%d", i)] = 1
	}
	return all
}

// TestDocumentedRefusals lists what the documents say is refused.
func TestDocumentedRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		want codes.Code
		call func(context.Context, *gcptest.Server, *secretmanager.Client) error
	}{
		"an update with a stale etag": {codes.FailedPrecondition, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			return update(ctx, c, &secretmanagerpb.Secret{Etag: `"1"`}, "annotations")
		}},
		"an update without a mask": {codes.InvalidArgument, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			return update(ctx, c, &secretmanagerpb.Secret{})
		}},
		"16 KiB of annotations": {codes.InvalidArgument, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			return update(ctx, c, &secretmanagerpb.Secret{Annotations: map[string]string{"k": strings.Repeat("x", 16*1024-1)}}, "annotations")
		}},
		"51 aliases": {codes.InvalidArgument, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			return update(ctx, c, &secretmanagerpb.Secret{VersionAliases: aliases(51)}, "version_aliases")
		}},
		"an alias named latest": {codes.InvalidArgument, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			return update(ctx, c, &secretmanagerpb.Secret{VersionAliases: map[string]int64{"latest": 1}}, "version_aliases")
		}},
		"an alias that begins with a digit": {codes.InvalidArgument, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			return update(ctx, c, &secretmanagerpb.Secret{VersionAliases: map[string]int64{"1st": 1}}, "version_aliases")
		}},
		"an alias to a version that is not there": {codes.InvalidArgument, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			return update(ctx, c, &secretmanagerpb.Secret{VersionAliases: map[string]int64{"a": 4}}, "version_aliases")
		}},
		"a label in capitals": {codes.InvalidArgument, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			return update(ctx, c, &secretmanagerpb.Secret{Labels: map[string]string{"Team": "x"}}, "labels")
		}},
		"destroying a version that an alias names": {codes.FailedPrecondition, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			if err := update(ctx, c, &secretmanagerpb.Secret{VersionAliases: map[string]int64{"a": 2}}, "version_aliases"); err != nil {
				return err
			}
			_, err := c.DestroySecretVersion(ctx, &secretmanagerpb.DestroySecretVersionRequest{Name: secretName + "/versions/2"})
			return err
		}},
		"destroying by an alias": {codes.NotFound, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			if err := update(ctx, c, &secretmanagerpb.Secret{VersionAliases: map[string]int64{"a": 2}}, "version_aliases"); err != nil {
				return err
			}
			_, err := c.DestroySecretVersion(ctx, &secretmanagerpb.DestroySecretVersionRequest{Name: secretName + "/versions/a"})
			return err
		}},
		"enabling a destroyed version": {codes.FailedPrecondition, func(ctx context.Context, s *gcptest.Server, c *secretmanager.Client) error {
			s.Set("s", 1, secretmanagerpb.SecretVersion_DESTROYED)
			_, err := c.EnableSecretVersion(ctx, &secretmanagerpb.EnableSecretVersionRequest{Name: secretName + "/versions/1"})
			return err
		}},
		"latest, if the newest version is disabled": {codes.FailedPrecondition, func(ctx context.Context, s *gcptest.Server, c *secretmanager.Client) error {
			s.Set("s", 3, secretmanagerpb.SecretVersion_DISABLED)
			_, err := c.AccessSecretVersion(ctx, &secretmanagerpb.AccessSecretVersionRequest{Name: secretName + "/versions/latest"})
			return err
		}},
		"a wrong checksum": {codes.InvalidArgument, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			wrong := int64(1)
			_, err := c.AddSecretVersion(ctx, &secretmanagerpb.AddSecretVersionRequest{
				Parent: secretName, Payload: &secretmanagerpb.SecretPayload{Data: []byte("x"), DataCrc32C: &wrong}})
			return err
		}},
		"more than 64 KiB": {codes.InvalidArgument, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			_, err := c.AddSecretVersion(ctx, &secretmanagerpb.AddSecretVersionRequest{
				Parent: secretName, Payload: &secretmanagerpb.SecretPayload{Data: make([]byte, 64*1024+1)}})
			return err
		}},
		"a version's stale etag": {codes.FailedPrecondition, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			_, err := c.DisableSecretVersion(ctx, &secretmanagerpb.DisableSecretVersionRequest{Name: secretName + "/versions/1", Etag: `"1"`})
			return err
		}},
		"a permission that is missing": {codes.PermissionDenied, func(ctx context.Context, s *gcptest.Server, c *secretmanager.Client) error {
			s.Deny("secretmanager.secrets.get")
			_, err := c.GetSecret(ctx, &secretmanagerpb.GetSecretRequest{Name: secretName})
			return err
		}},
		"a secret made twice": {codes.AlreadyExists, func(ctx context.Context, _ *gcptest.Server, c *secretmanager.Client) error {
			_, err := c.CreateSecret(ctx, &secretmanagerpb.CreateSecretRequest{
				Parent: "projects/" + gcptest.Project, SecretId: "s",
				Secret: &secretmanagerpb.Secret{Replication: &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_Automatic_{
					Automatic: &secretmanagerpb.Replication_Automatic{}}}}})
			return err
		}},
	} {
		server, client := served(t)
		if got := status.Code(c.call(t.Context(), server, client)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestEtagChangesWithEveryUpdateAndNotWithAnAdd(t *testing.T) {
	server, client := served(t)
	first := server.Secret("s").GetEtag()
	server.Put("s", "another")
	if server.Secret("s").GetEtag() != first {
		t.Error("adding a version changed the secret's etag")
	}
	if err := update(t.Context(), client, &secretmanagerpb.Secret{Etag: first}, "annotations"); err != nil {
		t.Fatal(err)
	}
	if server.Secret("s").GetEtag() == first {
		t.Error("an update that changes nothing left the etag")
	}
}

func TestListsAreFilteredAndComeInPages(t *testing.T) {
	server, client := served(t)
	server.Set("s", 2, secretmanagerpb.SecretVersion_DISABLED)
	for filter, want := range map[string]string{"": "3 2 1", "state:ENABLED": "3 1"} {
		it := client.ListSecretVersions(t.Context(), &secretmanagerpb.ListSecretVersionsRequest{Parent: secretName, PageSize: 1, Filter: filter})
		var got []string
		for {
			v, err := it.Next()
			if err == iterator.Done {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, v.GetName()[strings.LastIndex(v.GetName(), "/")+1:])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("filter %q: versions %v, want %s", filter, got, want)
		}
	}
}

func TestFaultsComeAtTheirEndOfACall(t *testing.T) {
	for fault, want := range map[gcptest.Fault][2]int{
		gcptest.None: {4, 4}, gcptest.LostRequest: {3, 3}, gcptest.LostAnswer: {4, 4}, gcptest.Late: {3, 4},
	} {
		server, client := served(t)
		server.Before = func(c gcptest.Call) gcptest.Fault {
			if c.Method == "AddSecretVersion" {
				return fault
			}
			return gcptest.None
		}
		_, err := client.AddSecretVersion(t.Context(), &secretmanagerpb.AddSecretVersionRequest{
			Parent: secretName, Payload: &secretmanagerpb.SecretPayload{Data: []byte("x")}})
		if (err == nil) != (fault == gcptest.None) {
			t.Errorf("fault %d: error %v", fault, err)
		}
		got := [2]int{len(server.Versions("s")), 0}
		server.Arrive()
		if got[1] = len(server.Versions("s")); got != want {
			t.Errorf("fault %d: versions before and after the arrival %v, want %v", fault, got, want)
		}
	}
}
