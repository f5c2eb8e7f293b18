package kubernetessecret_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

const (
	grace    = 24 * time.Hour
	interval = 90 * 24 * time.Hour
	// late is by how much a promotion is written down later than it begins.
	late = 30 * time.Second
	// leased is longer than an intent's lease.
	leased = time.Hour
)

// every is a schedule that ticks an interval after the promotion.
type every time.Duration

func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }

// account is an Instantly workspace: which keys were issued, which of them live.
type account struct {
	names   map[string]string // of listed keys, by id
	created map[string]time.Time
	issued  int
	dead    func() bool // the process that calls was killed
}

var errKilled = errors.New("killed")

// alive tells whether a key with that value lives.
func (a *account) alive(value string) bool {
	_, ok := a.names[strings.TrimPrefix(value, "value-of-")]
	return ok
}

func (a *account) Issue(_ context.Context, name string, spec secretstore.Spec) (rotator.Key, error) {
	if a.dead() {
		return rotator.Key{}, errKilled
	}
	a.issued++
	id := fmt.Sprintf("key-%d", a.issued)
	a.names[id], a.created[id] = name, time.Now()
	return rotator.Key{ID: id, Name: name, Spec: spec, Account: "org", Value: steps.ValueOf(id)}, nil
}

func (a *account) List(context.Context) (keys []rotator.Key, err error) {
	if a.dead() {
		return nil, errKilled
	}
	for id, name := range a.names {
		keys = append(keys, rotator.Key{ID: id, Name: name, Account: "org", Created: a.created[id]})
	}
	return keys, nil
}

func (a *account) Revoke(_ context.Context, id string) error {
	if a.dead() {
		return errKilled
	}
	delete(a.names, id)
	return nil
}

func (a *account) Test(_ context.Context, value secret.Value, _ secretstore.Spec) rotator.TestCall {
	switch {
	case a.dead():
		return rotator.TestCall{Err: errKilled}
	case !a.alive(value.Reveal()):
		return rotator.TestCall{Verdict: rotator.Invalid, Err: errors.New("invalid API key")}
	default:
		return rotator.TestCall{Verdict: rotator.Valid}
	}
}

func (a *account) Account(context.Context) (string, error) { return "org", nil }

func (a *account) Preflight(context.Context) error { return nil }

// life is a target in the making: the cluster, the account, and what must hold of
// them after every effect.
type life struct {
	t       *testing.T
	cluster *cluster
	server  *kubetest.Server
	account *account
	fault   func(after bool) error // of each call to the cluster
	killed  bool
	served  bool // consumers had a value once
	wrong   []string
}

func newLife(t *testing.T) *life {
	l := &life{t: t, fault: func(bool) error { return nil }}
	l.cluster, l.server = standIn()
	l.cluster.make(t, "sending", "")
	l.account = &account{names: map[string]string{}, created: map[string]time.Time{}, dead: func() bool { return l.killed }}
	l.cluster.tap.On(
		func(*http.Request) error { return l.fail(false) },
		func(*http.Request) error { l.judge(); return l.fail(true) },
	)
	return l
}

func (l *life) fail(after bool) error {
	if l.killed {
		return errKilled
	}
	return l.fault(after)
}

// run is one process that reconciles the target once.
func (l *life) run(req rotator.Request) rotator.Result {
	l.killed = false
	target := rotator.Target{
		Name: "sending", Workspace: rotator.NewWorkspace("acme", l.account, "org"),
		Stores: []rotator.NamedStore{{Name: "cluster", Store: l.cluster.open(l.t, "sending")}},
		Policy: rotator.Policy{
			Owner: "prod", Spec: "campaigns:read", Schedule: every(interval), Grace: grace,
			Activation: time.Minute, Revocation: time.Minute,
		},
	}
	res := rotator.New(rotator.Options{}).Reconcile(l.t.Context(), target, req)
	l.judge()
	return res
}

// judge checks what consumers read.
func (l *life) judge() {
	value := l.server.Served(namespace, "sending", "api-key")
	switch {
	case value == "" && l.served:
		l.wrong = append(l.wrong, "api-key is gone")
	case value != "" && !l.account.alive(value):
		l.wrong = append(l.wrong, "api-key is a dead key: "+value)
	}
	l.served = l.served || value != ""
}

// live is a first key, a rotation, and the end of the old key, one process after
// another, so many that faults are made good.
func (l *life) live(faults int) {
	for range 2 + 2*faults {
		l.run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(leased)
	}
	time.Sleep(interval + late)
	for range 2 + 2*faults {
		l.run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(grace + late)
	}
}

