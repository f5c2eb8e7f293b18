package apikeys

import (
	"context"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Identify implements [rotator.Identifier]. Whether the key list gives values is not
// documented; one that it gives in full says whose it is.
func (i Issuer) Identify(ctx context.Context, values []secret.Value) ([]rotator.Identity, error) {
	listed, err := i.client.Keys(ctx)
	if err != nil {
		return nil, err
	}
	told := make([]rotator.Identity, len(values))
	for n, value := range values {
		for _, k := range listed {
			if !k.Secret.IsZero() && k.Secret.Equal(value) {
				told[n].KeyID = k.ID
			}
		}
		scopes, ok := i.client.GrantedScopes(ctx, value)
		told[n].Spec, told[n].Attested = SpecOf(scopes), ok
	}
	return told, nil
}

// SameSpec implements [rotator.Identifier]: the API may write the same scopes in another
// way, resource:all for its actions.
func (i Issuer) SameSpec(a, b secretstore.Spec) bool {
	x, y := scopesOf(a), scopesOf(b)
	return a == b || instantly.CoversAll(x, y) && instantly.CoversAll(y, x)
}
