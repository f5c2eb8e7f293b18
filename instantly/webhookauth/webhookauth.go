// Package webhookauth is for receivers of Instantly's webhooks: it lets only those
// deliveries through that carry the secret, while that secret is being rotated too.
//
// Instantly signs nothing. What tells a delivery from anybody's request is a header that
// is set on the webhook, and its value is what a rotation replaces. The receiver must know
// the new value before Instantly sends it, and the one before until nothing is sent with it
// any more: so it accepts two, the current one and the previous one.
//
//	auth := webhookauth.New(webhookauth.Files("/run/secrets/hook"), webhookauth.Options{})
//	http.Handle("POST /instantly", auth.Handler(next))
//
// The package needs nothing but the standard library.
package webhookauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// DefaultHeader is the header that is looked at if none is named.
const DefaultHeader = "X-Webhook-Secret"

// A Source gives the values that are accepted now: the current one and, while there is one,
// the previous one. See [Files].
type Source func(ctx context.Context) ([]string, error)

// ErrNoValues: a source gave no value at all, which is never what is meant.
var ErrNoValues = errors.New("there is no webhook secret")

// Options of a [Verifier]. The zero value is ready for use.
type Options struct {
	// Header that carries the secret; [DefaultHeader] if empty.
	Header string
	// Format is what the header's value is made of; [Raw] if empty.
	Format Format
	// MaxAge is how long values are used before they are read again: 1 min if 0. It must be
	// well below the settle time of the rotation, after which Instantly sends the new value.
	// A value that is not known is a reason to read at once, at most once a second.
	MaxAge time.Duration
	// Failed is told that the source could not be read, while what was read last is used on;
	// may be nil. The error is the source's.
	Failed func(error)
	// MaxBody is the most bytes that a delivery may have: 1 MiB if 0.
	MaxBody int64
}

// A Verifier tells deliveries that carry a secret in use from others. It is safe for
// concurrent use.
type Verifier struct {
	source Source
	opts   Options

	mu       sync.Mutex
	accepted [][sha256.Size]byte // of whole header values: the values themselves are not kept
	read     time.Time           // when accepted was read
	tried    time.Time           // when the newest attempt to read ended
	known    bool
}

// New makes a Verifier. Nothing is read before the first delivery; see [Verifier.Ready].
func New(source Source, o Options) *Verifier {
	if o.Header == "" {
		o.Header = DefaultHeader
	}
	if o.MaxAge == 0 {
		o.MaxAge = time.Minute
	}
	if o.Failed == nil {
		o.Failed = func(error) {}
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	return &Verifier{source: source, opts: o}
}

const (
	// pause is how long nothing is read again, whatever strangers send.
	pause = time.Second
	// longest is how long a delivery waits for a source.
	longest = 2 * time.Second
)

// Ready reads the values, so that a receiver that cannot does not start.
func (v *Verifier) Ready(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.refresh(ctx)
}

// verdict on a delivery.
type verdict int

const (
	unknown verdict = iota // no value could be read yet: nobody can tell
	refused
	accepted
)

// judge tells whether a request carries a value in use.
func (v *Verifier) judge(r *http.Request) verdict {
	sent := r.Header.Values(v.opts.Header)
	if len(sent) != 1 { // two are somebody's attempt at something
		sent = []string{""}
	}
	digest := sha256.Sum256([]byte(sent[0]))
	v.mu.Lock()
	defer v.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), longest)
	defer cancel()
	if time.Since(v.read) >= v.opts.MaxAge || !v.known {
		v.readAgain(ctx)
	}
	if !v.matches(digest) {
		v.readAgain(ctx) // the value may be newer than what was read
	}
	switch {
	case !v.known:
		return unknown
	case v.matches(digest):
		return accepted
	default:
		return refused
	}
}

// readAgain reads, unless that was tried a moment ago. What was read before stays in use if
// it fails: an outage of the source must refuse no delivery.
func (v *Verifier) readAgain(ctx context.Context) {
	if !v.tried.IsZero() && time.Since(v.tried) < pause {
		return
	}
	if err := v.refresh(ctx); err != nil {
		v.opts.Failed(err)
	}
}

// refresh reads the values, under the lock: who comes meanwhile wants the same answer.
func (v *Verifier) refresh(ctx context.Context) error {
	begun := time.Now()
	values, err := v.source(ctx)
	v.tried = time.Now()
	if err != nil {
		return fmt.Errorf("read the webhook secret: %w", err)
	}
	var digests [][sha256.Size]byte
	for _, value := range values {
		if value != "" { // an empty value would let everybody in who sends none
			digests = append(digests, sha256.Sum256([]byte(v.opts.Format.HeaderValue(value))))
		}
	}
	if len(digests) == 0 {
		return ErrNoValues
	}
	v.accepted, v.read, v.known = digests, begun, true
	return nil
}

// matches compares with every accepted value, in a time that does not hang on which of them
// matches, or how far.
func (v *Verifier) matches(digest [sha256.Size]byte) bool {
	match := 0
	for _, a := range v.accepted {
		match |= subtle.ConstantTimeCompare(a[:], digest[:])
	}
	return match == 1
}
