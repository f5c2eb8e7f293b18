package notify

import (
	"slices"
	"time"
)

// How much a receiver is told.
const (
	// foldFor is how long repetitions of a message are counted rather than sent.
	// A key that fails, fails again after a minute, two, four …
	foldFor = time.Hour
	// At most maxTold messages go out in any period.
	period  = 10 * time.Minute
	maxTold = 20
	// Successes are half of that at most: a night in which every key is rotated must
	// not hide the one that failed.
	maxSuccesses = maxTold / 2
	// maxQueued is how many messages wait for a receiver that is slow.
	maxQueued = 100
)

// An inbox decides what one receiver is told, and when. It has no clock, no lock
// and makes no call; times handed to it never go backwards.
//
//   - A message is queued unless one of the same subject was less than an hour
//     ago: then it is counted, and told with its count when the hour is over.
//   - What is queued goes out at once, up to a limit. What is beyond, or does not
//     fit into the queue, is dropped, and the number is told: with the next
//     message, or by itself when the period is over.
type inbox struct {
	queue []note // oldest first
	folds map[subject]*fold
	order []subject // of folds, by their end
	told  []time.Time
	// missed counts what was not told, for the next note to say.
	missed tally
	// owedAt is when missed is to be told in any case; zero if that can wait for
	// the next message, as after failures: a note would fail too.
	owedAt time.Time
}

// A subject is what repetitions have in common.
type subject struct {
	kind              Kind
	target, workspace string
	topic             string
}

// A fold counts the repetitions of a message.
type fold struct {
	ends  time.Time
	since time.Time // At of the message that was told
	last  Message
	more  int
}

// A note is what goes out: a message, or just the number of those that did not.
type note struct {
	Message
	more   int       // repetitions folded into it
	since  time.Time // of the message they repeat
	missed tally
}

// A tally counts messages by kind.
type tally map[Kind]int

func (t tally) plus(u tally) tally {
	sum := tally{}
	for _, part := range []tally{t, u} {
		for kind, n := range part {
			sum[kind] += n
		}
	}
	return sum
}

// add takes a message in, and tells whether it was folded and what was dropped
// to make room.
func (b *inbox) add(now time.Time, m Message) (folded bool, dropped []Message) {
	dropped = b.unfold(now)
	about := subject{m.Kind, m.Target, m.Workspace, m.Topic}
	if f, ok := b.folds[about]; ok {
		f.last = m
		f.more++
		return true, dropped
	}
	if b.folds == nil {
		b.folds = map[subject]*fold{}
	}
	b.folds[about] = &fold{ends: now.Add(foldFor), since: m.At}
	b.order = append(b.order, about)
	return false, append(dropped, b.push(now, note{Message: m})...)
}

// push queues a note, and drops the oldest if there is no room.
func (b *inbox) push(now time.Time, n note) (dropped []Message) {
	b.queue = append(b.queue, n)
	if len(b.queue) > maxQueued {
		dropped = append(dropped, b.drop(now))
	}
	return dropped
}

// drop takes the oldest note out of the queue, for its number to be told.
func (b *inbox) drop(now time.Time) Message {
	n := b.queue[0]
	b.queue = b.queue[1:]
	b.miss(n)
	if b.owedAt.IsZero() {
		b.owedAt = now.Add(period)
	}
	return n.Message
}

// miss counts a note as not told.
func (b *inbox) miss(n note) {
	b.missed = b.missed.plus(n.missed)
	if n.Kind != "" {
		b.missed = b.missed.plus(tally{n.Kind: 1})
	}
}

// unfold queues the counts of the folds whose hour is over. Those begin another
// hour; folds without a repetition end.
func (b *inbox) unfold(now time.Time) (dropped []Message) {
	for len(b.order) > 0 && !b.folds[b.order[0]].ends.After(now) {
		about := b.order[0]
		b.order = b.order[1:]
		f := b.folds[about]
		if f.more == 0 {
			delete(b.folds, about)
			continue
		}
		dropped = append(dropped, b.push(now, note{Message: f.last, more: f.more, since: f.since})...)
		*f = fold{ends: now.Add(foldFor), since: f.last.At}
		b.order = append(b.order, about)
	}
	return dropped
}

// next gives the note to send now, if there is one, and what was dropped because
// of the limit.
func (b *inbox) next(now time.Time) (n note, ready bool, dropped []Message) {
	dropped = b.unfold(now)
	b.told = slices.DeleteFunc(b.told, func(t time.Time) bool { return !t.Add(period).After(now) })
	for len(b.queue) > 0 {
		n = b.queue[0]
		if !b.hasRoom(n.Kind) {
			dropped = append(dropped, b.drop(now))
			continue
		}
		b.queue = b.queue[1:]
		return b.tell(now, n), true, dropped
	}
	if !b.owedAt.IsZero() && !b.owedAt.After(now) && b.hasRoom("") {
		return b.tell(now, note{}), true, dropped
	}
	return note{}, false, dropped
}

func (b *inbox) hasRoom(kind Kind) bool {
	if kind == Rotated {
		return len(b.told) < maxSuccesses
	}
	return len(b.told) < maxTold
}

// tell makes n go out, with the number of those that did not.
func (b *inbox) tell(now time.Time, n note) note {
	n.missed, b.missed, b.owedAt = b.missed, nil, time.Time{}
	b.told = append(b.told, now)
	return n
}

// wake says when next may have something that it does not have now; false if
// that takes another message.
func (b *inbox) wake() (at time.Time, ok bool) {
	if len(b.order) > 0 {
		at = b.folds[b.order[0]].ends
	}
	if owed := b.owedAt; !owed.IsZero() {
		if free := b.nextRoom(); free.After(owed) {
			owed = free
		}
		if at.IsZero() || owed.Before(at) {
			at = owed
		}
	}
	return at, !at.IsZero()
}

// nextRoom is when there will be room for a note; zero if there is.
func (b *inbox) nextRoom() time.Time {
	if b.hasRoom("") {
		return time.Time{}
	}
	return b.told[0].Add(period)
}

// finish ends all waiting: counts of folds are queued.
func (b *inbox) finish(now time.Time) (dropped []Message) {
	for _, about := range b.order {
		if f := b.folds[about]; f.more > 0 {
			dropped = append(dropped, b.push(now, note{Message: f.last, more: f.more, since: f.since})...)
		}
	}
	b.folds, b.order = nil, nil
	return dropped
}

// last gives what is owed when everything else has gone out: the one note that
// may go beyond the limit, since none comes after it.
func (b *inbox) last(now time.Time) (n note, ready bool) {
	if b.owedAt.IsZero() {
		return note{}, false
	}
	return b.tell(now, note{}), true
}
