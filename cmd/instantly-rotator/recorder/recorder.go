// Package recorder tells the trail what this process does: the engine's effects, and what
// commands do beside it. It says in the log when that cannot be recorded.
package recorder

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// Log is what entries are written to: a [trail.Log].
type Log interface {
	Append(e trail.Entry, durable bool) (int64, error)
	Tell(e trail.Entry) error
	Close() error
}

// Options of a recorder.
type Options struct {
	Log Log
	Who trail.Who
	Now func() time.Time
	// Warn: what cannot be recorded is done all the same.
	Warn   bool
	Logger *zap.Logger
	// Wrote is told of each attempt to write; may be nil.
	Wrote func(error)
}

// Recorder records what is done in the name of one process. A nil one records nothing, and
// refuses nothing.
type Recorder struct{ o Options }

// New makes a recorder.
func New(o Options) *Recorder {
	if o.Wrote == nil {
		o.Wrote = func(error) {}
	}
	return &Recorder{o}
}

// User gives the user of the operating system that this process acts for.
func User() string {
	name := strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if by := os.Getenv("SUDO_USER"); by != "" && by != name {
		return name + " for " + by
	}
	return name
}

// Intend implements [rotator.Trail].
func (r *Recorder) Intend(e rotator.Effect) (func(rotator.Outcome), error) {
	entry := trail.Entry{
		Time: e.At, Kind: trail.Intent, Why: e.Reason,
		What: trail.What{
			Verb: string(e.Verb), Target: e.Target, Workspace: e.Workspace, Organization: e.Account, Store: e.Store, Sink: e.Sink,
			Key: e.KeyID, Previous: e.Previous, Scopes: string(e.Spec), Incident: e.Incident, Exceptions: e.Exceptions,
		},
		Proof: proofOf(e.Proof),
	}
	if !e.Since.IsZero() {
		since := e.Since.UTC()
		entry.Since = &since
	}
	tell, err := r.intend(entry, e.Final)
	if err != nil && e.Regardless {
		r.unwritten("the trail cannot be written: done without a record, so that no key is lost", entry, err)
	}
	if err != nil {
		return nil, err
	}
	return func(o rotator.Outcome) { tell(o.At, o.KeyID, o.Err) }, nil
}

func proofOf(p *rotator.Proof) *trail.Proof {
	if p == nil {
		return nil
	}
	out := &trail.Proof{Key: p.KeyID, Verdict: p.Verdict.String(), At: p.At.UTC()}
	if p.Err != nil {
		out.Answer = p.Err.Error()
	}
	return out
}

// Act records something that a command is about to do, beside the engine. If that fails, it
// is not to be done. done is told what came of it, and the id of the key concerned.
func (r *Recorder) Act(what trail.What, why string) (done func(key string, err error), err error) {
	if r == nil {
		return func(string, error) {}, nil
	}
	tell, err := r.intend(trail.Entry{Time: r.o.Now(), Kind: trail.Intent, What: what, Why: why}, true)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", rotator.ErrTrail, err)
	}
	return func(key string, err error) { tell(r.o.Now(), key, err) }, nil
}

// Event records what needs no intent.
func (r *Recorder) Event(what trail.What, why string, names ...string) {
	if r != nil {
		r.tell(trail.Entry{Time: r.o.Now(), Kind: trail.Event, What: what, Why: why, Names: names})
	}
}

// Close makes durable what was recorded.
func (r *Recorder) Close() {
	if r == nil {
		return
	}
	if err := r.o.Log.Close(); err != nil {
		r.unwritten("the end of the trail is not on the disk", trail.Entry{}, err)
	}
}

// intend writes an intent, and gives what writes its outcome.
func (r *Recorder) intend(e trail.Entry, durable bool) (func(at time.Time, key string, err error), error) {
	e.Who = r.o.Who
	seq, err := r.o.Log.Append(e, durable)
	r.o.Wrote(err)
	switch {
	case err != nil && r.o.Warn:
		r.unwritten("the trail cannot be written: going on without it, as configured (trail: on_failure: warn)", e, err)
		return func(time.Time, string, error) {}, nil
	case err != nil:
		return nil, causeOf(err) // whoever asked says that it is not done
	}
	return func(at time.Time, key string, err error) {
		o := trail.Entry{Time: at, Kind: trail.Outcome, Of: seq, Result: "ok", What: trail.What{
			Verb: e.Verb, Target: e.Target, Workspace: e.Workspace, Store: e.Store, Sink: e.Sink, Key: key, Incident: e.Incident,
		}}
		if err != nil {
			o.Result, o.Error = "failed", err.Error()
		}
		r.tell(o)
	}, nil
}

// tell writes what has happened already.
func (r *Recorder) tell(e trail.Entry) {
	e.Who = r.o.Who
	err := r.o.Log.Tell(e)
	r.o.Wrote(err)
	if err != nil {
		r.unwritten("the trail cannot be written: what came of it is kept in memory until it can", e, err)
	}
}

func (r *Recorder) unwritten(what string, e trail.Entry, err error) {
	r.o.Logger.Error(what, zap.String("step", e.Verb), zap.String("target", e.Target), zap.String("error", causeOf(err).Error()))
}

// causeOf gives why the trail cannot be written, for a text that says already that it cannot.
func causeOf(err error) error {
	if u := (*trail.UnwritableError)(nil); errors.As(err, &u) {
		return u.Cause
	}
	return err
}
