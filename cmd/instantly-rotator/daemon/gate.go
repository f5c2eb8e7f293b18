package daemon

import (
	"crypto/hmac"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// How many wrong tokens may be tried at once, and how soon one more: by one source, and by
// all of them together.
const (
	wrongOfOne, wrongOfOneEvery = 10, time.Minute
	wrongOfAll, wrongOfAllEvery = 100, 10 * time.Second
	// welcomeTime is how long a source that had the token is not held to what all of
	// them may try.
	welcomeTime = 24 * time.Hour
)

// Gate asks for the token, and bounds how often a wrong one may be tried: who may not try is
// not told whether it was the right one. Sessions do not pass here, so that nobody who is
// signed in is kept out by others' guesses; nor is a source that had the token, but by its
// own.
type Gate struct {
	token secret.Value
	now   func() time.Time
	// shut is told of a source that has tried all it may; may be nil.
	shut func(source string)

	mu   sync.Mutex
	all  allowance
	from map[netip.Prefix]*visitor
}

// visitor is what is known of a source: an address, or a network where one machine has many.
type visitor struct {
	own     allowance
	last    []byte    // a MAC of the last wrong token
	welcome time.Time // when it had the right one
}

// NewGate gives one that asks for a token; for none, if it is empty.
func NewGate(token secret.Value, now func() time.Time, shut func(source string)) *Gate {
	return &Gate{token: token, now: now, shut: shut, from: map[netip.Prefix]*visitor{}}
}

// Open tells whether nobody is asked for a token.
func (g *Gate) Open() bool { return g == nil || g.token.IsZero() }

// Token is the one that is asked for.
func (g *Gate) Token() secret.Value { return g.token }

// Passes tells whether a request that brings a token has the right one. If wait is not 0,
// nobody looked: it may be tried again after that.
func (g *Gate) Passes(r *http.Request, given secret.Value) (ok bool, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, source := g.now(), sourceOf(r)
	v := g.from[source]
	if v == nil {
		v = &visitor{}
	}
	wait = v.own.wait(now, wrongOfOne, wrongOfOneEvery)
	if !v.isWelcome(now) {
		wait = max(wait, g.all.wait(now, wrongOfAll, wrongOfAllEvery))
	}
	if wait > 0 {
		return false, wait
	}
	if g.token.Equal(given) {
		v.welcome = now
		g.remember(now, source, v)
		return true, 0
	}
	g.wrong(now, source, v, given)
	return false, 0
}

// remember keeps a source, and forgets those of which there is nothing more to know.
func (g *Gate) remember(now time.Time, source netip.Prefix, v *visitor) {
	if g.from[source] != nil {
		return
	}
	for other, known := range g.from {
		if !known.isWelcome(now) && known.own.whole(now) {
			delete(g.from, other)
		}
	}
	g.from[source] = v
}

// wrong takes note of a wrong token. The same one again is no other guess: somebody has not
// heard of a new token yet, and keeps nobody else at the same source out.
func (g *Gate) wrong(now time.Time, source netip.Prefix, v *visitor, given secret.Value) {
	mac := given.MAC("a wrong token")
	if hmac.Equal(mac, v.last) {
		return
	}
	g.remember(now, source, v)
	v.last = mac
	v.own.spend(now, wrongOfOneEvery)
	if !v.isWelcome(now) {
		g.all.spend(now, wrongOfAllEvery)
	}
	if g.shut != nil && v.own.wait(now, wrongOfOne, wrongOfOneEvery) > 0 {
		g.shut(source.String())
	}
}

func (v *visitor) isWelcome(now time.Time) bool {
	return !v.welcome.IsZero() && now.Sub(v.welcome) < welcomeTime
}

// allowance is how much is left of a number of tries, of which one comes back every while:
// the time at which all of them will be back.
type allowance struct{ back time.Time }

func (a allowance) whole(now time.Time) bool { return !a.back.After(now) }

// wait tells how long it is until there is a try left.
func (a allowance) wait(now time.Time, most int, every time.Duration) time.Duration {
	if a.whole(now) {
		return 0
	}
	return max(0, a.back.Sub(now)-time.Duration(most-1)*every)
}

func (a *allowance) spend(now time.Time, every time.Duration) {
	if a.whole(now) {
		a.back = now
	}
	a.back = a.back.Add(every)
}

// sourceOf gives the address that a request is from, or its network: whoever has one address
// of IPv6 has all of a /64. What stands between, and tells of another in a header, may be
// anybody.
func sourceOf(r *http.Request) netip.Prefix {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	address, bits := from.Addr().Unmap().WithZone(""), 32
	if address.Is6() {
		bits = 64
	}
	source, _ := address.Prefix(bits) // fails for no such number
	return source
}

// TellWait says in a response when a token may be tried again, and gives the text for it.
func TellWait(w http.ResponseWriter, wait time.Duration) string {
	seconds := strconv.Itoa(int((wait + time.Second - 1) / time.Second))
	w.Header().Set("Retry-After", seconds)
	return "too many wrong tokens were tried: try again in " + seconds + " seconds"
}
