package awssecretsmanager

import (
	"context"
	"crypto/sha1" //nolint:gosec // a name, not a secret: RFC 9562, UUIDv5
	"fmt"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/document"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Stage implements [secretstore.Store]. The value is put first, under labels
// that nobody takes for a pending version yet; then it is checked whether
// anybody else has written; then AWSPENDING and the reserved intent move onto
// the version. The latter makes it pending and clears the notes' intent in one
// step. The put does not bring AWSPENDING along: AWS would take it away from
// another version without asking.
//
// An AWSPENDING that something else has set is not taken away: ErrConflict.
func (s *Store) Stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, value secret.Value) (secretstore.Snapshot, error) {
	snap, err := s.stage(ctx, seen, v, value)
	return snap, s.named("stage "+v.ID, err)
}

func (s *Store) stage(ctx context.Context, seen secretstore.Snapshot, v secretstore.Version, value secret.Value) (secretstore.Snapshot, error) {
	op, err := s.startWrite(ctx, seen)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	pending, again, err := op.document().CheckStage(v.ID)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	if again {
		return op.stageAgain(pending.Held, value)
	}
	if err := op.stageNew(v, value); err != nil {
		return secretstore.Snapshot{}, err
	}
	return op.done(), nil
}

// stageAgain changes nothing. It succeeds for a pending version with that value.
func (op *write) stageAgain(version string, value secret.Value) (secretstore.Snapshot, error) {
	held, _, err := op.get(op.ctx, op.arn, version)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	key, err := op.decoded(held)
	if err != nil {
		return secretstore.Snapshot{}, err
	}
	if !key.Equal(value) {
		return secretstore.Snapshot{}, document.ErrOtherValue
	}
	return op.unchanged()
}

func (op *write) stageNew(v secretstore.Version, value secret.Value) error {
	old := op.pending
	if err := op.mayForget(old); err != nil {
		return err
	}
	encoded, err := op.encoded(v, value)
	if err != nil {
		return err
	}
	if err := op.claim(); err != nil {
		return err
	}
	p := op.planned(v)
	if err := op.dropReservations(p.slot); err != nil {
		return err
	}
	if err := op.buryRetired(); err != nil {
		return err
	}
	if err := op.room(len(p.labels("", op.holder() == "")) + 1); err != nil {
		return err
	}
	version, err := op.putNew(v.ID, encoded, p)
	if err != nil {
		return err
	}
	if err := op.confirmPut(p, version); err != nil {
		return op.retreat(err, p, version)
	}
	if err := op.commit(p, version); err != nil {
		return op.retreat(err, p, version)
	}
	if err := op.dropTags(op.tagKeys(p.slot)); err != nil {
		return err
	}
	if old == "" {
		return nil
	}
	return afterwards(op.strip(old)) // also if its promotion was announced: see mayForget
}

// mayForget tells whether the pending version may go: nobody else's, and not
// one that somebody may be about to make current.
func (op *write) mayForget(pending string) error {
	if pending == "" {
		return nil
	}
	if _, staged := op.own[pending]; !staged {
		return fmt.Errorf("its version %s is pending and not ours: take its AWSPENDING away first: %w", pending, secretstore.ErrConflict)
	}
	if at := op.announced(pending); op.now().Before(at.Add(abandonedAfter)) && !at.IsZero() {
		return fmt.Errorf("a promotion of version %s was announced at %s and may be under way until %s: %w",
			pending, stamp(at), stamp(at.Add(abandonedAfter)), secretstore.ErrConflict)
	}
	return nil
}

// encoded is the value as consumers are to read it.
func (op *write) encoded(v secretstore.Version, value secret.Value) (stored, error) {
	var current stored
	if _, alone := op.form.(payload.Raw); !alone && op.current != "" {
		var err error
		if current, _, err = op.get(op.ctx, op.arn, op.current); err != nil {
			return stored{}, fmt.Errorf("read the current value, whose other fields are to be kept: %w", err)
		}
	}
	text, err := op.form.Encode(v, value, current.value)
	if err != nil {
		return stored{}, err
	}
	encoded := stored{value: text}
	if encoded.tooLarge() {
		return stored{}, fmt.Errorf("the value is larger than the %d bytes that AWS takes: %w", maxValue, secretstore.ErrDenied)
	}
	return encoded, nil
}

// plan is which labels a new version gets.
type plan struct {
	version  secretstore.Version
	slot     string
	head     string   // its intent
	more     []string // what does not fit into head; none if it is reserved
	reserved reservation
	fulfils  []string // rotations that AWS began: labels of kindFor
}

func (op *write) planned(v secretstore.Version) plan {
	p := plan{version: v, slot: slotOf(v.Intent, v.ID), fulfils: op.unfulfilled()}
	p.head, p.more = intentTexts(p.slot, v.Intent)
	for _, res := range op.reserved {
		if res.fields[0] == p.slot {
			p.reserved, p.head = res, res.text
			if res.at != "" {
				p.more = nil // they are labels already
			}
		}
	}
	return p
}

