package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// probeMark is in the names of the keys that a probe makes, between the owner and a
// nonce of so many letters. It has a space and no slash: no rotation takes such a key for one of its own.
const (
	probeMark   = " doctor-probe "
	nonceLength = 8
)

// mayRun is how old a key can be whose probe is still running.
const mayRun = 5 * time.Minute

// leftOver are the keys of all probes: of those that were cut off, and of those that may
// still be running.
func leftOver(keys []instantly.Key, owner string, now time.Time) (cutOff, young []instantly.Key) {
	for _, k := range named(keys, owner+probeMark) {
		if now.Sub(k.Created) < mayRun {
			young = append(young, k)
		} else {
			cutOff = append(cutOff, k)
		}
	}
	return cutOff, young
}

// probesOf names the probes that keys are of, by the nonces in the keys' names.
func probesOf(keys []instantly.Key, owner string) []string {
	var all []string
	for _, k := range keys {
		nonce := strings.TrimPrefix(k.Name, owner+probeMark)
		all = append(all, nonce[:min(len(nonce), nonceLength)])
	}
	slices.Sort(all)
	return slices.Compact(all)
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

func revoke(ctx context.Context, c *instantly.Client, keys []instantly.Key) error {
	var errs []error
	for _, k := range keys {
		errs = append(errs, c.DeleteKey(ctx, k.ID))
	}
	return errors.Join(errs...)
}
