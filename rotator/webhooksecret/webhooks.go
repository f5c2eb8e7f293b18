package webhooksecret

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Client is what is needed of a workspace's API: see [instantly.Client].
type Client interface {
	Webhooks(ctx context.Context) ([]instantly.Webhook, error)
	Webhook(ctx context.Context, id string) (instantly.Webhook, error)
	SetWebhookHeaders(ctx context.Context, id string, headers map[string]secret.Value) (instantly.Webhook, error)
	TestWebhook(ctx context.Context, w instantly.Webhook) (instantly.WebhookTest, error)
	ResumeWebhook(ctx context.Context, id string) error
	WebhookEvents(ctx context.Context, q instantly.WebhookEventQuery) ([]instantly.WebhookEvent, error)
}

// Selector chooses webhooks: those that all of what is given applies to.
type Selector struct {
	// IDs of webhooks; any if empty.
	IDs []string
	// URL of a webhook, or its beginning and a star; any if empty.
	URL string
	// Name and EventType; any if empty.
	Name, EventType string
}

// Chooses tells whether a webhook is chosen.
func (s Selector) Chooses(w instantly.Webhook) bool {
	begin, star := strings.CutSuffix(s.URL, "*")
	return (len(s.IDs) == 0 || slices.Contains(s.IDs, w.ID)) &&
		(s.URL == "" || w.URL == s.URL || star && strings.HasPrefix(w.URL, begin)) &&
		(s.Name == "" || w.Name == s.Name) && (s.EventType == "" || w.EventType == s.EventType)
}

// Webhooks are those that send a secret in a header.
type Webhooks struct {
	Client   Client
	Selector Selector
	// Header that carries the secret, and what its value is made of.
	Header string
	Format webhookauth.Format
	// Test: a test delivery confirms a switch. Otherwise it is enough that no real one was
	// refused.
	Test bool
}

var _ rotator.Senders = Webhooks{}

// Senders implements [rotator.Senders].
func (w Webhooks) Senders(ctx context.Context) ([]rotator.Sender, error) {
	all, err := w.Client.Webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var senders []rotator.Sender
	for _, hook := range all {
		if !w.Selector.Chooses(hook) {
			continue
		}
		value, err := w.sent(hook)
		if err != nil {
			return nil, err
		}
		senders = append(senders, rotator.Sender{
			ID: hook.ID, Name: nameOf(hook), Value: value,
			Off: hook.Status == instantly.WebhookDisabled, OffSince: hook.Failed,
		})
	}
	return senders, nil
}

// nameOf says which webhook it is, without what its URL may have in path and query.
func nameOf(hook instantly.Webhook) string {
	return strings.TrimSuffix("webhook "+hook.ID+" to "+hook.Origin(), " to ")
}

// sent gives the secret that a webhook sends; the zero value if it sends none.
func (w Webhooks) sent(hook instantly.Webhook) (secret.Value, error) {
	name, err := w.field(hook)
	if err != nil || name == "" {
		return secret.Value{}, err
	}
	return secretOf(hook.Headers[name], w.Format), nil
}

// field gives the name under which a webhook has the header; "" if it does not. HTTP ignores
// the case of names. Headers that the API does not show in full cannot be written back.
func (w Webhooks) field(hook instantly.Webhook) (name string, err error) {
	for has, value := range hook.Headers {
		if isHidden(value) {
			return "", fmt.Errorf("%s: %w: header %s", nameOf(hook), rotator.ErrHidden, has)
		}
		if !strings.EqualFold(has, w.Header) {
			continue
		}
		if name != "" {
			return "", fmt.Errorf("%s: %w: it has the header %s twice", nameOf(hook), rotator.ErrByHand, w.Header)
		}
		name = has
	}
	return name, nil
}

// Switch implements [rotator.Senders]. The whole map of headers is sent, those of others as
// they are at this moment, since it is not known whether the API merges or replaces; and
// what it has afterwards is compared.
func (w Webhooks) Switch(ctx context.Context, seen rotator.Sender, value secret.Value) error {
	hook, err := w.Client.Webhook(ctx, seen.ID)
	if err != nil {
		return err
	}
	has, err := w.sent(hook)
	if err != nil {
		return err
	}
	if !same(has, seen.Value) {
		return fmt.Errorf("%w: it sends another value than a moment ago", rotator.ErrByHand)
	}
	wanted := w.headers(hook, value)
	if _, err := w.Client.SetWebhookHeaders(ctx, seen.ID, wanted); err != nil {
		return err
	}
	after, err := w.Client.Webhook(ctx, seen.ID)
	if err != nil {
		return err
	}
	for name, want := range wanted {
		if got, ok := after.Headers[name]; !ok || !same(got, want) {
			return fmt.Errorf("its header %s is not what was written", name)
		}
	}
	if len(after.Headers) != len(wanted) {
		return errors.New("it has other headers than were written")
	}
	return nil
}

