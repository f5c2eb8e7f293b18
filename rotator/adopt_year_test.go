package rotator_test

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// office is a workspace in which people made keys by hand, whose consumers use them all
// the time.
type office struct {
	box     *sandbox.Server
	targets []rotator.Target
	stores  []*memstore.Store
	byHand  []sandbox.KeyRecord
	cached  [][]secret.Value // by target: what each of its consumers has
	// requests that were made, and those that were refused.
	requests, refused int

	mu      sync.Mutex
	revoked map[string][]time.Time
}

// consumersEach is how many consumers a target has, and caching how long each keeps a key.
const (
	consumersEach = 4
	caching       = rotatortest.Grace - time.Hour
)

func newOffice(t *testing.T, resources ...string) *office {
	o := &office{
		box:     sandbox.New(sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: -1, PerMinute: -1}}),
		revoked: map[string][]time.Time{},
	}
	f := o.box.Faults()
	f.ListKey = sandbox.KeyMasked
	o.box.SetFaults(f)
	space := o.box.Workspaces()[0]
	client, err := instantly.NewClient(instantly.Options{
		BaseURL: "https://api.instantly.test", AdminKey: space.AdminKey, Transport: sandbox.Transport(o.box), Pacer: instantly.NewPacer(math.Inf(1)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := rotator.NewWorkspace("main", apikeys.New(client), space.ID)
	for i, resource := range resources {
		k, err := o.box.AddKey(space.ID, fmt.Sprint("made by hand ", i), resource+":read")
		if err != nil {
			t.Fatal(err)
		}
		store := memstore.New(resource)
		store.PutByHand(k.Value)
		o.byHand, o.stores = append(o.byHand, k), append(o.stores, store)
		o.cached = append(o.cached, make([]secret.Value, consumersEach))
		o.targets = append(o.targets, rotator.Target{
			Name: resource, Workspace: w, Stores: []rotator.NamedStore{{Name: "memory", Store: store}},
			Policy: rotator.Policy{
				Owner: rotatortest.Owner, Spec: secretstore.Spec(resource + ":read"), Schedule: quarterly{},
				Grace: rotatortest.Grace, Activation: time.Minute, Revocation: time.Minute,
			},
		})
		time.Sleep(5 * 24 * time.Hour) // they were not all made on one day
	}
	return o
}

// quarterly is at three in the morning of the first day of a quarter.
type quarterly struct{}

// Next implements [rotator.Schedule].
func (quarterly) Next(t time.Time) time.Time {
	t = t.UTC()
	next := time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 3, 0, 0, 0, time.UTC)
	for !next.After(t) {
		next = next.AddDate(0, 3, 0)
	}
	return next
}

// rotator gives one whose revocations are counted.
func (o *office) rotator() *rotator.Rotator {
	return rotator.New(rotator.Options{Observe: func(e rotator.Event) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if e.Verb == rotator.Revoke && e.Err == nil {
			o.revoked[e.KeyID] = append(o.revoked[e.KeyID], e.At)
		}
	}})
}

// use lets every consumer make a request; each reads its key anew when it has had it for as
// long as it caches one.
func (o *office) use(hour int) {
	for i, store := range o.stores {
		for c := range consumersEach {
			if o.cached[i][c].IsZero() || (hour+c*5)%int(caching.Hours()) == 0 {
				o.cached[i][c] = secret.New(currentValue(store))
			}
			if o.requests++; !o.box.Alive(o.cached[i][c]) {
				o.refused++
			}
		}
	}
}

// TestAYearAfterTwelveKeysMadeByHandWereAdopted: with quarterly rotations no consumer ever
// is refused, and each of those keys is revoked once, after its grace period.
func TestAYearAfterTwelveKeysMadeByHandWereAdopted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, "campaigns", "accounts", "leads", "lead_lists", "emails", "subsequences", "custom_tags",
			"webhooks", "audit_logs", "workspaces", "crm_actions", "inbox_placement_tests")
		o.use(0)
		r := o.rotator()
		for i, p := range r.Propose(t.Context(), o.targets, nil) {
			if p.Adoption == nil || p.Adoption.How != rotator.AdoptedByScopes || p.KeyID != o.byHand[i].ID {
				t.Fatalf("%s: proposed %+v, %v", p.Target, p.Adoption, p.Err)
			}
			mustSettle(t, r.Adopt(t.Context(), o.targets[i], *p.Adoption))
		}
		displaced := map[string]time.Time{}
		for hour := range 365 * 24 {
			if hour%12 == 0 {
				for _, res := range r.ReconcileAll(t.Context(), o.targets, rotator.Request{}, nil) {
					mustSettle(t, res)
				}
			}
			for i, k := range o.byHand {
				if _, gone := displaced[k.ID]; !gone && currentValue(o.stores[i]) != k.Value.Reveal() {
					displaced[k.ID] = time.Now()
				}
			}
			o.use(hour)
			time.Sleep(time.Hour)
		}
		if o.refused > 0 || o.requests < 365*24*len(o.targets) {
			t.Errorf("%d of %d requests were refused", o.refused, o.requests)
		}
		for _, k := range o.byHand {
			if at := o.revoked[k.ID]; len(at) != 1 || at[0].Before(displaced[k.ID].Add(rotatortest.Grace)) {
				t.Errorf("key %s, displaced at %s, was revoked at %v", k.Name, displaced[k.ID], at)
			}
		}
		living := 0
		for _, k := range o.box.Keys(o.box.Workspaces()[0].ID) {
			if o.box.Alive(k.Value) {
				living++
			}
		}
		if living != len(o.targets)+1 {
			t.Errorf("%d keys live: want those of the targets, and the admin key", living)
		}
	})
}
