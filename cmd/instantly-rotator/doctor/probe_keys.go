package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// probeMark is in the names of the keys that a probe makes, between the owner and a
// nonce. It has a space and no slash: no rotation takes such a key for one of its own.
const probeMark = " doctor-probe "

// LeftOver are the keys of a probe that are alive.
func LeftOver(keys []instantly.Key, owner string) []instantly.Key {
	return named(keys, owner+probeMark)
}

func named(keys []instantly.Key, prefix string) []instantly.Key {
	var out []instantly.Key
	for _, k := range keys {
		if strings.HasPrefix(k.Name, prefix) {
			out = append(out, k)
		}
	}
	return out
}

// revokeNamed revokes all keys whose names begin so, and says how many there were.
func revokeNamed(ctx context.Context, c *instantly.Client, prefix string) (int, error) {
	keys, err := c.Keys(ctx)
	if err != nil {
		return 0, err
	}
	theirs := named(keys, prefix)
	var errs []error
	for _, k := range theirs {
		errs = append(errs, c.DeleteKey(ctx, k.ID))
	}
	return len(theirs), errors.Join(errs...)
}
