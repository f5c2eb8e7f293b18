package demo

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// story is one demonstration: its world, who acts in it, and what is written
// down of it.
type story struct {
	world    *world
	narrator *narrator
	calendar *calendar
	apps     *apps
	engine   *engine

	last   rotator.Result // of the newest run that ended
	events []rotator.Event
	// on is what the story does at the end of a step; it acts in the goroutine
	// of the engine.
	on map[rotator.Verb]func(rotator.Event)
	// crashed is the id of the key that was lost in the crash, interrupted that of
	// the key whose rotation the outage interrupted.
	crashed, interrupted string

	known facts // as of the end
}

func newStory(w *world, n *narrator) *story {
	return &story{
		world: w, narrator: n, calendar: &calendar{},
		apps: &apps{narrator: n, newest: map[string]use{}},
		on:   map[rotator.Verb]func(rotator.Event){},
	}
}

// play goes through the chapters. It stops early if ctx ends, or if the engine
// cannot go on.
func (s *story) play(ctx context.Context) error {
	if err := s.introduce(); err != nil {
		return err
	}
	for _, chapter := range []func(context.Context) error{s.firstKey, s.bySchedule, s.crash, s.outage} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) introduce() error {
	s.narrator.title("How an Instantly API key is rotated without any app noticing",
		"HTTP, encrypted files and the rotator are real. Only the API is a sandbox on this",
		fmt.Sprintf("machine, and times are short: a grace period of %s stands for a day.", s.world.pace.grace))
	s.narrator.say(neutral, "sandbox", fmt.Sprintf("an Instantly API at %s; new keys work, and revoked ones stop, %s late",
		s.world.url, s.world.pace.lag))
	s.narrator.say(neutral, "person", fmt.Sprintf("somebody made the key %q there; it must stay untouched", strangerName))
	s.narrator.say(neutral, "store", "a folder in "+s.world.dir+"; values are encrypted with age")
	return s.startEngine()
}

// startEngine starts a new instance of the rotator in the place of the one there
// was.
func (s *story) startEngine() (err error) {
	s.engine, err = newEngine(s.world, s.calendar, s.observe)
	return err
}

// observe writes a step down, tells it, and then lets the story act.
func (s *story) observe(st step) {
	s.events = append(s.events, st.Event)
	s.narrator.step(st)
	if act := s.on[st.Verb]; act != nil && st.Err == nil {
		act(st.Event)
	}
}

func (s *story) firstKey(ctx context.Context) error {
	s.narrator.chapter("1. The first key",
		"The store is empty, so there is nothing to replace yet. Note the order: a key is tested",
		"before it is stored, and again as it comes back from the store, before anyone can read it.")
	if err := s.rotate(ctx); err != nil {
		return err
	}
	s.narrator.say(neutral, "apps", fmt.Sprintf("two apps start to call the API, %d times a second each", time.Second/s.world.pace.request))
	s.narrator.say(neutral, "apps", fmt.Sprintf("%s reads the store for every call, %s goes on for %s with what it read",
		appRereads, appCaches, s.world.pace.keep))
	return s.apps.start(ctx, s.world)
}

func (s *story) bySchedule(ctx context.Context) error {
	s.narrator.chapter("2. A rotation by schedule",
		"The old key lives on through the grace period, for apps that have not read the new one",
		"yet. Only then is it revoked, and it is not forgotten before a test call shows it dead.")
	due := time.Now().Add(s.world.pace.lead)
	s.calendar.add(due)
	s.narrator.say(waiting, "wait", fmt.Sprintf("the schedule's next tick is in %s", s.world.pace.lead))
	if err := until(ctx, due); err != nil {
		return err
	}
	return s.wholeRotation(ctx)
}

