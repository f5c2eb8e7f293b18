package simulation

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// Kind is what a strike does.
type Kind string

// The first eight befall the call itself, or the instance that makes it; the
// others happen in the world just before the call.
const (
	// Refuse fails the call before its effect, Lose after it.
	Refuse Kind = "request lost"
	Lose   Kind = "answer lost"
	// Slow has the call take For, before its effect; SlowAnswer after it.
	Slow       Kind = "slow request"
	SlowAnswer Kind = "slow answer"
	// Late fails a call to Instantly, whose effect happens For later all the
	// same.
	Late Kind = "late effect"
	// Answer gives a call to Instantly the answer number Pick instead of its own,
	// before the effect; SpoilAnswer after it. A store's call is lost.
	Answer      Kind = "wrong answer"
	SpoilAnswer Kind = "spoilt answer"
	// Crash kills the instance before the effect, CrashAfter after it. Another one
	// takes its place For later.
	Crash      Kind = "crash before"
	CrashAfter Kind = "crash after"
	// Freeze stops the instance for For before the effect, FreezeAfter after it.
	Freeze      Kind = "freeze before"
	FreezeAfter Kind = "freeze after"
	// Outage fails this call and those within For after it, at Instantly, or at
	// all stores.
	Outage      Kind = "outage of Instantly"
	StoreOutage Kind = "outage of the stores"
	// Flood fills Instantly's rate limit for For.
	Flood Kind = "rate limit full"
	// Skew sets the instance's clock wrong by For.
	Skew Kind = "clock skew"
	// Lags makes activation and revocation take For from now on.
	Lags Kind = "lags"
	// Revoke: a person deletes a living key of target Pick at Instantly.
	Revoke Kind = "revoked by hand"
	// Put: a person makes another key and puts it into a store of target Pick.
	Put Kind = "put by hand"
	// Rollback: a person puts the key before into a store of target Pick.
	Rollback Kind = "rolled back by hand"
	// Wipe: a tool takes the marks away that it does not know, at target Pick.
	Wipe Kind = "record wiped"
	// Edit: the scopes of target Pick are edited in the configuration.
	Edit Kind = "scopes edited"
	// Force: somebody asks for a rotation of target Pick.
	Force Kind = "rotation asked for"
	// Hold: somebody holds target Pick for For.
	Hold Kind = "hold"
	// Incident: somebody declares one on target Pick.
	Incident Kind = "incident"
	// Foreign: somebody makes a key whose name looks like one of ours.
	Foreign Kind = "somebody's key"
)

// A Strike befalls the outside call with that number, counted from 1 over all
// instances of a world.
type Strike struct {
	Call int
	Kind Kind
	For  time.Duration
	// Pick says which, where there are several; any number.
	Pick int
}

// String implements [fmt.Stringer].
func (s Strike) String() string {
	return fmt.Sprintf("call %d: %s (for %s, pick %d)", s.Call, s.Kind, s.For, s.Pick)
}

// hands are what people and their tools do.
func hands() []Kind { return []Kind{Put, Rollback, Wipe, Revoke} }

// orders are what people ask of the rotator.
func orders() []Kind { return []Kind{Edit, Force, Hold, Incident, Foreign} }

// weather is what goes wrong by itself.
func weather() []Kind {
	return []Kind{
		Refuse, Lose, Refuse, Lose, Lose, Slow, SlowAnswer, Late, Answer, SpoilAnswer, SpoilAnswer,
		Crash, CrashAfter, Crash, CrashAfter, Freeze, FreezeAfter, Outage, StoreOutage, Flood, Skew, Lags,
	}
}

// mostStrikes in a world.
const mostStrikes = 40

// strikes draws what befalls a world. Hands change what may be asked of it in the
// end, so they keep out of most.
func strikes(lot *rand.Rand, p *Plan) (all []Strike) {
	gap := pick(lot, 6, 20, 50)
	byHand, ordered := lot.IntN(3) == 0, lot.IntN(2) == 0
	call := 0
	for range mostStrikes {
		call += 1 + lot.IntN(2*gap)
		s := Strike{Call: call, Kind: pick(lot, weather()...), Pick: lot.IntN(1 << 20)}
		switch n := lot.IntN(10); {
		case byHand && n == 0:
			s.Kind = pick(lot, hands()...)
		case ordered && n == 1:
			s.Kind = pick(lot, orders()...)
		}
		s.For = lasting(lot, s.Kind, p)
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b Strike) int { return cmp.Compare(a.Call, b.Call) })
	return all
}

// MostSkew is by how much a clock may be wrong.
const MostSkew = 5 * time.Minute

// lasting draws how long a strike lasts.
func lasting(lot *rand.Rand, k Kind, p *Plan) time.Duration {
	switch k {
	case Slow, SlowAnswer, Late:
		return pick(lot, time.Second, 10*time.Second, 25*time.Second, 100*time.Second)
	case Crash, CrashAfter:
		return pick(lot, time.Second, time.Minute, time.Hour, p.Span/4)
	case Freeze, FreezeAfter:
		return pick(lot, time.Minute, time.Hour, 5*time.Hour, 2*day)
	case Outage, StoreOutage, Flood:
		return pick(lot, time.Second, time.Minute, 10*time.Minute, 5*time.Hour)
	case Skew:
		return time.Duration(lot.Int64N(int64(2*MostSkew))) - MostSkew
	case Lags:
		return pick(lot, 0, 0, time.Second, time.Second, 2*time.Second, 5*time.Second, 50*time.Second)
	case Hold:
		return pick(lot, time.Hour, day, 10*day)
	default:
		return 0
	}
}

// A reply is what the API may answer: see the facts about it in the vendor's
// OpenAPI file and the documents of its edge.
type reply struct {
	status int
	header http.Header
	body   string
	// vouches: it says that a key works. Who lies about that makes fools of all.
	vouches bool
}

func replies() []reply {
	said := func(status int, message string) reply {
		return reply{status: status, header: json(), body: fmt.Sprintf(`{"statusCode":%d,"error":%q,"message":%q}`, status, http.StatusText(status), message)}
	}
	limited := said(http.StatusTooManyRequests, "Rate limit exceeded")
	limited.header.Set("Retry-After", "7")
	alive := said(http.StatusUnauthorized, "Invalid scope. Required: api_keys:read. Found: campaigns:read")
	alive.vouches = true
	return []reply{
		said(http.StatusBadRequest, "body must have required property 'name'"),
		said(http.StatusUnauthorized, "Invalid API key"),
		alive,
		said(http.StatusPaymentRequired, "Workspace does not have an active paid plan"),
		said(http.StatusForbidden, "Forbidden"),
		{status: http.StatusForbidden, header: http.Header{"Server": {"cloudflare"}}, body: "error code: 1010"},
		said(http.StatusNotFound, "Resource not found"),
		limited,
		said(http.StatusInternalServerError, "Internal Server Error"),
		{status: http.StatusBadGateway, header: page(), body: "<html>Bad gateway</html>"},
		said(http.StatusServiceUnavailable, "Service Unavailable"),
		{status: http.StatusOK, header: json()},
		{status: http.StatusOK, header: json(), body: `{"items":[{"id":`},
		{status: http.StatusOK, header: json(), body: `{"items":"none","id":7,"key":[]}`, vouches: true},
		{status: http.StatusOK, header: page(), body: "<html>Welcome</html>"},
	}
}

// flooded is the answer while the rate limit is full.
func flooded() reply { return replies()[7] }

func page() http.Header { return http.Header{"Content-Type": {"text/html"}} }

func json() http.Header { return http.Header{"Content-Type": {"application/json"}} }
