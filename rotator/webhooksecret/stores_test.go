package webhooksecret_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/all/alltest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// inService is a secret at the stand-in of a service. Receivers read there what the README
// says of it, or else both values by a store, as get --all does.
func inService(t *testing.T, r storetest.Remote) kept {
	k := kept{open: func(hook rotatortest.Hook) secretstore.Store {
		if r.Local {
			return rotatortest.Tap(r.Open(t, nil), hook)
		}
		return r.Open(t, func(call string, after bool) error {
			if after {
				return hook(call, rotatortest.After)
			}
			return hook(call, rotatortest.Before)
		})
	}}
	k.served = func() []string { return []string{r.Current(), r.Previous()} }
	if r.Local {
		k.served = func() []string { return bothOf(t.Context(), k.open(undisturbed)) }
	}
	return k
}

// bothOf reads the current and the previous value by a store.
func bothOf(ctx context.Context, st secretstore.Store) (values []string) {
	snap, err := st.Describe(ctx)
	if err != nil {
		return nil
	}
	for _, stage := range []secretstore.Stage{secretstore.Current, secretstore.Previous} {
		ver, ok := snap.Versions[stage]
		if !ok {
			continue
		}
		if value, err := st.Read(ctx, ver.ID); err == nil {
			values = append(values, value.Reveal())
		}
	}
	return values
}

// Whatever store receivers read, and whichever call a process is killed at.
func TestNoDeliveryIsRefusedWhateverStoreReceiversRead(t *testing.T) {
	for _, f := range alltest.Primaries() {
		t.Run(f.Kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, webhookauth.Raw, "prompt", "late")
				s.unsure = f.Kind == "aws"
				s.store = inService(t, f.Fresh(t, "replies"))
				if res := s.run(undisturbed, rotator.Request{TakeOver: true, NoRotation: true}); res.Adopted == "" {
					t.Fatal(res.Err)
				}
				seen := map[string]bool{}
				for n := range 5 {
					s.rotate(4 * n)
					s.rotate(4*n + 1)
					now, _ := s.values(t.Context())
					seen[now[0]] = true
				}
				s.check()
				if len(seen) != 5 || s.accepted < 2*10*50*4 {
					t.Errorf("%d values, %d deliveries", len(seen), s.accepted)
				}
			})
		})
	}
}
