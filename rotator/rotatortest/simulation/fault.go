package simulation

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// Kind is what a fault does.
type Kind string

// The first eight happen to the call itself, or the instance that makes it; the
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
	// Suspend stops the instance for For before the effect, SuspendAfter after it.
	Suspend      Kind = "suspend before"
	SuspendAfter Kind = "suspend after"
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
	// Adopt: somebody has a key that was put into the primary store of target Pick by hand
	// taken over, and puts one there before if none is; AdoptWrong: as another key, on his
	// word.
	Adopt      Kind = "adopted"
	AdoptWrong Kind = "adopted as another key"
	// Foreign: somebody makes a key whose name looks like one of ours.
	Foreign Kind = "somebody's key"
	// SetByHand: somebody has a webhook send another value, and tells its receiver; PutRight:
	// the current one again. Reheader: another header of it is changed.
	SetByHand Kind = "webhook set by hand"
	PutRight  Kind = "webhook put right by hand"
	Reheader  Kind = "webhook's other header changed"
	// AddWebhook: there is one more, without a secret.
	AddWebhook Kind = "webhook added"
	// TakeOver: somebody has all webhooks send another value, and asks for it to be taken
	// over.
	TakeOver Kind = "webhooks' value taken over"
	// SetBack: somebody puts the key before into a sink; SetOther: another one; Empty: none.
	// Restore: a sink is restored from a backup, and does not tell what it has for For.
	SetBack  Kind = "sink set back by hand"
	Restore  Kind = "sink restored from a backup"
	SetOther Kind = "sink set by hand"
	Empty    Kind = "sink emptied by hand"
	// SinkOutage: a sink fails for For. Unreadable: it does not tell what it has.
	SinkOutage Kind = "outage of a sink"
	Unreadable Kind = "sink does not tell what it has"
	// Stuck: a restart of consumers takes longer by For, or nobody can tell for so long whether
	// they have moved. SkipGates: somebody says that they are not waited for.
	Stuck     Kind = "consumers are stuck"
	SkipGates Kind = "consumers not waited for"
)

// A Fault is injected into the outside call with that number, counted from 1 over all
// instances of a world.
type Fault struct {
	Call int
	Kind Kind
	For  time.Duration
	// Pick says which, where there are several; any number.
	Pick int
}

// String implements [fmt.Stringer].
func (s Fault) String() string {
	return fmt.Sprintf("call %d: %s (for %s, pick %d)", s.Call, s.Kind, s.For, s.Pick)
}

// manualChanges are what people and their tools do.
func manualChanges() []Kind { return []Kind{Put, Rollback, Wipe, Revoke} }

// requests are what people ask of the rotator.
func requests() []Kind { return []Kind{Edit, Force, Hold, Incident, Foreign} }

// failures are what goes wrong by itself.
func failures() []Kind {
	return []Kind{
		Refuse, Lose, Refuse, Lose, Lose, Slow, SlowAnswer, Late, Answer, SpoilAnswer, SpoilAnswer,
		Crash, CrashAfter, Crash, CrashAfter, Suspend, SuspendAfter, Outage, StoreOutage, Flood, Skew, Lags,
	}
}

// mostFaults in a world.
const mostFaults = 40

// faults draws what is injected into a world. Manual changes limit what can be
// demanded of it in the end, so most worlds have none.
func faults(random *rand.Rand, p *Plan) (all []Fault) {
	gap := pick(random, 6, 20, 50)
	byHand, requested := random.IntN(3) == 0, random.IntN(2) == 0
	call := 0
	for range mostFaults {
		call += 1 + random.IntN(2*gap)
		s := Fault{Call: call, Kind: pick(random, failures()...), Pick: random.IntN(1 << 20)}
		switch n := random.IntN(10); {
		case byHand && n == 0:
			s.Kind = pick(random, manualChanges()...)
		case requested && n == 1:
			s.Kind = pick(random, requests()...)
		}
		s.For = lasting(random, s.Kind, p)
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b Fault) int { return cmp.Compare(a.Call, b.Call) })
	return all
}

// MostSkew is by how much a clock may be wrong.
const MostSkew = 5 * time.Minute

// lasting draws how long a fault lasts.
func lasting(random *rand.Rand, k Kind, p *Plan) time.Duration {
	switch k {
	case Slow, SlowAnswer, Late:
		return pick(random, time.Second, 10*time.Second, 25*time.Second, 100*time.Second)
	case Crash, CrashAfter:
		return pick(random, time.Second, time.Minute, time.Hour, p.Span/4)
	case Suspend, SuspendAfter:
		return pick(random, time.Minute, time.Hour, 5*time.Hour, 2*day)
	case Outage, StoreOutage, Flood:
		return pick(random, time.Second, time.Minute, 10*time.Minute, 5*time.Hour)
	case SinkOutage, Unreadable, Restore, Stuck:
		return pick(random, time.Minute, 5*time.Hour, 2*day, 10*day)
	case Skew:
		return time.Duration(random.Int64N(int64(2*MostSkew))) - MostSkew
	case Lags:
		return pick(random, 0, 0, time.Second, time.Second, 2*time.Second, 5*time.Second, 50*time.Second)
	case Hold:
		return pick(random, time.Hour, day, 10*day)
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