// settle runs until nothing is left to do, and checks that nothing is left over.
func (l *life) settle(story string) {
	l.t.Helper()
	l.fault = func(bool) error { return nil }
	for range 6 {
		if res := l.run(rotator.Request{IgnoreBackoff: true}); res.Err != nil {
			l.t.Fatalf("%s: does not settle: %v", story, res.Err)
		}
		time.Sleep(grace + late)
	}
	if len(l.wrong) > 0 {
		l.t.Fatalf("%s:\n  %s", story, strings.Join(l.wrong, "\n  "))
	}
	snap := steps.Describe(l.t, l.cluster.open(l.t, "sending"))
	current := snap.Versions[secretstore.Current]
	data := l.server.Secret(namespace, "sending").Data
	if len(snap.Versions) != 1 || len(data) != 1 || string(data["api-key"]) != steps.ValueOf(current.ID).Reveal() {
		l.t.Fatalf("%s: settled with %s, %d values", story, steps.Held(snap), len(data))
	}
	if len(l.account.names) != 1 {
		l.t.Fatalf("%s: settled, but keys are left over: %v", story, l.account.names)
	}
}

// cleanCalls counts the calls of a life without faults.
func cleanCalls(t *testing.T) int {
	calls := 0
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t)
		l.fault = func(after bool) error {
			if !after {
				calls++
			}
			return nil
		}
		l.live(0)
		l.settle("an undisturbed life")
	})
	return calls
}

// TestAnnotationWipedAtEachCallOfALife has Argo CD, or kubectl replace, take the
// annotation away before each call: consumers never notice. What is left over is
// a key at Instantly that nobody can tell from one in use, until the next
// rotations are through.
func TestAnnotationWipedAtEachCallOfALife(t *testing.T) {
	n := cleanCalls(t)
	for call := 1; call <= n; call++ {
		synctest.Test(t, func(t *testing.T) {
			l := newLife(t)
			calls := 0
			l.fault = func(after bool) error {
				if calls++; after && calls == 2*call {
					l.cluster.wipe(t, "sending")
				}
				return nil
			}
			l.live(1)
			l.fault = func(bool) error { return nil }
			for range 3 {
				l.run(rotator.Request{IgnoreBackoff: true, RotateSince: time.Now()})
				time.Sleep(interval + late)
				l.run(rotator.Request{IgnoreBackoff: true})
				time.Sleep(grace + late)
			}
			l.settle(fmt.Sprintf("wiped after call %d", call))
		})
	}
	t.Logf("wiped after each of %d calls: api-key was a living key throughout, and no key was left over", n)
}

// TestHandsOnTheKeyAreMadeGood has a person put a value over the key, or take it
// away, when a rotation has just been made.
func TestHandsOnTheKeyAreMadeGood(t *testing.T) {
	for name, value := range map[string]string{
		"another key": "value-of-mine", "the key before": "value-of-key-1", "nonsense": "changeme", "nothing": "",
	} {
		for _, when := range []time.Duration{0, 2 * grace} {
			synctest.Test(t, func(t *testing.T) {
				l := newLife(t)
				l.account.names["mine"], l.account.created["mine"] = "made by hand", time.Now()
				l.run(rotator.Request{})
				time.Sleep(interval + late)
				l.run(rotator.Request{})
				for passed := time.Duration(0); passed < when; passed += grace + late {
					time.Sleep(grace + late)
					l.run(rotator.Request{})
				}
				before := len(l.wrong)
				l.cluster.put(t, "sending", "api-key", value)
				for range 6 {
					l.run(rotator.Request{IgnoreBackoff: true})
					time.Sleep(grace + late)
				}
				l.wrong = l.wrong[:before] // what the person's hand did in between
				for range 3 {
					l.run(rotator.Request{IgnoreBackoff: true, RotateSince: time.Now()})
					time.Sleep(grace + late)
					l.run(rotator.Request{})
				}
				if !l.account.alive("value-of-mine") {
					t.Errorf("%s: a key that is not ours was revoked", name)
				}
				delete(l.account.names, "mine")
				l.settle(fmt.Sprintf("%s after %s", name, when))
			})
		}
	}
}

// TestNonsensePutOverTheKeyDoesNotCostTheConsumersTheirKey has it put there in the
// grace period of the key before, and replaced at once: what consumers had read
// until then lives on for its grace, and is revoked after it.
func TestNonsensePutOverTheKeyDoesNotCostTheConsumersTheirKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t)
		l.run(rotator.Request{})
		time.Sleep(interval + late)
		l.run(rotator.Request{})
		l.cluster.put(t, "sending", "api-key", "changeme")
		time.Sleep(time.Hour)
		for range 3 {
			l.run(rotator.Request{IgnoreBackoff: true})
			time.Sleep(leased)
		}
		if got := l.server.Served(namespace, "sending", "api-key"); got != "value-of-key-3" || len(l.account.names) != 3 {
			t.Errorf("api-key is %q, of the keys there are %v; want that and the two in their grace", got, l.account.names)
		}
		l.wrong = nil // what the person's hand did
		time.Sleep(grace + late)
		l.settle("nonsense put over the key")
	})
}
