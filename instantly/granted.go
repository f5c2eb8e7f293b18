package instantly

import (
	"context"
	"errors"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// GrantedScopes tells which scopes a key has, of which only the value is known. The API
// says it where it refuses a call for its scope ("Invalid scope. Required: … Found: …",
// undocumented), so calls that change nothing are made until one is refused. false: none
// was, or the answer did not say.
func (c *Client) GrantedScopes(ctx context.Context, value secret.Value) (scopes []string, ok bool) {
	if checkSendable(value) != nil {
		return nil, false
	}
	for _, p := range refusable() {
		var e *Error
		switch err := c.testCall(ctx, p, value); {
		case err == nil:
			continue
		case errors.As(err, &e) && errors.Is(err, ErrScope) && len(e.Found) > 0:
			return e.Found, true
		default:
			return nil, false
		}
	}
	return nil, false
}

// refusable lists calls that few keys may all make.
func refusable() []probeCall {
	calls := []probeCall{workspaceProbe()}
	for _, p := range listProbes() {
		switch p.scope {
		case "audit_logs:read", "workspace_billing:read", "block_list_entries:read":
			calls = append(calls, p)
		}
	}
	return calls
}
