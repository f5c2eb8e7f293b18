package gcpsecretmanager_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	grace    = 24 * time.Hour
	interval = 90 * 24 * time.Hour
	// late is by how much a promotion is written down later than it begins.
	late = 30 * time.Second
)

// every is a schedule that ticks an interval after the promotion.
type every time.Duration

func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }

// account is an Instantly workspace: which keys were issued, which of them live.
type account struct {
	mu     sync.Mutex
	names  map[string]string // of listed keys, by id
	values map[string]bool   // whether the key with that value lives
	issued int
	dead   func() bool // the process that calls was killed
	broken func(value string) bool
}

var errKilled = errors.New("killed")

func (a *account) alive(value string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.values[value]
}

func (a *account) CreateKey(_ context.Context, name string, scopes []string) (instantly.Key, error) {
	if a.dead() {
		return instantly.Key{}, errKilled
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.issued++
	key := fmt.Sprintf("key-%d", a.issued)
	a.names[key], a.values[valueOf(key).Reveal()] = name, true
	return instantly.Key{ID: key, Name: name, Scopes: scopes, Organization: "org", Secret: valueOf(key)}, nil
}

func (a *account) Keys(context.Context) (keys []instantly.Key, err error) {
	if a.dead() {
		return nil, errKilled
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, name := range a.names {
		keys = append(keys, instantly.Key{ID: key, Name: name, Organization: "org"})
	}
	return keys, nil
}

func (a *account) DeleteKey(_ context.Context, key string) error {
	if a.dead() {
		return errKilled
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.names, key)
	a.values[valueOf(key).Reveal()] = false
	return nil
}

func (a *account) Probe(_ context.Context, value secret.Value, _ []string) instantly.Probe {
	switch {
	case a.dead():
		return instantly.Probe{Err: errKilled}
	case !a.alive(value.Reveal()) || a.broken(value.Reveal()):
		return instantly.Probe{Verdict: instantly.Invalid, Err: errors.New("invalid API key")}
	default:
		return instantly.Probe{Verdict: instantly.Valid}
	}
}

func (a *account) Organization(context.Context) (string, error) { return "org", nil }

func (a *account) CheckDelete(context.Context) error { return nil }

// life is a target in the making: the server, the account, and what must hold
// of them after every effect.
type life struct {
	t       *testing.T
	server  *gcptest.Server
	account *account
	strike  func(method string, after bool) error // befalls each call to the server
	killed  bool
	wrong   []string
}

func newLife(t *testing.T) *life {
	l := &life{t: t, server: newServer(t), strike: untapped}
	l.account = &account{
		names: map[string]string{}, values: map[string]bool{},
		dead: func() bool { return l.killed }, broken: func(string) bool { return false },
	}
	return l
}

// run is one process that reconciles the target once.
func (l *life) run(req rotator.Request) rotator.Result {
	l.killed = false
	store := openTapped(l.t, l.server, func(method string, after bool) error {
		if after {
			l.look(method)
		}
		if l.killed {
			return status.Error(codes.Unavailable, "killed")
		}
		return l.strike(method, after)
	})
	target := rotator.Target{
		Name: "sending", Workspace: rotator.NewWorkspace("acme", l.account, "org"),
		Stores: []rotator.NamedStore{{Name: "gcp", Store: store}},
		Policy: rotator.Policy{
			Owner: "prod", Scopes: []string{"campaigns:read"}, Schedule: every(interval), Grace: grace,
			Activation: time.Minute, Revocation: time.Minute,
		},
	}
	res := rotator.New(rotator.Options{}).Reconcile(l.t.Context(), target, req)
	l.look("the run")
	return res
}

// look checks what applications read: the latest version, and the alias.
func (l *life) look(when string) {
	latest, alias := l.server.Served(id, "latest"), l.server.Served(id, "current")
	for which, value := range map[string]string{"latest": latest, "the alias current": alias} {
		if value != "" && !l.account.alive(value) {
			l.wrong = append(l.wrong, fmt.Sprintf("after %s %s serves a dead key: %s", when, which, value))
		}
	}
	if alias != "" && latest == "" {
		l.wrong = append(l.wrong, fmt.Sprintf("after %s latest serves nothing, though there is a current version", when))
	}
}

// live is a first key, a rotation, and the end of the old key, one process after
// another, so many that blows are made good.
func (l *life) live(blows int) {
	for range 3 + 2*blows {
		l.run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(3 * time.Minute) // longer than the lease
	}
	time.Sleep(interval + late)
	for range 2 + 2*blows {
		l.run(rotator.Request{IgnoreBackoff: true})
		time.Sleep(grace + late)
	}
}

// settle runs until nothing is left to do, and checks that nothing is left over.
func (l *life) settle(story string) {
	l.t.Helper()
	l.strike = untapped
	for range 8 {
		if res := l.run(rotator.Request{IgnoreBackoff: true}); res.Err != nil && !errors.Is(res.Err, rotator.ErrNeverValid) {
			l.t.Fatalf("%s: does not settle: %v", story, res.Err)
		}
		time.Sleep(grace + late)
	}
	if len(l.wrong) > 0 {
		l.t.Fatalf("%s:\n  %s", story, strings.Join(l.wrong, "\n  "))
	}
	observer := openTapped(l.t, l.server, untapped)
	snap := describe(l.t, observer)
	current := snap.Versions[secretstore.Current]
	if len(snap.Versions) != 1 || l.server.Served(id, "latest") != valueOf(current.ID).Reveal() {
		l.t.Fatalf("%s: settled with %s, latest serves %s", story, held(snap), l.server.Served(id, "latest"))
	}
	if len(l.account.names) != 1 {
		l.t.Fatalf("%s: settled, but keys are left over: %v", story, l.account.names)
	}
	must(l.t, observer, annotating("any write"))
	l.enabled(story)
}

// enabled checks that no version is left enabled but the current one. What a
// crash left over, the next write destroys.
func (l *life) enabled(story string) {
	l.t.Helper()
	current := l.server.Served(id, "latest")
	for _, v := range l.server.Versions(id) {
		if v.Value != "" && v.Value != current {
			l.t.Fatalf("%s: settled, but version %d still holds an old key", story, v.Number)
		}
	}
}

// cleanCalls counts the calls of a life without blows.
func cleanCalls(t *testing.T, live func(*life)) int {
	calls := 0
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t)
		l.strike = func(_ string, after bool) error {
			if !after {
				calls++
			}
			return nil
		}
		live(l)
		l.settle("an undisturbed life")
	})
	return calls
}

