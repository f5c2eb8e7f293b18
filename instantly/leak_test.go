package instantly_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// hidden is in every answer of these tests, in the places where no text may
// come from.
const hidden = "CANARYhidden5544332211"

// faults are transports that tell secrets in every way they can.
func faults() map[string]http.RoundTripper {
	all := map[string]http.RoundTripper{}
	for name, err := range map[string]error{
		"plain":   errors.New(hidden + adminValue),
		"wrapped": fmt.Errorf("malformed HTTP response %q: %w", hidden+adminValue, io.EOF),
		"network": fmt.Errorf("%s: %w", hidden+adminValue, &net.OpError{Op: "read", Net: "tcp", Err: errors.New("reset")}),
	} {
		all["transport error, "+name] = failing(err)
	}
	for _, status := range []int{200, 204, 302, 400, 401, 402, 403, 404, 409, 413, 418, 422, 429, 500, 503} {
		for name, body := range tellingBodies(status) {
			all[fmt.Sprint(status, " ", name)] = always(status, body, "Location", "https://"+hidden, "Server", hidden, "Retry-After", hidden)
		}
		all[fmt.Sprint(status, " breaks off")] = &fakeAPI{answer: func(int, sent) (*http.Response, error) {
			return replyFrom(status, breaksOff(`{"items":[{"key":"`+hidden+keyValue)), nil
		}}
	}
	return all
}

// tellingBodies quote the credentials in the texts that are shown, and other
// secrets in those that are not.
func tellingBodies(status int) map[string]string {
	quote := adminValue + " " + keyValue
	spread := strings.Join(strings.Split(keyValue, ""), `\u200b`)
	return map[string]string{
		"quoted":           fmt.Sprintf(`{"statusCode":%d,"error":"%s","message":"Invalid API key %s","key":"%s"}`, status, quote, quote, hidden),
		"partly quoted":    fmt.Sprintf(`{"message":"bad key %s… (…%s)"}`, keyValue[:14], adminValue[10:]),
		"spread":           fmt.Sprintf(`{"message":"%s"}`, spread),
		"across the limit": fmt.Sprintf(`{"message":"%s%s"}`, strings.Repeat("x", 190), quote),
		"as scopes":        fmt.Sprintf(`{"message":"Invalid scope. Required: %s. Found: %s, a:b"}`, quote, quote),
		"a key":            fmt.Sprintf(`{"id":"","key":"%s","name":"%s","scopes":"%s"}`, hidden, hidden, hidden),
		"a page":           fmt.Sprintf(`{"items":[{"id":7,"key":"%s"}],"next_starting_after":"%s"}`, hidden, hidden),
		"repeating cursor": fmt.Sprintf(`{"items":[{"id":"a","key":"%s"}],"next_starting_after":"%s"}`, hidden, hidden),
		"wrong type":       fmt.Sprintf(`{"items":"%s","id":["%s"]}`, hidden, hidden),
		"not JSON":         hidden + quote,
		"broken JSON":      `{"` + hidden + quote,
		"html":             `<html>` + hidden + quote,
		"huge":             `{"pad":"` + strings.Repeat(hidden, 1<<16) + `"}`,
	}
}

// adminOutcomes makes every call with the admin key and gives what came of it.
func adminOutcomes(ctx context.Context, c *instantly.Client) []any {
	created, createErr := c.CreateKey(ctx, "n", []string{"leads:read"})
	keys, listErr := c.Keys(ctx)
	_, workspaceErr := c.Workspace(ctx)
	_, organizationErr := c.Organization(ctx)
	_, membersErr := c.Members(ctx)
	_, subsErr := c.SubWorkspaces(ctx)
	_, auditErr := c.AuditLogs(ctx, instantly.AuditQuery{})
	_, hooksErr := c.Webhooks(ctx)
	_, hookErr := c.Webhook(ctx, hookID)
	_, eventsErr := c.WebhookEvents(ctx, instantly.WebhookEventQuery{})
	_, blockErr := c.BlockList(ctx)
	return []any{
		hooksErr, hookErr, eventsErr, blockErr, c.DeleteMember(ctx, keyID), c.ResumeWebhook(ctx, hookID),
		created.Secret, createErr, len(keys), listErr, c.DeleteKey(ctx, keyID), c.CheckDelete(ctx),
		workspaceErr, organizationErr, membersErr, subsErr, auditErr,
	}
}

