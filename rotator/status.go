package rotator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// TargetStatus is what is known of a target and what would happen next. Making it
// changes nothing.
type TargetStatus struct {
	Target    string
	Workspace string
	// Stores as they were seen; the primary first.
	Stores []StoreState
	// Current is the primary's current version; nil if it has none.
	Current *secretstore.Version
	// Since is when the age of the current key began; zero if not known.
	Since time.Time
	// Credential: the key is what its workspace's issuer acts with.
	Credential bool
	// Odd is what is odd about that: it is in the future. Empty if nothing is.
	Odd string
	// NextDue is when the current key falls due; zero if never, or not known.
	NextDue time.Time
	// Old are keys that live on until their grace is over.
	Old []OldKey
	// Sinks in the configuration's order.
	Sinks []SinkStatus
	// Gates are the names of what must let an old key go besides its grace; empty if
	// there is no old key. Whether they do is asked by Reconcile, not by reading.
	Gates []string
	// Waiver is the last word that consumers of a key are not waited for; zero if none.
	Waiver secretstore.Waiver
	// Orphans are keys of ours that nothing refers to and that were never current; the
	// next run sweeps them, unless the target is quarantined.
	Orphans []string
	// Quarantine is why nothing of the target is revoked: a store has, or had a moment
	// ago, a value of unknown origin. Empty if that is not so, and for a secret that is sent,
	// of which nothing is revoked.
	Quarantine string
	// Next is the next step; its Err says what is in the way.
	Next Step
	// Sent: it is a secret that is sent. Senders are those that send it, as they were seen; nil
	// if they were not.
	Sent    bool
	Senders []SenderState
	// Due: a run now would begin or carry on a rotation, or revoke something.
	Due bool
	// Dead: the current key was refused; consumers hold a dead key.
	Dead bool
	// Refused: the current key was refused just now; whether for good is not known.
	Refused bool
	// Because is why the target is due; empty if it is not.
	Because string
	// Failure is the last failure that was not made good yet.
	Failure secretstore.Failure
	// Hold is the hold in force; zero if there is none.
	Hold secretstore.Hold
	// Incident is the one that was declared and is not done with; Resolved is the last
	// one that is.
	Incident, Resolved secretstore.Incident
	// Softly is the one that was declared and is not done with, if its keys get their
	// grace period: then there is no Incident.
	Softly secretstore.Incident
	// Answered: the incident that was asked for is resolved, and every store has a key of
	// after it. Nothing would be done for it.
	Answered bool
	// Rotation is one that was begun and is not done; nil if there is none.
	Rotation *Rotation
	// Err is why nothing could be decided: the key list could not be read.
	Err error
}

// OldKey is a displaced key that is still alive.
type OldKey struct {
	ID string
	// Until is when its grace period ends; zero if not known yet.
	Until time.Time
	// Unlisted: the key list lacks it. It was revoked; the next run proves it.
	Unlisted bool
}

// Rotation is one that was begun: its intent is noted down, or its key is pending.
type Rotation struct {
	// By is the instance that began it; empty if it did not say.
	By    string
	Since time.Time
	// UnderWay: that instance may still be at it.
	UnderWay bool
	// Gone: that instance's process is known to be there no more.
	Gone bool
}

// ends tells whether reading ends with the step: it is no reading any more.
func (v Verb) ends() bool { return v.Effect() || v == Settled || v == Stop || v == Check }

// bounded takes a step that changes nothing, so it may be interrupted.
func (r *run) bounded(ctx context.Context, step Step) error {
	ctx, cancel := context.WithTimeout(ctx, r.opts.StepTimeout)
	defer cancel()
	return step.Verb.action().perform(r, ctx, step)
}

func (r *run) unknown(err error) TargetStatus {
	o := r.describe(Step{Verb: Stop, Err: err, Reason: err.Error()})
	o.Err = err
	return o
}

func (r *run) describe(next Step) TargetStatus {
	v := r.view()
	o := TargetStatus{Target: r.target.Name, Workspace: r.target.Workspace.Name, Stores: r.Stores, Next: next,
		Sent: r.Sent, Senders: r.Senders, Failure: r.primary().Notes.Failure, Due: next.Verb.action().worthRun, Credential: r.Credential}
	o.Hold, _ = v.hold()
	switch noted := r.incident(); {
	case !noted.Open():
		o.Resolved = noted
	case noted.Soft:
		o.Softly = noted
	default:
		o.Incident = noted
	}
	if why, on := v.quarantine(); on && !r.Sent { // the previous value waits for senders alone
		o.Quarantine = why
	}
	if cur, ok := r.current(0); ok {
		o.Current, o.Since = &cur, since(cur)
		o.NextDue, _ = nextDue(r.target.Policy, o.Target, o.Since)
		if v.ahead(cur) && cur.Promoted.Sub(v.now) > longestPromotionBound { // so late a time may be this clock's own
			o.Odd = futureStamp(cur)
		}
	}
	o.Dead = v.dead() && !v.noKeyIn(0)
	if o.Due {
		o.Because = next.Reason
		if reason, due := v.due(); due && next.Verb == Check {
			o.Because = reason
		}
	}
	end, _ := v.graceEnd()
	for _, id := range v.toRetire() {
		_, listed := r.Keys[id]
		o.Old = append(o.Old, OldKey{ID: id, Until: end, Unlisted: r.Keys != nil && !listed && !r.Sent})
	}
	o.Sinks = v.sinkStatuses()
	o.Waiver = r.primary().Notes.Waiver
	if len(o.Old) > 0 && !v.waived() {
		for _, g := range r.target.Gates {
			o.Gates = append(o.Gates, g.Name())
		}
	}
	if _, blind := r.unreadable(); !blind {
		o.Orphans = v.leftOver()
		o.Answered = !r.Declared && v.answered()
	}
	o.Rotation = v.rotation()
	return o
}

