package azurekeyvault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// change is the outcome of a decision on a view.
type change struct {
	// same: nothing is to be written.
	same bool
	next contents
	// pending is the value of next's pending version; zero if there is none.
	pending secret.Value
	// top is the value to be put on top, that of next's current version; zero if that one
	// is there already.
	top secret.Value
}

// window is how long after it began to read a writer may still send what it decided.
const window = 10 * time.Second

// errLate is the error of a write that was not sent.
var errLate = fmt.Errorf("%w: too much time went by between the read and the write, which was not sent", secretstore.ErrUnavailable)

// errOvertaken is the error of a write that another one came across.
var errOvertaken = fmt.Errorf("another writer came between: %w", secretstore.ErrConflict)

// A turn is one write: what it was decided on, and since when.
type turn struct {
	*Store
	v     view
	began time.Time
}

// write compares and writes, which is not one step here: see the package's comment.
func (s *Store) write(ctx context.Context, seen secretstore.Snapshot, decide func(view) (change, error)) (secretstore.Snapshot, error) {
	t := turn{Store: s, began: s.wallClock()}
	var err error
	if t.v, err = s.observe(ctx); err != nil {
		return secretstore.Snapshot{}, err
	}
	if t.v.identity != seen.Identity || t.v.revision() != seen.Revision {
		return secretstore.Snapshot{}, fmt.Errorf("the secret is at revision %s, seen was %q: %w", t.v.revision(), seen.Revision, secretstore.ErrConflict)
	}
	c, err := decide(t.v)
	switch {
	case err != nil:
		return secretstore.Snapshot{}, err
	case c.same:
		return t.v.snapshot(), nil
	}
	next, err := t.commit(ctx, c)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	return next.snapshot(), nil
}

// commit sees to what earlier writes left over, writes, and sees to what this one leaves.
func (t turn) commit(ctx context.Context, c change) (view, error) {
	next := t.following(c)
	if _, err := next.state.encode(); err != nil { // before anything is sent
		return view{}, err
	}
	if err := t.tidy(ctx, t.v.state, t.v.top); err != nil {
		return view{}, err
	}
	if !c.top.IsZero() {
		top, err := t.promote(ctx, c)
		if err != nil {
			return view{}, err
		}
		next.top = top
		current, _ := next.now.On(secretstore.Current)
		current.Held.Version = top.version
		next.now = next.now.Put(current)
		next.state.contents = next.now
	}
	if err := t.note(ctx, &next); err != nil {
		return view{}, err
	}
	return next, t.tidy(ctx, next.state, next.top)
}

// following is the view after a change, as far as it is known before.
func (t turn) following(c change) view {
	next := t.v
	next.now = c.next
	next.state = newState(t.o.Owner)
	next.state.contents, next.state.pending = c.next, c.pending
	if !t.v.state.pending.IsZero() {
		next.state.Spent = []string{t.v.stateAt}
	}
	for _, old := range slices.Concat(t.v.state.Versions, t.v.now.Versions) {
		stays := slices.ContainsFunc(c.next.Versions, func(r record) bool { return r.Held.Version == old.Held.Version })
		if !stays && !old.Foreign && old.Held.Version != "" && !slices.Contains(next.state.Forgotten, old.Held.Version) {
			next.state.Forgotten = append(next.state.Forgotten, old.Held.Version)
		}
	}
	return next
}

// promote puts the value on top. Who finds afterwards that the state is not as it was has
// met another writer, whose value belongs there.
func (t turn) promote(ctx context.Context, c change) (sighting, error) {
	current, _ := c.next.On(secretstore.Current)
	tags, err := tagsFor(t.v.top, t.o.Owner, current)
	if err != nil {
		return sighting{}, err
	}
	if err := t.inTime(ctx); err != nil {
		return sighting{}, err
	}
	made, err := t.client.set(ctx, t.o.Secret, sighting{value: c.top, tags: tags, contentType: t.v.top.contentType})
	if err != nil {
		return sighting{}, err
	}
	made.value = c.top
	now, err := t.client.newest(ctx, t.stateName())
	switch {
	case err != nil:
		return sighting{}, err
	case now.version != t.v.stateAt:
		return sighting{}, t.giveWay(ctx, made)
	}
	return made, nil
}

// giveWay puts the value of the writer that came first on top again.
func (t turn) giveWay(ctx context.Context, mine sighting) error {
	now, err := t.observe(ctx)
	if err != nil {
		return err
	}
	winner, is := now.state.On(secretstore.Current)
	if !is || now.top.version != mine.version || winner.Held.Digest == digest(now.identity, mine.value) {
		return errOvertaken
	}
	if pending, is := now.state.On(secretstore.Pending); is && pending.ID == mine.tags[tagKey] {
		return errOvertaken // he staged the same key, and it counts as promoted
	}
	his, err := t.client.get(ctx, t.o.Secret, winner.Held.Version)
	if err != nil || !his.readable() {
		return errors.Join(errOvertaken, err)
	}
	if _, err := t.client.set(ctx, t.o.Secret, his); err != nil {
		return err
	}
	return errors.Join(errOvertaken, t.client.disable(ctx, t.o.Secret, mine.version))
}

// note writes the state, and reads it back.
func (t turn) note(ctx context.Context, next *view) error {
	text, err := next.state.encode()
	if err != nil {
		return err
	}
	if next.top.version == t.v.top.version { // else what it notes has happened
		if err := t.inTime(ctx); err != nil {
			return err
		}
	}
	made, err := t.client.set(ctx, t.stateName(), sighting{
		value: text, within: next.state.pending, contentType: "application/json", tags: map[string]string{tagOwner: t.o.Owner},
	})
	if err != nil {
		return err
	}
	now, err := t.client.newest(ctx, t.stateName())
	switch {
	case err != nil:
		return err
	case now.version != made.version:
		return errOvertaken
	}
	next.stateAt = made.version
	return nil
}

// tidy disables what a state has forgotten. What was cut off, the next write does.
func (s *Store) tidy(ctx context.Context, st state, top sighting) error {
	for name, versions := range map[string][]string{s.o.Secret: st.Forgotten, s.stateName(): st.Spent} {
		for _, version := range versions {
			if version == top.version || s.isTidied(name, version) {
				continue
			}
			if err := s.client.disable(ctx, name, version); err != nil {
				return fmt.Errorf("disable version %s of secret %s: %w", version, name, err)
			}
			s.noteTidied(name, version)
		}
	}
	return nil
}

func (s *Store) isTidied(name, version string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tidied[name+"/"+version]
}

func (s *Store) noteTidied(name, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidied[name+"/"+version] = true
}

// tagsFor gives the tags of a version that is to be current: those that others keep there,
// and ours.
func tagsFor(top sighting, owner string, r record) (map[string]string, error) {
	tags := maps.Clone(top.tags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags[tagOwner], tags[tagKey], tags[tagPromoted] = owner, r.ID, r.Promoted.Format(time.RFC3339Nano)
	if len(tags) > maxTags {
		return nil, fmt.Errorf("%w: the secret has %d tags: %d at most leave room for those of the rotator", secretstore.ErrDenied, len(tags)-ourTags, maxTags-ourTags)
	}
	return tags, nil
}

// inTime refuses to send what was decided too long ago.
func (t turn) inTime(ctx context.Context) error {
	if age := t.wallClock().Sub(t.began); age < 0 || age > window {
		return errLate
	}
	return cancelled(ctx)
}

// wallClock is the time without a monotonic reading, which may stand still while a
// machine sleeps.
func (s *Store) wallClock() time.Time { return s.o.Now().Round(0) }
