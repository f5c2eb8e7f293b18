package rotator

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Schedule says when a key falls due. robfig/cron's schedules keep it.
type Schedule interface {
	// Next gives the first tick after t, in t's location or the schedule's own.
	// A zero time means that there is none.
	Next(t time.Time) time.Time
}

// Calendar says when nothing new may begin.
type Calendar interface {
	// FreezeWindowEnd gives the end of the freeze that t is in; the zero time if it
	// is in none.
	FreezeWindowEnd(t time.Time) time.Time
}

// Policy is how one target's key is kept fresh.
type Policy struct {
	// Owner goes into every key's name. Only keys named with it, and with the
	// fingerprint of the target's primary store, are ever swept.
	Owner string
	// Spec is what the key is wanted for. A change of it is a reason to rotate.
	Spec secretstore.Spec
	// Schedule: the key is due at the first tick after its promotion. May be
	// nil: due by age only.
	Schedule Schedule
	// Jitter spreads targets that share a schedule: each falls due up to that
	// much after the tick, by a hash of its name, on every instance the same.
	// Less than half the time between two ticks. 0 means none.
	Jitter time.Duration
	// Freeze says when no rotation may begin by itself; one that has begun is
	// finished. May be nil: never.
	Freeze Calendar
	// Apart is the least time between the promotions of two targets that are
	// each other's Peers. 0 means none.
	Apart time.Duration
	// MaxAge is the backstop: a key this old is due whatever the schedule says.
	// 0 means none.
	MaxAge time.Duration
	// Grace is how long a displaced key stays alive, counted from promotion in
	// the last store that took its successor.
	Grace time.Duration
	// Activation is how long a fresh key may take until its first valid answer.
	Activation time.Duration
	// Settle is how long receivers of a secret that is sent may take to read a new one from
	// the stores: see [Senders].
	Settle time.Duration
	// Revocation is how long a revoked key may go on working.
	Revocation time.Duration
}

// Request is what the caller wants of one run, beyond what is due anyhow.
// The zero Request asks for nothing more.
type Request struct {
	// RotateSince asks for a rotation now: a key promoted before that instant is
	// due. The start of the command, so that carrying on with an interrupted
	// rotation counts as the one that was asked for. Zero: only what is due.
	RotateSince time.Time
	// IgnoreBackoff starts a rotation even though the last attempts failed
	// a short while ago.
	IgnoreBackoff bool
	// EndGrace ends the grace period of the old key on purpose.
	EndGrace bool
	// BeginAnew is a person's word that a store which holds nothing is a new one,
	// though keys were issued for the target: it is lost for good, or was replaced.
	BeginAnew bool
	// SkipGates is why the consumers of the current key are no longer waited for: that is
	// noted down, and every instance obeys it. Empty: they are.
	SkipGates string
	// NoRotation begins no rotation, and makes no pending key current, whatever is due:
	// the request is about the old key alone.
	NoRotation bool
	// Adopt records the current value as the key's that somebody made; see [Rotator.Adopt].
	Adopt *Adoption
	// TakeOver makes the value that the senders send the current one, where the store does
	// not have it: see [Senders].
	TakeOver bool
	// Incident declares that the keys issued until now are in wrong hands: they
	// are replaced and revoked without a grace period. It is what people call
	// the incident; empty: none is declared. A declared incident is carried on
	// by every later run, asked or not. One of a name that is on record as resolved is
	// not declared again: see [Result.Answered].
	Incident string
	// Soft declares the incident as one in which the keys get their grace period: they are
	// known to somebody who has left. The same incident asked for without it is one in
	// which they do not.
	Soft bool
	// Again declares the incident although it is on record as resolved: the keys of
	// after it are in wrong hands too.
	Again bool
}

// The ladder of waits after failed attempts in a row.
const (
	firstBackoff = time.Minute
	lastBackoff  = 6 * time.Hour
)

// backoff gives the wait after so many failures in a row: 1 min, doubling, at
// most 6 h.
func backoff(failures int) time.Duration {
	wait := firstBackoff
	for range failures - 1 {
		if wait *= 2; wait >= lastBackoff {
			return lastBackoff
		}
	}
	return wait
}

// promotionBound is the most time that a promotion may take, and by which it is
// written down later than it began: a hundredth of the grace period that is
// counted from it, but 1 to 30 s.
func promotionBound(grace time.Duration) time.Duration {
	return min(max(grace/100, time.Second), longestPromotionBound)
}

const longestPromotionBound = 30 * time.Second

// pause gives the wait between two test calls whose answer may still change:
// 250 ms, doubling, at most 5 s.
func pause(tries int) time.Duration {
	wait := 250 * time.Millisecond
	for range tries - 1 {
		if wait *= 2; wait >= 5*time.Second {
			return 5 * time.Second
		}
	}
	return wait
}
