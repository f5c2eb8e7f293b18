package members

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Engine rotates. [rotator.Rotator] keeps it.
type Engine interface {
	ReconcileAll(ctx context.Context, ts []rotator.Target, req rotator.Request, done func(rotator.Result)) []rotator.Result
}

// Kept is a target of the engine, and what the configuration says about who knows it.
type Kept struct {
	Target
	Rotated rotator.Target
}

// Crew is who sees to a leaving: the workspaces by name, and all targets of them.
type Crew struct {
	Workspaces map[string]Workspace
	// Unreached is why a workspace cannot be asked anything.
	Unreached map[string]error
	Targets   []Kept
	// Limits are what no leaving of this configuration can see to.
	Limits []string
	Engine Engine
	Now    func() time.Time
	// Trail is told of a removal before it is made; may be nil.
	Trail Trail
}

// Trail keeps a record of what is done beside the engine. [recorder.Recorder] keeps it.
type Trail interface {
	Act(what trail.What, why string) (done func(key string, err error), err error)
	Event(what trail.What, why string, names ...string)
}

// Leaving is what is known of somebody who is to leave, before anything is done.
type Leaving struct {
	Person
	Places []Place
	Knowledge
}

// IncidentOf is what the leaving of somebody is called in stores.
func IncidentOf(address string) string { return "left: " + address }

// FindOut looks where somebody is a member and what they could know. It changes nothing.
func (c Crew) FindOut(ctx context.Context, p Person) Leaving {
	l := Leaving{Person: p}
	var unknown []string
	l.Places, unknown = c.Find(ctx, p.Address)
	for _, place := range l.Places {
		l.UserIDs = append(l.UserIDs, place.UserID)
	}
	l.Knowledge = c.couldKnow(ctx, l.Person)
	l.Unknown, l.Limits = append(unknown, l.Unknown...), append(l.Limits, c.Limits...)
	return l
}

// Find gives the memberships of an address, and says of which workspaces they are not known.
func (c Crew) Find(ctx context.Context, address string) (places []Place, unknown []string) {
	for _, name := range c.names() {
		all, err := c.members(ctx, name)
		if err != nil {
			unknown = append(unknown, fmt.Sprintf("whether they are in workspace %s is not known: %v", name, err))
		}
		for _, m := range all {
			isNew := !slices.ContainsFunc(places, func(p Place) bool { return p.ID == m.ID })
			if strings.EqualFold(m.Email, address) && isNew {
				places = append(places, Place{name, m})
			}
		}
	}
	return places, unknown
}

// List tells who is in the workspaces.
func (c Crew) List(ctx context.Context) (all []Listing) {
	for _, name := range c.names() {
		if err := c.Unreached[name]; err != nil {
			all = append(all, Listing{Workspace: name, Err: err})
			continue
		}
		all = append(all, List(ctx, name, c.Workspaces[name], c.Now()))
	}
	return all
}

// Remove ends memberships, one after the other until ctx ends. incident is what their
// leaving is called, if it is one.
func (c Crew) Remove(ctx context.Context, places []Place, incident string) (removed []Removal) {
	for _, p := range places {
		if ctx.Err() != nil {
			break
		}
		err := c.remove(ctx, p, incident)
		removed = append(removed, Removal{p, c.Now(), err})
	}
	return removed
}

func (c Crew) remove(ctx context.Context, p Place, incident string) error {
	told := func(string, error) {}
	if c.Trail != nil {
		var err error
		what := trail.What{Verb: "remove-member", Workspace: p.Workspace, Organization: p.Member.Workspace, Incident: incident}
		if told, err = c.Trail.Act(what, p.Email+", "+p.Role); err != nil {
			return err
		}
	}
	err := remove(ctx, c.Workspaces[p.Workspace], p)
	told("", err)
	return err
}

func (c Crew) members(ctx context.Context, workspace string) ([]instantly.Member, error) {
	if err := c.Unreached[workspace]; err != nil {
		return nil, err
	}
	return c.Workspaces[workspace].Members(ctx)
}