// probeOutcomes makes a test call of each kind with the issued key.
func probeOutcomes(ctx context.Context, c *instantly.Client) []any {
	var all []any
	for _, scope := range []string{"campaigns:read", "leads:read", "ai_sdr:read", "api_keys:read", "none"} {
		all = append(all, c.Probe(ctx, secretOf(keyValue), []string{scope}))
	}
	return all
}

// printed shows v in every way that a program may print it.
func printed(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v\n%+v\n%#v\n%s\n%q\n", v, v, v, v, v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "v", v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "v", v)
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(&b), zap.DebugLevel)
	zap.New(core).Info("m", zap.Any("v", v)) //nolint:forbidigo // whoever does log a value whole must not tell a secret
	if j, err := json.Marshal(v); err == nil {
		b.Write(j)
	}
	for _, err := range chain(v) {
		fmt.Fprintf(&b, "%v\n%#v\n", err, err)
	}
	return b.String()
}

// chain gives the errors that v, an error or a Probe, is made of.
func chain(v any) []error {
	var all []error
	err, _ := v.(error)
	if p, ok := v.(instantly.Probe); ok {
		err = p.Err
	}
	for todo := []error{err}; len(todo) > 0; {
		next := todo[0]
		todo = todo[1:]
		if next == nil {
			continue
		}
		all = append(all, next)
		switch u := next.(type) {
		case interface{ Unwrap() []error }:
			todo = append(todo, u.Unwrap()...)
		case interface{ Unwrap() error }:
			todo = append(todo, u.Unwrap())
		}
	}
	return all
}

// piecesOf gives the parts of a secret that are long enough to be of use.
func piecesOf(secrets ...string) []string {
	all := []string{hidden[:12], hidden[10:]}
	for _, s := range secrets {
		for i := 0; i+6 <= len(s); i++ {
			all = append(all, s[i:i+6])
		}
	}
	return all
}

func wantNone(t *testing.T, pieces []string, outcomes ...any) {
	t.Helper()
	for _, v := range outcomes {
		text := printed(t, v)
		for _, p := range pieces {
			if strings.Contains(text, p) {
				t.Fatalf("%q is told: %.500s", p, text)
			}
		}
	}
}

// A call knows the secrets it has to do with: the admin key, and the value of a
// test call.
func TestNoErrorTellsASecret(t *testing.T) {
	for name, api := range faults() {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, api)
			wantNone(t, piecesOf(adminValue), adminOutcomes(t.Context(), c)...)
			wantNone(t, piecesOf(adminValue, keyValue), probeOutcomes(t.Context(), c)...)
		})
	}
}

func TestClientAndKeysPrintNoSecret(t *testing.T) {
	key, err := newClient(t, always(200, keyBody)).CreateKey(t.Context(), "n", nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, nil, func(o *instantly.Options) {
		wantNone(t, piecesOf(adminValue), *o)
	})
	wantNone(t, piecesOf(adminValue, keyValue), c, *c, key, &key, []instantly.Key{key})
}

func TestCutTextKeepsWhatIsNotSecret(t *testing.T) {
	_, err := newClient(t, always(401, `{"message":"key `+adminValue+` was revoked"}`)).Workspace(t.Context())
	var e *instantly.Error
	if !errors.As(err, &e) || e.Message != "key [redacted] was revoked" {
		t.Errorf("%v", err)
	}
}

func TestNamedScopesHideASecretThatLooksLikeOne(t *testing.T) {
	const value = "canary:secretvalue"
	api := always(401, `{"message":"Invalid scope. Required: `+value+`. Found: `+value+`, a:b"}`)
	p := newClient(t, api).Probe(t.Context(), secretOf(value), nil)
	if len(p.Found) != 1 || p.Found[0] != "a:b" {
		t.Errorf("found %q", p.Found)
	}
}
