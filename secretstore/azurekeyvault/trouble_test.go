package azurekeyvault_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault"
	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault/azuretest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

// transportFunc answers without a network.
type transportFunc func(*http.Request) (*http.Response, error)

// Do implements an interface of the SDK.
func (f transportFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// answering gives a store whose writes get one answer, while reads go through; sent counts
// the writes.
func (w *world) answering(t *testing.T, sent *int, answer func(http.ResponseWriter)) secretstore.Store {
	t.Helper()
	through := w.server.Transport(nil)
	c, err := azurekeyvault.ConnectAs(azuretest.Vault, azuretest.Credential(), transportFunc(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet || r.Header.Get("Authorization") == "" {
			return through.Do(r)
		}
		*sent++
		rec := httptest.NewRecorder()
		answer(rec)
		res := rec.Result()
		res.Request = r
		return res, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Open(azurekeyvault.Options{Secret: w.secret})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAnswersToAWrite is what becomes of each answer. Each write is sent once.
func TestAnswersToAWrite(t *testing.T) {
	for _, c := range []struct {
		status      int
		code, inner string
		want        error
		says        string
	}{
		{400, "BadParameter", "", secretstore.ErrDenied, "400 BadParameter"},
		{403, "Forbidden", "ForbiddenByRbac", secretstore.ErrDenied, "needs Microsoft.KeyVault/vaults/secrets/setSecret/action: 403 ForbiddenByRbac"},
		{403, "Forbidden", "ForbiddenByPolicy", secretstore.ErrDenied, "needs Microsoft.KeyVault/vaults/secrets/setSecret/action"},
		{403, "Forbidden", "ForbiddenByFirewall", secretstore.ErrDenied, "the vault's firewall does not let this machine in"},
		{409, "Conflict", "ObjectIsDeletedButRecoverable", secretstore.ErrScheduledForDeletion, "az keyvault secret recover"},
		{409, "Conflict", "ObjectIsBeingDeleted", secretstore.ErrScheduledForDeletion, ""},
		{409, "Conflict", "ObjectIsBeingRecovered", secretstore.ErrUnavailable, ""},
		{429, "Throttled", "", secretstore.ErrUnavailable, "429 Throttled"},
		{500, "InternalServerError", "", secretstore.ErrUnavailable, "500"},
		{503, "ServiceUnavailable", "", secretstore.ErrUnavailable, "503"},
		{504, "GatewayTimeout", "", secretstore.ErrUnavailable, "504"},
	} {
		w, sent := newWorld(), 0
		s := w.answering(t, &sent, func(rw http.ResponseWriter) { azuretest.Refuse(rw, c.status, c.code, c.inner, "told by the service") })
		_, err := steps.Staging("a").Call(t.Context(), s, steps.Describe(t, s))
		steps.WantError(t, err, c.want, c.says, "azurekeyvault: stage a in https://acme-prod.vault.azure.net/secrets/sending: ", "told by the service")
		if sent != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%d %s: sent %d times: %v", c.status, c.inner, sent, err)
		}
	}
}

func TestAPageInPlaceOfAnAnswerIsUnavailable(t *testing.T) {
	w, sent := newWorld(), 0
	s := w.answering(t, &sent, func(rw http.ResponseWriter) {
		rw.WriteHeader(http.StatusBadGateway)
		_, _ = rw.Write([]byte("<html>a proxy</html>"))
	})
	_, err := steps.Staging("a").Call(t.Context(), s, steps.Describe(t, s))
	steps.WantError(t, err, secretstore.ErrUnavailable, "502")
}

func TestAnAnswerThatRepeatsTheValueIsNotShown(t *testing.T) {
	const canary = "canary-7d1f3a9b52c8e604"
	w, sent := newWorld(), 0
	s := w.answering(t, &sent, func(rw http.ResponseWriter) { azuretest.Refuse(rw, 400, "BadParameter", "", "bad: "+canary) })
	steps.Must(t, w.open(t), steps.Staging("a"))
	_, err := s.Promote(t.Context(), steps.Describe(t, s), "a", steps.PromotedAt())
	steps.WantError(t, err, secretstore.ErrDenied)
	w.server.Purge(w.state())
	_, err = s.Stage(t.Context(), steps.Describe(t, s), steps.Version("a"), secret.New(canary))
	steps.WantError(t, err, secretstore.ErrDenied)
	if strings.Contains(err.Error(), canary) {
		t.Errorf("shown: %v", err)
	}
}

// refusing has no token to give.
type refusing struct{ err error }

// GetToken implements an interface of the SDK.
func (r refusing) GetToken(_ context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, r.err
}

// hopeless is an error as credentials give it.
type hopeless struct{ error }

// NonRetriable marks it.
func (hopeless) NonRetriable() {}

func TestCredentialsThatAreNotThereAreNamed(t *testing.T) {
	for err, want := range map[error]error{
		hopeless{errors.New("DefaultAzureCredential:\n\tEnvironmentCredential: missing\n\tAzureCLICredential: not found")}: secretstore.ErrNoCredentials,
		&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route to host")}:                                          secretstore.ErrUnavailable,
	} {
		c, connect := azurekeyvault.ConnectAs(azuretest.Vault, refusing{err}, newWorld().server.Transport(nil))
		if connect != nil {
			t.Fatal(connect)
		}
		s, open := c.Open(azurekeyvault.Options{Secret: "sending"})
		if open != nil {
			t.Fatal(open)
		}
		_, got := s.Describe(t.Context())
		steps.WantError(t, got, want)
		if strings.Contains(got.Error(), "\n") {
			t.Errorf("more than a line: %v", got)
		}
		if want == secretstore.ErrNoCredentials {
			steps.WantError(t, got, want, "az login")
		}
	}
}

func TestASecretOfAnotherOwnerIsRefused(t *testing.T) {
	w := newWorld()
	steps.Must(t, w.open(t, func(o *azurekeyvault.Options) { o.Owner = "acme" }), steps.Staging("a"))
	_, err := w.open(t).Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrDenied, `owner "acme"`)
}

func TestAStateThatCannotBeReadIsCorrupt(t *testing.T) {
	w := newWorld()
	steps.Must(t, w.open(t), steps.Staging("a"), steps.Promoting("a"))
	w.server.Put(w.state(), "nothing of ours")
	_, err := w.open(t).Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrCorrupt, "sending-rotator")
	if got := w.server.Served(w.secret); got != "value-of-a" {
		t.Errorf("consumers read %q", got)
	}
	w.server.Put(w.state(), `{"format": 9}`)
	_, err = w.open(t).Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrCorrupt, "upgrade the rotator")
}

