package rotator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Proposal says which key the current value of a target is, and what adopting it would mean.
// Making it changes nothing.
type Proposal struct {
	Target    string
	Workspace string
	// Credential: the key is what its workspace's issuer acts with.
	Credential bool
	// Store is the primary's name, and Version what it calls its current value.
	Store, Version string
	// Managed: the current version is on record as a key's already: KeyID. Err then says
	// what contradicts that.
	Managed bool
	KeyID   string
	// Adoption is what [Rotator.Adopt] takes; nil if Err says why not.
	Adoption *Adoption
	// Candidates are the keys that it can be, where it cannot be told which.
	Candidates []Key
	// Shared are other targets whose stores give consumers the same value.
	Shared []string
	// Next is when the key would fall due, and why; OtherSpec: at once, since the
	// configuration wants another Spec than the key has.
	Next      time.Time
	Why       string
	OtherSpec bool
	Err       error
}

// Propose finds out which keys the values are that the targets' stores hold and of which no
// record tells. all are the targets of the configuration, which may hold the same keys.
// wishes names those that are to be adopted; nil: all.
func (r *Rotator) Propose(ctx context.Context, all []Target, wishes map[string]Wish) []Proposal {
	s := &inquiry{wishes: wishes, proposed: map[string]string{}}
	s.holdings = each(r, all, func(t Target, mark int) *holding { return r.newRun(t, Request{}, mark).hold(ctx) })
	s.identify(ctx)
	var out []Proposal
	for _, h := range s.holdings {
		if s.wanted(h) {
			out = append(out, s.propose(ctx, h))
		}
	}
	return out
}

// A holding is what one target's stores hold.
type holding struct {
	*run
	value secret.Value   // the primary's current one, if it is of unknown origin
	given []secret.Value // all current ones of unknown origin
	Identity
	err error // why the value cannot be adopted, or is not known
}

// hold reads what the target's stores hold, and tests a value of unknown origin.
func (r *run) hold(ctx context.Context) (h *holding) {
	defer recovered(func(err error) { h.err = err })
	defer r.opts.Doing(r.target.Name, Step{})
	h = &holding{run: r}
	r.ReadOnly = true
	r.opts.Doing(r.target.Name, Step{Verb: Observe, Reason: "read the stores"})
	if h.err = r.list(ctx); h.err != nil {
		return h
	}
	r.readStores(ctx)
	if st, ok := r.unreadable(); ok {
		h.err = fmt.Errorf("store %s: %w", st.Name, st.Err)
	}
	for i := range r.Stores {
		if cur, ok := r.current(i); ok && cur.Foreign {
			h.err = errors.Join(h.err, r.holdOne(ctx, h, i, cur.ID))
		}
	}
	if cur, ok := r.current(0); ok && cur.Intent.Adopted == AdoptedByWord {
		// What cannot be read contradicts nothing.
		if value, err := r.target.Stores[0].Read(ctx, cur.ID); err == nil {
			h.value = value
		}
	}
	return h
}

// holdOne reads the current value of store i, of unknown origin; that of the primary is to
// be adopted, and is tested.
func (r *run) holdOne(ctx context.Context, h *holding, i int, id string) error {
	step := Step{Verb: Verify, Store: i, ID: id}
	var err error
	if i > 0 {
		_, _, err = r.readBack(ctx, step)
	} else {
		err = r.verify(ctx, step)
	}
	if err != nil {
		return err
	}
	value := r.read[place{i, id}]
	h.given = append(h.given, value)
	if i > 0 {
		return nil
	}
	h.value = value
	if t := r.Tests[place{i, id}]; !isValid(t) {
		return fmt.Errorf("%w: the value that is there does not work: %w", ErrNotAdopted, t.Err)
	}
	return nil
}

// inquiry is one Propose under way.
type inquiry struct {
	wishes   map[string]Wish
	holdings []*holding
	proposed map[string]string // by key: the target that is to adopt it
}

func (s *inquiry) wanted(h *holding) bool {
	_, named := s.wishes[h.target.Name]
	return s.wishes == nil || named
}

// identify asks each workspace's issuer about the values that are to be adopted.
func (s *inquiry) identify(ctx context.Context) {
	byWorkspace := map[*Workspace][]*holding{}
	for _, h := range s.holdings {
		if s.wanted(h) && !h.value.IsZero() && h.err == nil {
			byWorkspace[h.target.Workspace] = append(byWorkspace[h.target.Workspace], h)
		}
	}
	for w, hs := range byWorkspace {
		asker, ok := w.issuer.(Identifier)
		if !ok {
			continue
		}
		values := make([]secret.Value, len(hs))
		for i, h := range hs {
			values[i] = h.value
		}
		told, err := asker.Identify(ctx, values)
		for i, h := range hs {
			if err != nil {
				h.err = fmt.Errorf("workspace %s: %w", w.Name, err)
				continue
			}
			h.Identity = told[i]
		}
	}
}

