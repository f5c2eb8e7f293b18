package instantly

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	routeKeys = "/api-keys"
	routeKey  = "/api-keys/" + placeholder
)

// CreateKey creates an API key with that name and those scopes, and asks for it
// exactly once: the API has no idempotency keys, so a second request would be a
// second key. The value is in Key.Secret and cannot be had again.
//
// An error that is ErrOutcomeUnknown leaves open whether a key exists: search for
// the name in [Client.Keys]. Any other one means that none was created: the API
// refused (4xx), or ctx ended before the request was sent.
func (c *Client) CreateKey(ctx context.Context, name string, scopes []string) (Key, error) {
	op := fmt.Sprintf("create API key %q", name)
	body, err := json.Marshal(map[string]any{"name": name, "scopes": append([]string{}, scopes...)})
	if err != nil {
		return Key{}, &Error{Op: op, classes: []error{ErrBadRequest}, cause: errors.New("the request cannot be built")}
	}
	got, err := c.once(ctx, request{op: op, method: http.MethodPost, route: routeKeys, body: body})
	if err != nil {
		return Key{}, err
	}
	key, err := decodeCreated(op, got)
	if err != nil {
		return Key{}, withOutcome(err)
	}
	return key, nil
}

// once makes the one attempt of a request that is not to be repeated.
func (c *Client) once(ctx context.Context, r request) (answer, error) {
	got, err := c.pacedAttempt(ctx, c.admin(r))
	if err != nil && !errors.Is(err, errNotSent) {
		err = withOutcome(err)
	}
	return got, err
}

// withOutcome adds ErrOutcomeUnknown to the error of what was asked for once, unless
// a 4xx says that it was refused.
func withOutcome(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return errors.Join(ErrOutcomeUnknown, err)
	}
	if e.Status >= 400 && e.Status <= 499 {
		return e
	}
	return e.as(ErrOutcomeUnknown)
}

// Keys lists all keys of the workspace, in the API's order, which is not
// documented; one that several pages show is listed once. If the order changes
// from page to page, a key may be on none of them: that one is absent proves nothing
// alone. It is all pages or an error: a list with one id that cannot be an id is unreadable as a whole.
// Secrets are as the API shows them there: do not rely on them.
func (c *Client) Keys(ctx context.Context) ([]Key, error) {
	r := request{op: "list API keys", method: http.MethodGet, route: routeKeys}
	answers, err := listAll[keyAnswer](ctx, c, r, itemsPerPage)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, 0, len(answers))
	seen := make(map[string]bool, len(answers))
	for _, k := range answers {
		if !isID(k.ID) {
			return nil, malformed(r.op, http.StatusOK, "a key without an id, or with none that can be one")
		}
		if !seen[k.ID] {
			keys = append(keys, k.toKey())
		}
		seen[k.ID] = true
	}
	return keys, nil
}

// DeleteKey deletes the key with that id. A key that is not there, or no
// longer, is fine: repeating it is harmless. Of what the API answers beside a 2xx
// only an error is heeded; the vendor's OpenAPI file has the deleted key there.
// From when on the key is refused is not documented: prove it with [Client.Probe].
func (c *Client) DeleteKey(ctx context.Context, id string) error {
	err := c.deleteKey(ctx, "delete API key "+id, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// CheckDelete tells whether the admin key may delete keys, without deleting
// one: it asks for an id that no key has. ErrScope means that it may not and
// names api_keys:delete. That a key which may not gets a 401, and not a 404, is
// inferred: the API checks scopes before it searches for the key, as far as is known.
func (c *Client) CheckDelete(ctx context.Context) error {
	const op = "check that API keys can be deleted (scope api_keys:delete)"
	err := c.deleteKey(ctx, op, randomUUID())
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// CheckAdmin tells whether value, a key, can list keys and could delete them, as
// [Client.CheckDelete] does of the admin key. Like a test call it goes without
// x-as-workspace.
func (c *Client) CheckAdmin(ctx context.Context, value secret.Value) error {
	list := request{op: "check that the key can list API keys", method: http.MethodGet, route: routeKeys, maxAnswer: maxAnswer, credential: value}
	list.query = withQuery(nil, "limit", "1")
	got, err := c.withRetries(ctx, list, c.testBudget())
	if err != nil {
		return err
	}
	if _, err := decode[page[json.RawMessage]](list.op, got); err != nil {
		return err
	}
	_, err = c.withRetries(ctx, request{
		op: "check that the key can delete API keys", method: http.MethodDelete, route: routeKey, value: randomUUID(),
		ignoreAnswer: true, maxAnswer: maxAnswer, credential: value,
	}, c.testBudget())
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// ActWith has the client, and all that share its credential, act with value.
func (c *Client) ActWith(value secret.Value) { c.options.Credential.Replace(value) }

// deleteKey sends neither body nor Content-Type: the API's server is known to
// refuse a Content-Type without a body, and the vendor's OpenAPI file has no
// body but null.
func (c *Client) deleteKey(ctx context.Context, op, id string) error {
	if !isID(id) {
		return &Error{Op: "delete API key", classes: []error{ErrBadRequest}, cause: errors.New("its id cannot be one")}
	}
	r := request{op: op, method: http.MethodDelete, route: routeKey, value: id, ignoreAnswer: true}
	_, err := c.withRetries(ctx, c.admin(r), c.options.RetryBudget)
	return err
}

// randomUUID gives an id that nothing has (RFC 9562, version 4).
func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