func TestASecretThatHasManyTagsKeepsThem(t *testing.T) {
	w := newWorld()
	tags := map[string]string{}
	for _, name := range strings.Fields("a b c d e f g h i j k l") {
		tags[name] = "of " + name
	}
	w.server.PutTagged(w.secret, "made by hand", tags)
	steps.Must(t, w.open(t), steps.Staging("a"), steps.Promoting("a"))
	versions := w.server.Versions(w.secret)
	got := versions[len(versions)-1].Tags
	for name, value := range tags {
		if got[name] != value {
			t.Errorf("tag %s is %q", name, got[name])
		}
	}
	if got["instantly-rotator-key"] != "a" || len(got) != 15 {
		t.Errorf("tags are %v", got)
	}
	tags["m"] = "one more"
	w.server.PutTagged(w.secret, "made by hand", tags)
	s := w.open(t)
	steps.Must(t, s, steps.Staging("b"))
	_, err := steps.Promoting("b").Call(t.Context(), s, steps.Describe(t, s))
	steps.WantError(t, err, secretstore.ErrDenied, "12 at most leave room")
	probe, err := s.ProbeWrites(t.Context())
	if err != nil || len(probe.Lacking) != 1 || !strings.Contains(probe.Lacking[0], "12 at most") {
		t.Errorf("the probe says %+v, %v", probe, err)
	}
}

func TestProbeNamesTheActionThatIsLackingAndWritesNothing(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
	before := steps.Describe(t, s)
	probe, err := s.ProbeWrites(t.Context())
	if err != nil || len(probe.Lacking) > 0 || len(probe.Unknown) != 1 || probe.Clock.IsZero() {
		t.Errorf("the probe says %+v, %v", probe, err)
	}
	w.server.Deny("update", "ForbiddenByRbac")
	probe, err = s.ProbeWrites(t.Context())
	if err != nil || len(probe.Lacking) != 2 || !strings.Contains(probe.Lacking[0], "needs Microsoft.KeyVault/vaults/secrets/update/action on https://acme-prod.vault.azure.net/secrets/sending") {
		t.Errorf("the probe says %+v, %v", probe, err)
	}
	if after := steps.Describe(t, s); after.Revision != before.Revision || len(w.server.Versions(w.secret)) != 1 {
		t.Error("the probe wrote something")
	}
}

// stale gives a token that the vault does not take.
type stale struct{}

// GetToken implements an interface of the SDK.
func (stale) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "of another tenant", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func TestATokenThatTheVaultDoesNotTakeIsDenied(t *testing.T) {
	c, err := azurekeyvault.ConnectAs(azuretest.Vault, stale{}, newWorld().server.Transport(nil))
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Open(azurekeyvault.Options{Secret: "sending"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrDenied, "another tenant?", "AKV10000")
}