func (s *inquiry) propose(ctx context.Context, h *holding) Proposal {
	p := Proposal{
		Target: h.target.Name, Workspace: h.target.Workspace.Name, Credential: h.target.Credential, Store: h.primary().Name, Err: h.err,
	}
	cur, ok := h.current(0)
	p.Version, p.Managed = cur.ID, ok && !cur.Foreign
	switch {
	case p.Managed:
		p.KeyID, p.Err = cur.ID, h.contradicts(cur, s.wishes[p.Target])
		return p
	case p.Err != nil:
		return p
	case !ok:
		p.Err = fmt.Errorf("%w: store %s holds no value yet", ErrNotAdopted, p.Store)
		return p
	}
	e := evidence{
		Identity: h.Identity, target: p.Target, stored: cur.Created, keys: slices.Collect(maps.Values(h.Keys)),
		same: h.target.Workspace.sameSpec,
	}
	e.others = s.others(ctx, h, e.candidates())
	wish := s.wishes[p.Target]
	key, how, candidates, err := e.identify(wish)
	if err != nil {
		p.Candidates = slices.DeleteFunc(candidates, func(k Key) bool { return s.spokenFor(h, k.ID) != nil })
		p.Err = err
		return p
	}
	if p.Err = s.spokenFor(h, key.ID); p.Err != nil {
		return p // nor is it another key, by what was shown or said
	}
	if p.Shared = s.shared(h); len(p.Shared) > 0 && IsRevocable(how) {
		how = AdoptedShared
	}
	if why := s.unknown(h); why != nil {
		if !wish.Word {
			p.Candidates = []Key{key}
			p.Err = fmt.Errorf("%w: it is not known whether another target has key %s: %w", ErrNotAdopted, key.ID, why)
			return p
		}
		how = AdoptedByWord
	}
	s.proposed[key.ID] = p.Target
	p.adoptAs(h, key, how)
	return p
}

// contradicts tells whether a version is on record as another key's than a person says now,
// or than the key list says of a value that was adopted on somebody's word.
func (h *holding) contradicts(cur secretstore.Version, w Wish) error {
	shown := cmp.Or(h.KeyID, cur.ID)
	switch {
	case shown != cur.ID:
		return fmt.Errorf("%w again: the key list gives the value as that of key %s: the word by which it is on record as that of key %s was wrong", ErrNotAdopted, shown, cur.ID)
	case w.KeyID != "" && w.KeyID != cur.ID:
		return fmt.Errorf("%w again: it is on record as key %s already, not as %s", ErrNotAdopted, cur.ID, w.KeyID)
	}
	return nil
}

// adoptAs says what adopting the key would mean.
func (p *Proposal) adoptAs(h *holding, key Key, how secretstore.Adopted) {
	policy := h.target.Policy
	if h.target.Workspace.sameSpec(key.Spec, policy.Spec) {
		key.Spec = policy.Spec // the same, as the configuration writes it
	}
	p.KeyID, p.OtherSpec = key.ID, key.Spec != policy.Spec
	p.Next, p.Why = nextDue(policy, p.Target, key.Created)
	p.Adoption = &Adoption{Key: key, Version: p.Version, How: how, value: h.value}
}

// beside gives the holdings of other targets that may hold keys of the same account.
func (s *inquiry) beside(h *holding) []*holding {
	return slices.DeleteFunc(slices.Clone(s.holdings), func(o *holding) bool {
		same := o.target.Workspace == h.target.Workspace || o.Account != "" && o.Account == h.Account
		return o == h || !same
	})
}

// others gives those of the keys of which some store has the value, and it is another one
// than h's: the rotator made them, or they were shown to be what is there.
func (s *inquiry) others(ctx context.Context, h *holding, candidates []Key) map[string]bool {
	others := map[string]bool{}
	for _, k := range candidates {
		for _, o := range append(s.beside(h), h) {
			if value, known := o.valueOf(ctx, k.ID); known && !value.Equal(h.value) {
				others[k.ID] = true
			}
		}
	}
	return others
}

// valueOf gives the value of a key that a store of the target has on record.
func (h *holding) valueOf(ctx context.Context, id string) (secret.Value, bool) {
	for i, st := range h.Stores {
		ver, _, held := st.Find(id)
		if !held || ver.Foreign || ver.Intent.Adopted == AdoptedByWord {
			continue
		}
		if value, err := h.target.Stores[i].Read(ctx, id); err == nil {
			return value, true
		}
	}
	return secret.Value{}, false
}

// spokenFor tells whether another target has the key on record, or is to have it.
func (s *inquiry) spokenFor(h *holding, id string) error {
	by := s.proposed[id]
	for _, o := range s.beside(h) {
		for _, st := range o.Stores {
			if ver, _, ok := st.Find(id); ok && !ver.Foreign {
				by = o.target.Name
			}
		}
	}
	if by == "" {
		return nil
	}
	return fmt.Errorf("%w: key %s is that of target %s: %s needs a key of its own, which a rotation gives it", ErrNotAdopted, id, by, h.target.Name)
}

// shared gives the other targets whose primary gives the same value.
func (s *inquiry) shared(h *holding) []string {
	var names []string
	for _, o := range s.beside(h) {
		if slices.ContainsFunc(o.given, h.value.Equal) {
			names = append(names, o.target.Name)
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names
}

// unknown gives why it is not known what another target holds.
func (s *inquiry) unknown(h *holding) error {
	for _, o := range s.beside(h) {
		_, blind := o.unreadable()
		cur, ok := o.current(0)
		if blind || o.Listed == 0 || ok && cur.Foreign && o.value.IsZero() {
			return fmt.Errorf("target %s: %w", o.target.Name, o.err)
		}
	}
	return nil
}
