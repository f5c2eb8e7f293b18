// Package notify tells people and their tools what the rotator did and what it
// cannot do by itself: by chat, mail, pager or webhook.
//
// To tell is never in the way of a rotation. [Notifier.Send] puts a message into
// the inbox of each receiver and returns; one goroutine a receiver empties it, so
// that a slow or dead receiver delays itself alone. What people could drown in is
// held back: see inbox.go for the rules.
//
// A receiver's URL is a secret: who has it can speak in our name. It is revealed
// in shoutrrr.go, where it goes on the wire, and no error repeats any of it.
package notify

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Kind of message. Its text is what the configuration and the metrics call it.
type Kind string

// The kinds.
const (
	Rotated     Kind = "rotated"      // a new key is current in every store
	Failed      Kind = "failed"       // an attempt failed; it will be repeated
	NeedsPerson Kind = "needs-person" // nothing goes on before somebody acts
	TooOld      Kind = "too-old"      // a key is older than max_age
	Unable      Kind = "unable"       // the daemon cannot act: not one target alone
)

// Kinds lists all of them.
func Kinds() []Kind { return []Kind{Rotated, Failed, NeedsPerson, TooOld, Unable} }

// Alarms lists what a receiver gets unless it chooses: all but successes.
func Alarms() []Kind { return []Kind{Failed, NeedsPerson, TooOld, Unable} }

// Message is one thing to tell.
type Message struct {
	Kind Kind
	// Target and Workspace that it is about; empty if it is about none.
	Target, Workspace string
	// Topic tells what of the kind it is, in one word: another topic is no
	// repetition.
	Topic string
	// Text says what happened and what to do, in the words that status has.
	Text string
	// At is when it happened; zero means now.
	At time.Time
}

// Receiver is somebody to tell.
type Receiver struct {
	// Name as the configuration has it.
	Name string
	// URL gives the address, in the form that shoutrrr documents. It is asked for
	// each time something is sent, so that a URL can be replaced, or can be out of
	// reach for a while, without a restart. Its error is shown to people.
	URL func(context.Context) (secret.Value, error)
	// On lists the kinds that the receiver wants.
	On []Kind
}

// Result is what became of a message.
type Result string

// The results. Each message has one for each receiver that wants it.
const (
	Sent        Result = "sent"
	Undelivered Result = "failed"  // given up after some attempts
	Dropped     Result = "dropped" // too many; the receiver is told how many
	Folded      Result = "folded"  // a repetition; the receiver is told how many
)

// Outcome tells what became of one message at one receiver. Nothing in it holds
// a URL or any part of one.
type Outcome struct {
	Receiver string
	// Kind of the message; empty for one that only says how many there were more.
	Kind   Kind
	Result Result
	// Attempts to send it; 0 if there was none.
	Attempts int
	// Err is why it could not be sent: see errors.go.
	Err error
}

// Options of a [Notifier].
type Options struct {
	// From is who speaks: the deployment's owner.
	From      string
	Receivers []Receiver
	// Observe is told of every outcome, by several goroutines, and must not block.
	// May be nil.
	Observe func(Outcome)
	// Open gives the way to one receiver; nil means [Shoutrrr].
	Open func() Delivery
}

// A Delivery sends one text. It returns when ctx ends, whatever the other side
// does, with one of the errors of errors.go.
type Delivery func(ctx context.Context, url secret.Value, subject, text string) error

// Notifier sends messages to receivers. [Notifier.Close] ends it.
type Notifier struct {
	mailboxes []*mailbox
	running   sync.WaitGroup
	cut       context.CancelFunc
}

// New starts a notifier. It reads no URL yet and calls nobody.
func New(o Options) *Notifier {
	ctx, cut := context.WithCancel(context.Background())
	n := &Notifier{cut: cut}
	for _, r := range o.Receivers {
		m := newMailbox(ctx, o, r)
		n.mailboxes = append(n.mailboxes, m)
		n.running.Go(m.run)
	}
	return n
}

// Send passes m on to every receiver that wants its kind. It does not wait and
// cannot fail; after Close the message is dropped.
func (n *Notifier) Send(m Message) {
	if m.At.IsZero() {
		m.At = time.Now()
	}
	for _, box := range n.mailboxes {
		box.put(m)
	}
}

// Close sends what is waiting, and how often folded messages were repeated, until
// ctx ends; what is left then is dropped, and the error says so. It returns when
// nothing of the notifier runs any more.
func (n *Notifier) Close(ctx context.Context) error {
	defer n.cut()
	for _, box := range n.mailboxes {
		box.shut()
	}
	ended := make(chan struct{})
	go func() {
		n.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	n.cut()
	<-ended
	return fmt.Errorf("send the last notifications: %w", context.Cause(ctx))
}
