package gcpsecretmanager

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// view is a secret as it was seen at one moment. It is never changed.
type view struct {
	// absent: the secret is not there, and may be made.
	absent      bool
	identity    string
	etag        string
	annotations map[string]string
	aliases     map[string]int64
	// top is the newest version.
	top sighting
	// below is the number of the version that was sought below top; 0 for none.
	below int64
	// unknown are versions that the state does not know, ascending.
	unknown []sighting
	// due are the versions that the annotation lets go: nothing names them any
	// more. base may have others, that no write has let go yet.
	due []leaving
	// base is what writes go on from, shown what callers see.
	base, shown state
}

// text is the annotation that holds the state.
func (v view) text() string { return v.annotations[annotationKey] }

// revision names what callers see. Etags change also when somebody edits labels
// or aliases, which is no concern of theirs.
func (v view) revision() string {
	if v.absent {
		return "absent"
	}
	sum := sha256.Sum256([]byte(v.text()))
	return fmt.Sprintf("%x-%d-%t-%d", sum[:8], v.top.number, v.top.enabled, v.below)
}

func (v view) snapshot() secretstore.Snapshot {
	return secretstore.Snapshot{
		Identity:   v.identity,
		Revision:   v.revision(),
		Versions:   v.shown.Shown(),
		Notes:      v.shown.Notes,
		Unfinished: v.unfinished(),
	}
}

// unfinished tells whether the newest version is one that was let go and is still
// there: with nothing put on top of it before, readers of the latest version get it.
func (v view) unfinished() bool {
	return v.top.enabled && slices.ContainsFunc(v.due, func(l leaving) bool { return l.Number == v.top.number })
}

// observe reads the secret. The newest version comes first: whatever a writer has
// added by then, he has announced it before, and the secret says so.
func (s *Store) observe(ctx context.Context) (view, error) {
	top, err := s.service.latest(ctx)
	if err != nil {
		return view{}, err
	}
	sec, err := s.service.secret(ctx)
	if errors.Is(err, secretstore.ErrNotFound) {
		return s.missing(err)
	}
	if err != nil {
		return view{}, err
	}
	st, err := s.stateOf(sec)
	if err != nil {
		return view{}, err
	}
	unknown, err := s.unknown(ctx, st, top)
	if err != nil {
		return view{}, err
	}
	st, below, err := s.uncover(ctx, st, top)
	if err != nil {
		return view{}, err
	}
	v := s.viewOf(sec, st, top, unknown)
	v.below = below.number
	return v, nil
}

// missing is for a secret that is not there.
func (s *Store) missing(cause error) (view, error) {
	if s.o.CreateMissing != nil {
		st := newState(s.o.Owner)
		return view{absent: true, base: st, shown: st}, nil
	}
	where := " --replication-policy=automatic"
	if s.site.Location != "" {
		where = " --location=" + s.site.Location
	}
	return view{}, fmt.Errorf("there is no such secret; make it with: gcloud secrets create %s --project=%s%s: %w",
		s.o.Secret, s.o.Project, where, cause)
}

// stateOf reads the annotation and refuses a secret of somebody else's.
func (s *Store) stateOf(sec *secretmanagerpb.Secret) (state, error) {
	text, marked := sec.GetAnnotations()[annotationKey]
	if !marked {
		return newState(s.o.Owner), nil
	}
	st, err := decodeState(text)
	if err == nil && st.Owner != s.o.Owner {
		return state{}, fmt.Errorf("the secret belongs to the rotator with owner %q, this one is %q: %w: "+
			"if that one is gone, remove the annotation %s", st.Owner, s.o.Owner, secretstore.ErrDenied, annotationKey)
	}
	return st, err
}

// unknown reads the versions that the state does not know: the newest one,
// and while one is announced all that came since.
func (s *Store) unknown(ctx context.Context, st state, top sighting) ([]sighting, error) {
	if top.number <= st.Settled {
		return nil, nil
	}
	var found []sighting
	if st.Adding != nil {
		var err error
		if found, err = s.between(ctx, max(st.Adding.After, st.Settled), top.number); err != nil {
			return nil, err
		}
	}
	top, err := s.identified(ctx, top)
	return append(found, top), err
}

// between reads the versions after one number and before another.
func (s *Store) between(ctx context.Context, after, before int64) ([]sighting, error) {
	var found []sighting
	for n := after + 1; n < before; n++ {
		seen, err := s.sighted(ctx, n)
		if err != nil {
			return nil, err
		}
		found = append(found, seen)
	}
	return found, nil
}

// sighted reads about one version.
func (s *Store) sighted(ctx context.Context, number int64) (sighting, error) {
	seen, err := s.service.version(ctx, s.service.names.version(number))
	if err != nil {
		return sighting{}, err
	}
	return s.identified(ctx, seen)
}

// identified adds the checksum of what an enabled version holds.
func (s *Store) identified(ctx context.Context, seen sighting) (sighting, error) {
	if !seen.enabled {
		return seen, nil
	}
	_, crc, err := s.service.read(ctx, seen.number)
	if errors.Is(err, secretstore.ErrNotFound) { // disabled an instant ago
		seen.enabled = false
		return seen, nil
	}
	seen.crc32c = crc
	return seen, err
}

// viewOf puts together what was seen.
func (s *Store) viewOf(sec *secretmanagerpb.Secret, st state, top sighting, unknown []sighting) view {
	// A version may have been added and recorded after the newest one was read.
	if high := st.highest(); high > top.number {
		top = sighting{number: high, enabled: true}
	}
	unknown = slices.DeleteFunc(slices.Clone(unknown), func(u sighting) bool { return u.number <= st.Settled })
	v := view{
		identity:    sec.GetName() + "@" + timeOf(sec.GetCreateTime()).Format(time.RFC3339Nano),
		etag:        sec.GetEtag(),
		annotations: sec.GetAnnotations(), aliases: sec.GetVersionAliases(),
		top: top, unknown: unknown, due: st.Leaving,
	}
	v.base, v.shown = st.account(unknown, s.disposal())
	return v
}

func (s *Store) disposal() disposal {
	return disposal{keep: s.o.KeepVersions, disable: s.o.Disable}
}

// ourAliases are the aliases that mirror the stages.
func ourAliases() map[secretstore.Stage]string {
	return map[secretstore.Stage]string{
		secretstore.Pending: "pending", secretstore.Current: "current", secretstore.Previous: "previous",
	}
}

// maxAliases is how many a secret may have (reference of the resource Secret).
const maxAliases = 50

// mirrored gives the aliases as they should be for a state: ours by its stages,
// all others as they are. nil if they are so already, or if there is no room.
func (v view) mirrored(st state) map[string]int64 {
	aliases := maps.Clone(v.aliases)
	if aliases == nil {
		aliases = map[string]int64{}
	}
	for stage, alias := range ourAliases() {
		r, ok := st.On(stage)
		switch {
		case ok:
			aliases[alias] = r.Held.number()
		case stage == secretstore.Current && st.has(aliases[alias]):
			// The current version counts as pending, until it is on top again.
		default:
			delete(aliases, alias)
		}
	}
	if maps.Equal(aliases, v.aliases) || len(aliases) > maxAliases {
		return nil
	}
	return aliases
}

// named tells whether an alias that is not ours names a version.
func (v view) named(number int64) bool {
	for alias, n := range v.aliases {
		if n == number && !slices.Contains(slices.Collect(maps.Values(ourAliases())), alias) {
			return true
		}
	}
	return false
}