// labels are those that the version is put with.
func (p plan) labels(version string, first bool) []string {
	key := keyMark{slot: p.slot, account: p.version.Account, id: p.version.ID}
	labels := slices.Concat([]string{key.text(version)}, p.more, p.fulfils)
	if first {
		labels = append(labels, firstText(p.slot))
	}
	return labels
}

// maxNames is how many names are tried for a version.
const maxNames = 32

// names are tried for the version that is to hold a key, one after the other: first the one
// that AWS waits for.
func (op *write) names(id string) []string {
	var names []string
	if op.vacant != "" {
		names = append(names, op.vacant)
	}
	for n := range maxNames {
		names = append(names, versionID(id, n))
	}
	return names
}

// putNew puts the value as a version that is not there yet. One of that name
// may be there without labels, with another value or with the same: AWS gives
// it no labels then.
func (op *write) putNew(id string, value stored, p plan) (string, error) {
	for _, version := range op.names(id) {
		labels := p.labels(version, op.holder() == "")
		if version == op.vacant {
			labels = append(labels, labelPending) // it is there; whether a put leaves it there AWS does not say
		}
		has, err := op.put(op.ctx, op.arn, version, value, labels)
		if isExisting(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		if !slices.Contains(has, labels[0]) {
			continue
		}
		st := op.clone()
		st.vacant = ""
		for _, label := range labels {
			st.labels[label] = version
		}
		op.expect(st)
		return version, nil
	}
	return "", fmt.Errorf("AWS still has %d versions of that name with other values: %w", maxNames, secretstore.ErrDenied)
}

// confirmPut checks whether anybody else has written. Another instance's
// reservation does not matter: the move of ours decides between the two. Nor
// do, for the first version of a secret, other first versions: AWS made one of
// them current, and that one goes on.
func (op *write) confirmPut(p plan, version string) error {
	first := op.holder() == ""
	before := op.reading
	err := op.confirm(func(label string) bool {
		m, isMark := parseMark(label, "")
		switch {
		case first && label == labelCurrent:
			return true
		case !isMark || m.fields[0] == p.slot:
			return false
		case first && (m.kind == kindKey || m.kind == kindFirst):
			return true
		default:
			return p.reserved.at != "" && (m.kind == kindIntent || m.kind == kindMore) && !before.isPut(m.fields[0])
		}
	})
	if err != nil {
		return err
	}
	if first && op.holder() != version && op.holder() != "" {
		return fmt.Errorf("another version came first: %w", secretstore.ErrConflict)
	}
	return nil
}

// commit makes the version the pending one. With a reserved intent, whoever
// moves that has it, so that an intent that was dropped meanwhile stages nothing.
// Without one, AWSPENDING decides.
func (op *write) commit(p plan, version string) error {
	labels := []string{labelPending, p.head}
	if version == op.holder() {
		labels = labels[1:] // kindFirst says that it is pending
	} else if p.reserved.kind == "" {
		slices.Reverse(labels)
	}
	for _, label := range labels {
		if err := op.shift(label, version); err != nil {
			return err
		}
	}
	return nil
}

// retreat takes the labels of a version that lost a race away again. It keeps
// AWSCURRENT, if the version is the secret's first, and what says so.
//
// A first version whose intent is still reserved has not lost: it is pending
// since it was put, and others may have seen it. Nor is a version touched that
// nobody reserved: another instance may be staging the very same one, the
// primary's key in a store that follows. Its labels are litter if not.
func (op *write) retreat(cause error, p plan, version string) error {
	if _, staged := op.found.own[version]; staged || p.reserved.kind == "" || !refused(cause) {
		return cause
	}
	op.undo(func(u *write) error {
		p.fulfils = nil // the next version that is put takes them along
		for _, label := range append([]string{labelPending}, p.labels(version, false)...) {
			if err := u.move(u.ctx, u.arn, label, version, ""); err != nil && !isKind(err, secretstore.ErrConflict) {
				return err
			}
		}
		return nil
	})
	return cause
}

// versionID is the name of the version that holds a key: the key's own id if
// AWS takes it as one, so that a person can compare. n counts the names that
// AWS has used up.
func versionID(id string, n int) string {
	if n == 0 && isVersionID(id) {
		return id
	}
	return uuid5(fmt.Sprintf("instantly-rotator/%s/%d", id, n))
}

// isVersionID: 32 to 64 letters, digits, "-" and "_" (API reference, PutSecretValue).
func isVersionID(id string) bool {
	return len(id) >= 32 && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// uuid5 names a text by a UUID: RFC 9562, version 5, in a namespace of nil.
func uuid5(name string) string {
	sum := sha1.Sum(append(make([]byte, 16), strings.ToLower(name)...)) //nolint:gosec // see the import
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
