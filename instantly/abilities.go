package instantly

import (
	"context"
	"errors"
	"net/http"
)

// This file finds out what the admin key may do, without doing it.

// CheckCreate tells whether the admin key may create keys, without creating one: it
// asks for a key with neither a name nor scopes, which the vendor's OpenAPI file
// refuses. ErrScope means that it may not. That a key which may not gets a 401, and not
// the refusal, is inferred, as it is for [Client.CheckDelete]. A key that is created
// all the same is deleted at once.
func (c *Client) CheckCreate(ctx context.Context) error {
	r := request{op: "check that API keys can be created (scope api_keys:create)", method: http.MethodPost, route: routeKeys, body: []byte("{}")}
	got, err := c.pacedAttempt(ctx, c.admin(r))
	switch {
	case errors.Is(err, ErrBadRequest):
		return nil
	case err != nil:
		return err
	}
	made, err := decodeCreated(r.op, got)
	if err != nil {
		return err
	}
	return c.DeleteKey(context.WithoutCancel(ctx), made.ID)
}

// AttestedScopes gives the scopes of the admin key, as the API names them when it
// refuses a call for want of one ("Found: …"). It makes a few calls that read next to
// nothing until one is refused; attested is false if none was: the key may read far
// more than is needed here. What the API says there is undocumented: advice only.
func (c *Client) AttestedScopes(ctx context.Context) (scopes []string, attested bool, err error) {
	for _, p := range farProbes() {
		err := c.testCall(ctx, p, c.options.Credential.Value())
		var e *Error
		switch {
		case errors.Is(err, ErrScope) && errors.As(err, &e) && len(e.Found) > 0:
			return e.Found, true, nil
		case err == nil, errors.Is(err, ErrScope), errors.Is(err, ErrMalformed), errors.Is(err, ErrBadRequest), errors.Is(err, ErrNotFound):
			// It was let in, as far as the scope goes, or says nothing.
		default:
			return nil, false, err
		}
	}
	return nil, false, nil
}

// farProbes are calls that have nothing to do with keys.
func farProbes() []probeCall {
	var far []probeCall
	for _, p := range listProbes() {
		switch p.scope {
		case "crm_actions:read", "dfy_email_account_orders:read", "accounts:read", "campaigns:read":
			far = append(far, p)
		}
	}
	return far
}