// blow strikes one call, before or after its effect, as an error or as the death
// of the process.
type blow struct {
	call         int
	after, crash bool
}

func (l *life) befall(blows ...blow) {
	n := 0
	l.strike = func(_ string, after bool) error {
		if !after {
			n++
		}
		for _, b := range blows {
			if b.call == n && b.after == after {
				l.killed = b.crash
				return status.Error(codes.Unavailable, "struck")
			}
		}
		return nil
	}
}

// lives are the ways in which a target may live: as planned, and with a second
// key that never becomes valid once it is stored.
func lives() map[string]func(*life, int) {
	return map[string]func(*life, int){
		"a rotation": func(l *life, blows int) { l.live(blows) },
		"a key that never becomes valid": func(l *life, blows int) {
			l.account.broken = func(value string) bool {
				return l.server.Served(id, "current") != "" && l.server.Served(id, "pending") == value && l.account.issued == 2
			}
			l.live(blows)
		},
	}
}

func TestEveryCallStruckInALife(t *testing.T) {
	for name, live := range lives() {
		n, runs := cleanCalls(t, func(l *life) { live(l, 0) }), 0
		for call := 1; call <= n; call++ {
			for mode := range 4 {
				b := blow{call, mode&1 == 1, mode&2 == 2}
				synctest.Test(t, func(t *testing.T) {
					l := newLife(t)
					l.befall(b)
					live(l, 1)
					l.settle(fmt.Sprintf("%s: %+v", name, b))
				})
				runs++
			}
		}
		t.Logf("%s: %d calls × before/after × error/crash: %d runs, latest and current always gave a living key", name, n, runs)
	}
}

func TestPairsOfCallsStruckInALife(t *testing.T) {
	live := lives()["a rotation"]
	n, runs := cleanCalls(t, func(l *life) { live(l, 0) }), 0
	step := 1
	if testing.Short() {
		step = 11
	}
	for first := 1; first <= n; first += step {
		for second := first + 1; second <= first+12; second += step {
			for mode := range 16 {
				a, b := blow{first, mode&1 == 1, mode&2 == 2}, blow{second, mode&4 == 4, mode&8 == 8}
				synctest.Test(t, func(t *testing.T) {
					l := newLife(t)
					l.befall(a, b)
					live(l, 2)
					l.settle(fmt.Sprintf("%+v %+v", a, b))
				})
				runs++
			}
		}
	}
	t.Logf("pairs of %d calls × before/after × error/crash: %d runs, latest and current always gave a living key", n, runs)
}