// headers gives those that a webhook is to have.
func (w Webhooks) headers(hook instantly.Webhook, value secret.Value) map[string]secret.Value {
	headers := make(map[string]secret.Value, len(hook.Headers)+1)
	field := w.Header
	for name, v := range hook.Headers {
		if strings.EqualFold(name, w.Header) {
			field = name
			continue
		}
		headers[name] = v
	}
	if !value.IsZero() {
		headers[field] = headerOf(value, w.Format)
	}
	return headers
}

func same(a, b secret.Value) bool { return a.IsZero() && b.IsZero() || a.Equal(b) }

// Confirm implements [rotator.Senders]. It says something only of the value that s was seen to
// send: another process may have had it send another one before the test delivery was made, or
// after it.
func (w Webhooks) Confirm(ctx context.Context, s rotator.Sender, since time.Time) rotator.TestCall {
	hook, err := w.unchanged(ctx, s)
	if err != nil {
		return rotator.TestCall{Err: err}
	}
	if w.Test {
		if got := w.test(ctx, hook); got.Verdict != rotator.Valid {
			return got
		}
		if hook, err = w.unchanged(ctx, s); err != nil {
			return rotator.TestCall{Err: err}
		}
	}
	switch refused, err := w.refused(ctx, hook, since); {
	case refused:
		return rotator.TestCall{Verdict: rotator.Invalid, Err: errors.New("real deliveries were refused")}
	case err != nil && !w.Test:
		return rotator.TestCall{Err: err}
	}
	return rotator.TestCall{Verdict: rotator.Valid}
}

// unchanged reads a webhook that is to send what it was seen to send.
func (w Webhooks) unchanged(ctx context.Context, s rotator.Sender) (instantly.Webhook, error) {
	hook, err := w.Client.Webhook(ctx, s.ID)
	if err != nil {
		return hook, err
	}
	value, err := w.sent(hook)
	if err == nil && !same(value, s.Value) {
		err = errors.New("it sends another secret than a moment ago")
	}
	return hook, err
}

// test sends a test delivery, and judges by the receiver's answer.
func (w Webhooks) test(ctx context.Context, hook instantly.Webhook) rotator.TestCall {
	got, err := w.Client.TestWebhook(ctx, hook)
	switch {
	case err != nil:
		return rotator.TestCall{Err: err}
	case refuses(got.Status):
		return rotator.TestCall{Verdict: rotator.Invalid, Err: fmt.Errorf("the receiver answered the test delivery with %d", got.Status)}
	case got.Success, accepts(got.Status):
		return rotator.TestCall{Verdict: rotator.Valid}
	default:
		return rotator.TestCall{Err: fmt.Errorf("the test delivery came to nothing (status %d)", got.Status)}
	}
}

// refuses tells whether an answer says that the secret is wrong.
func refuses(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// accepts tells whether an answer says that the secret is right, whatever else is wrong: a
// receiver looks at it first, and a test delivery may not be what it wants.
func accepts(status int) bool {
	return status >= 200 && status < 300 || status == http.StatusBadRequest || status == http.StatusUnprocessableEntity
}

// Refused implements [rotator.Senders].
func (w Webhooks) Refused(ctx context.Context, s rotator.Sender, since time.Time) (bool, error) {
	hook, err := w.Client.Webhook(ctx, s.ID)
	if err != nil {
		return false, err
	}
	return w.refused(ctx, hook, since)
}

func (w Webhooks) refused(ctx context.Context, hook instantly.Webhook, since time.Time) (bool, error) {
	events, err := w.Client.WebhookEvents(ctx, instantly.WebhookEventQuery{Since: since, FailedOnly: true})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(events, func(e instantly.WebhookEvent) bool {
		return e.URL == hook.URL && refuses(e.Status)
	}), nil
}

// Resume implements [rotator.Senders].
func (w Webhooks) Resume(ctx context.Context, s rotator.Sender) error {
	return w.Client.ResumeWebhook(ctx, s.ID)
}