// rotation gives the one that was begun and is not done.
func (v *view) rotation() *Rotation {
	in := v.primary().begun()
	if ver, ok := v.primary().Versions[secretstore.Pending]; (!ok || ver.Foreign) && (in.IsZero() || v.intentSuperseded()) {
		return nil
	}
	f := v.primary().Notes.Failure
	failed := f.Count > 0 && !f.At.Before(in.At)
	gone := v.primary().HolderGone
	underWay := !failed && !gone && in.Holder != v.Instance && v.within(in.At, in.Until.Sub(in.At))
	return &Rotation{By: in.Holder, Since: in.At, UnderWay: underWay, Gone: gone}
}

// Inventory is what a workspace's key list says beside our targets.
type Inventory struct {
	Workspace string
	Account   string
	// Keys counts all of them.
	Keys int
	// Lost are the keys that bear the owner of a target and the fingerprint of none of
	// the targets' stores: those of a store that is configured no more, or of another
	// deployment with the same owner. Away are those among them of a target whose store is
	// lost, or not mounted: consumers may hold them. Strangers are all others that no target
	// refers to. None are ever touched.
	Lost, Away, Strangers []Key
	Err                   error
}

// Inventory sorts the keys of the workspaces of ts into ours and the others.
// The statuses must be those of the same targets.
func (r *Rotator) Inventory(ctx context.Context, ts []Target, statuses []TargetStatus) []Inventory {
	var out []Inventory
	ours := ownedBy(ts, statuses)
	seen := map[*Workspace]bool{}
	for _, t := range ts {
		if seen[t.Workspace] || t.Senders != nil {
			continue
		}
		seen[t.Workspace] = true
		out = append(out, inventory(ctx, t.Workspace, r.opts.Now(), ours))
	}
	return out
}

func inventory(ctx context.Context, w *Workspace, now time.Time, ours owned) Inventory {
	inv := Inventory{Workspace: w.Name}
	l, err := w.listedSince(ctx, w.mark()-1, now, true)
	if err != nil {
		inv.Err = err
		return inv
	}
	inv.Account, inv.Keys = l.account, len(l.keys)
	for _, k := range l.keys {
		name, named := parseKeyName(k.Name)
		switch {
		case ours.ids[k.ID] || ours.nonces[name.Nonce]:
		case !named || !ours.owners[name.Owner]:
			inv.Strangers = append(inv.Strangers, k)
		case !ours.stores[name.Store]:
			inv.Lost = append(inv.Lost, k)
			if ours.away[issuedFor(name.Owner, name.Target)] {
				inv.Away = append(inv.Away, k)
			}
		}
	}
	byName := func(a, b Key) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) }
	slices.SortFunc(inv.Lost, byName)
	slices.SortFunc(inv.Away, byName)
	slices.SortFunc(inv.Strangers, byName)
	return inv
}

// owned says which keys targets refer to, or would sweep.
type owned struct {
	ids    map[string]bool
	nonces map[string]bool // of intents
	owners map[string]bool
	stores map[string]bool // fingerprints
	away   map[string]bool // targets whose store is lost: see [issuedFor]
}

func ownedBy(ts []Target, statuses []TargetStatus) owned {
	o := owned{ids: map[string]bool{}, nonces: map[string]bool{}, owners: map[string]bool{}, stores: map[string]bool{}, away: map[string]bool{}}
	lost := map[string]bool{}
	for _, out := range statuses {
		lost[out.Target] = errors.Is(out.Next.Err, ErrStoreLost)
	}
	for _, t := range ts {
		o.owners[t.Policy.Owner] = true
		o.away[issuedFor(t.Policy.Owner, t.Name)] = lost[t.Name]
	}
	for _, out := range statuses {
		if nonce := out.Stores[0].Notes.Intent.Nonce; nonce != "" {
			o.nonces[nonce] = true
		}
		for _, st := range out.Stores {
			o.stores[fingerprint(st.Identity)] = true
			for _, ver := range st.Versions {
				o.ids[ver.ID] = true
			}
		}
	}
	return o
}