// crash kills the rotator at the worst instant: the key exists, and its value is
// nowhere but in the memory of the process. The goroutine that the engine runs
// in ends right there: as with SIGKILL, not one more step of it is taken, and
// nothing of it is left to go by. (Of its code only deferred calls still run,
// which cancel a context.)
func (s *story) crash(ctx context.Context) error {
	s.narrator.chapter("3. A crash between issue and stage",
		"The worst moment: the new key exists, but its value is only in the rotator's memory. The",
		"demo ends the rotator there and then, as kill -9 would, and starts another one. Apps see",
		"nothing of it, since the store still has the old key.")
	s.on[rotator.Issue] = func(e rotator.Event) {
		s.crashed = e.KeyID
		s.narrator.say(bad, "crash", "the rotator dies here, with "+s.narrator.label(e.KeyID)+" only in its memory: the value is lost for good")
		runtime.Goexit()
	}
	s.calendar.add(time.Now())
	died := make(chan struct{})
	go func() {
		defer close(died)
		s.last = s.engine.reconcile(ctx)
	}()
	<-died
	delete(s.on, rotator.Issue)
	if s.crashed == "" {
		return s.unexpected(ctx, "a rotation to crash in")
	}
	if err := s.startEngine(); err != nil {
		return err
	}
	s.narrator.say(neutral, "start", "a new rotator starts; it knows only what the store and the API tell")
	return s.wholeRotation(ctx)
}

// outage makes the API unavailable at once after a new key was stored, for two
// runs of the engine.
func (s *story) outage(ctx context.Context) error {
	s.narrator.chapter("4. An outage of the API",
		"In doubt the rotator stops and leaves both keys alive. The new key waits in the store as",
		"pending, so that the next run goes on with it instead of creating another one.")
	s.on[rotator.Stage] = func(e rotator.Event) {
		s.interrupted = e.KeyID
		s.world.breakDown()
		s.narrator.say(bad, "outage", "the API answers 503 to everybody from now on")
	}
	s.calendar.add(time.Now())
	for range 2 {
		if s.reconcile(ctx); s.last.Err == nil {
			return s.unexpected(ctx, "a rotation that the outage interrupts")
		}
		s.narrator.say(waiting, "wait", fmt.Sprintf("the rotator runs again in %s", s.world.pace.retry))
		if err := until(ctx, time.Now().Add(s.world.pace.retry)); err != nil {
			return err
		}
	}
	delete(s.on, rotator.Stage)
	s.world.mend()
	s.narrator.say(good, "outage", "is over: the API answers again")
	return s.wholeRotation(ctx)
}

// wholeRotation is a rotation that is due, and the end of the old key after its
// grace period.
func (s *story) wholeRotation(ctx context.Context) error {
	if err := s.rotate(ctx); err != nil {
		return err
	}
	s.narrator.say(waiting, "wait", fmt.Sprintf("the grace period: the old key stays alive for %s", s.world.pace.grace))
	if err := s.retire(ctx); err != nil {
		return err
	}
	s.narrator.tally(s.apps.ledger())
	return nil
}

func (s *story) rotate(ctx context.Context) error {
	if s.reconcile(ctx); s.last.Err != nil || !s.last.Rotated {
		return s.unexpected(ctx, "a rotation")
	}
	return nil
}

// retire runs the engine when it asks for it, until the old key is revoked. (On a
// machine that is slow enough the run before may have done that already.)
func (s *story) retire(ctx context.Context) error {
	for len(s.last.Revoked) == 0 {
		if s.last.Next.IsZero() {
			return s.unexpected(ctx, "the old key to be revoked")
		}
		if err := until(ctx, s.last.Next); err != nil {
			return err
		}
		if s.reconcile(ctx); s.last.Err != nil || s.last.Interrupted {
			return s.unexpected(ctx, "the old key to be revoked")
		}
	}
	return nil
}

func (s *story) reconcile(ctx context.Context) { s.last = s.engine.reconcile(ctx) }

// unexpected is the error for a run that did not end as the story has it: the
// reason is that ctx ended, or what the engine says, or that it said nothing.
func (s *story) unexpected(ctx context.Context, wanted string) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.last.Err != nil:
		return fmt.Errorf("waited for %s: %w", wanted, s.last.Err)
	default:
		return fmt.Errorf("waited for %s, which did not come: %w", wanted, errNoProgress)
	}
}

// errNoProgress: the engine took itself to be done and was not.
var errNoProgress = errors.New("the rotator sees nothing to do")

// until waits until t by the wall clock, which the engine goes by as well.
func until(ctx context.Context, t time.Time) error {
	for {
		left := t.Round(0).Sub(time.Now().Round(0))
		if left <= 0 {
			return nil
		}
		select {
		case <-time.After(left):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