// names lists the workspaces, those that cannot be asked too.
func (c Crew) names() (names []string) {
	for name := range c.Workspaces {
		names = append(names, name)
	}
	for name := range c.Unreached {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// couldKnow reads what it takes. Which keys the stores have matters only where somebody
// made one by hand.
func (c Crew) couldKnow(ctx context.Context, p Person) Knowledge {
	var records []Records
	byHand := false
	for _, name := range c.names() {
		r := c.records(ctx, name)
		records, byHand = append(records, r), byHand || len(r.madeBy(p)) > 0
	}
	targets := make([]Target, len(c.Targets))
	for i, k := range c.Targets {
		if targets[i] = k.Target; byHand {
			targets[i].Keys, targets[i].Err = keysOf(ctx, k.Rotated)
		}
	}
	return Could(p, records, targets)
}

// records reads who made which keys.
func (c Crew) records(ctx context.Context, workspace string) Records {
	r := Records{Workspace: workspace, Err: c.Unreached[workspace]}
	if r.Err != nil {
		return r
	}
	ws := c.Workspaces[workspace]
	if r.Made, r.Err = ws.AuditLogs(ctx, instantly.AuditQuery{Activity: instantly.KeyCreated}); r.Err != nil {
		return r
	}
	if len(r.Made) == 0 {
		r.Err = errLogEmpty
		return r
	}
	r.Keys, r.Err = ws.Keys(ctx)
	return r
}

func keysOf(ctx context.Context, t rotator.Target) (ids []string, err error) {
	for _, st := range t.Stores {
		snap, err := st.Describe(ctx)
		if err != nil {
			return nil, fmt.Errorf("store %s: %w", st.Name, err)
		}
		for _, stage := range []secretstore.Stage{secretstore.Current, secretstore.Previous, secretstore.Pending} {
			if ver, ok := snap.Versions[stage]; ok {
				ids = append(ids, ver.ID)
			}
		}
	}
	return ids, nil
}

// targets are the names of those that the person could know.
func (l Leaving) targets() (names []string) {
	for _, k := range l.Known {
		names = append(names, k.Target)
	}
	return names
}

// Order is how a leaving is carried out.
type Order struct {
	Incident string
	// Graceful: the keys get their grace period.
	Graceful bool
	// Again: they are replaced although the incident is on record as resolved.
	Again bool
}

// Report is what was done about a leaving.
type Report struct {
	Leaving
	Order
	Began, Ended time.Time
	Removed      []Removal
	Results      []rotator.Result
	// Waiting are targets that wait for an admin key to be replaced.
	Waiting []string
}

// Removal is the end of a membership.
type Removal struct {
	Place
	At  time.Time
	Err error
}

// Offboard ends the memberships, and replaces what the person could know: first the admin
// keys, with which all others can be read. Who cannot be removed is no reason to leave
// them their keys. Repeating it is harmless: what was done is in the workspace and in the
// notes of the stores, and is carried on or answered.
func (c Crew) Offboard(ctx context.Context, l Leaving, o Order) Report {
	r := Report{Leaving: l, Order: o, Began: c.Now()}
	if c.Trail != nil {
		c.Trail.Event(trail.What{Verb: "offboard", Incident: o.Incident}, l.Address+" leaves; the keys of these targets are replaced", l.targets()...)
	}
	r.Removed = c.Remove(ctx, l.Places, o.Incident)
	if ctx.Err() == nil {
		r.Results, r.Waiting = c.Replace(ctx, l.Known, o)
	}
	r.Ended = c.Now()
	return r
}

// Replace replaces the keys of targets; waiting are those that an admin key holds up.
func (c Crew) Replace(ctx context.Context, known []Known, o Order) (results []rotator.Result, waiting []string) {
	req := rotator.Request{Incident: o.Incident, Soft: o.Graceful, Again: o.Again, IgnoreBackoff: !o.Graceful}
	for _, admin := range []bool{true, false} {
		ts := c.targets(known, admin)
		if !admin && slices.ContainsFunc(results, inTheWay) {
			for _, t := range ts {
				waiting = append(waiting, t.Name)
			}
			return results, waiting
		}
		if len(ts) > 0 {
			results = append(results, c.Engine.ReconcileAll(ctx, ts, req, nil)...)
		}
	}
	return results, nil
}

func (c Crew) targets(known []Known, admin bool) (ts []rotator.Target) {
	for _, k := range known {
		at := slices.IndexFunc(c.Targets, func(t Kept) bool { return t.Name == k.Target })
		if at >= 0 && k.Admin == admin {
			ts = append(ts, c.Targets[at].Rotated)
		}
	}
	return ts
}

// inTheWay tells whether an admin key is not replaced yet.
func inTheWay(r rotator.Result) bool {
	return r.Err != nil || r.Interrupted || !r.Status.Incident.IsZero()
}

// Done gives why there is more to do about a leaving; nil if there is nothing.
func (r Report) Done() error {
	var wrong []error
	for _, m := range r.Removed {
		if m.Err != nil {
			wrong = append(wrong, fmt.Errorf("not removed from workspace %s: %w", m.Workspace, m.Err))
		}
	}
	for _, res := range r.Results {
		switch {
		case res.Err != nil:
			wrong = append(wrong, fmt.Errorf("%s: %w", res.Target, res.Err))
		case res.Interrupted:
			wrong = append(wrong, fmt.Errorf("%s: interrupted", res.Target))
		case !res.Status.Incident.IsZero(), !Replaced(res):
			wrong = append(wrong, fmt.Errorf("%s: its key is not replaced yet", res.Target))
		case res.Status.Resolved.Unrevoked:
			wrong = append(wrong, fmt.Errorf("%s: a value that was put by hand was replaced, and its key is a person's to revoke", res.Target))
		}
	}
	if len(r.Waiting)+len(r.Loose)+len(r.Unknown) > 0 || len(r.Removed) < len(r.Places) || len(r.Known) > len(r.Results)+len(r.Waiting) {
		wrong = append(wrong, errors.New("there is more to do"))
	}
	return errors.Join(wrong...)
}

// Replaced tells whether the current key of a target is one of after the leaving.
func Replaced(res rotator.Result) bool { return res.Err == nil && !res.Interrupted && !res.Waiting }
