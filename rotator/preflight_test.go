package rotator_test

// No key is issued that could not be kept, and nothing is touched in a workspace
// that is not the one configured.

import (
	"errors"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

func TestNothingIsTouchedInAnotherOrganization(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		rotateAndEndGrace(t, w)
		for _, k := range w.Instantly.Keys {
			k.Account = "org-other"
		}
		w.Instantly.MovedTo = "org-other"
		keys := len(w.Instantly.ListedKeys())
		if res := w.Start().Run(rotator.Request{}); !errors.Is(res.Err, rotator.ErrOrganization) || len(w.Instantly.ListedKeys()) != keys {
			t.Errorf("err = %v, %d keys of %d left", res.Err, len(w.Instantly.ListedKeys()), keys)
		}
	})
}

func TestNoKeyIsIssuedWithAnAdminKeyOfAnotherOrganization(t *testing.T) {
	for _, listed := range []int{0, 1} { // an empty list does not name the organization
		story(t, 1, func(t *testing.T, w *world) {
			w.Instantly.MovedTo = "org-other"
			for range listed {
				w.Instantly.Add("somebody's")
			}
			if res := w.Start().Run(rotator.Request{}); !errors.Is(res.Err, rotator.ErrOrganization) || w.Instantly.Creates != 0 {
				t.Errorf("err = %v, %d creates", res.Err, w.Instantly.Creates)
			}
		})
	}
}

func TestAKeyIssuedInTheWrongOrganizationIsGivenBack(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		w.Instantly.Add("keeps the list in the right organization")
		in := w.Start()
		in.Hook = func(op string, when rotatortest.When) error {
			if op == "create" {
				w.Instantly.MovedTo = "org-other"
			}
			return nil
		}
		res := in.Run(rotator.Request{})
		if !errors.Is(res.Err, rotator.ErrOrganization) || len(w.Instantly.ListedKeys()) != 1 || len(w.stores[0].Contents()) != 0 {
			t.Errorf("err = %v, %d keys, store %v", res.Err, len(w.Instantly.ListedKeys()), w.stores[0].Contents())
		}
	})
}

func TestNoKeyIsIssuedThatCouldNotBeRevoked(t *testing.T) {
	story(t, 1, func(t *testing.T, w *world) {
		in := w.Start()
		in.Hook = failing("check", errors.New("the admin key lacks api_keys:delete"))
		if res := in.Run(rotator.Request{}); res.Err == nil || w.Instantly.Creates != 0 {
			t.Errorf("err %v, %d creates", res.Err, w.Instantly.Creates)
		}
	})
}

func TestNoKeyIsIssuedWhileAStoreCannotBeReadOrWritten(t *testing.T) {
	for _, op := range []string{"describe@0", "describe@1", "annotate@0"} {
		t.Run(op, func(t *testing.T) {
			story(t, 2, func(t *testing.T, w *world) {
				in := w.Start()
				in.Hook = failing(op, rotatortest.ErrInjected)
				if res := in.Run(rotator.Request{}); !errors.Is(res.Err, rotatortest.ErrInjected) || w.Instantly.Creates != 0 {
					t.Errorf("err %v, %d creates", res.Err, w.Instantly.Creates)
				}
			})
		})
	}
}
