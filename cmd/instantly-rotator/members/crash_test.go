package members_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/members"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

// An office is a workspace that ann leaves, and two keys that she knows.
type office struct {
	*testing.T
	box      *sandbox.Server
	stores   []*memstore.Store
	promoted []int // by target
	started  int
}

func newOffice(t *testing.T) *office {
	people := []sandbox.Member{{Email: "owner@acme.example", Role: "owner"}, {Email: ann, Role: "admin"}}
	admin := []string{"api_keys:all", "workspaces:read", "audit_logs:read", "workspace_members:all"}
	o := &office{T: t, box: sandbox.New(sandbox.Options{Workspaces: []sandbox.Workspace{{Name: "Acme", AdminScopes: admin, Members: people}}})}
	for i := range 2 {
		o.stores = append(o.stores, memstore.New(fmt.Sprint("store-", i)))
		o.promoted = append(o.promoted, 0)
	}
	return o
}

const ann = "ann@acme.example"

var errCrashed = errors.New("the process has ended")

// A process is the command in one run. It ends at one of its calls to the outside, before
// or after its effect.
type process struct {
	*office
	at     int // 0: at none
	when   memstore.When
	calls  int
	ended  bool
	report members.Report
}

// around is told of a call, before and after its effect. After each effect what consumers
// read must work.
func (p *process) around(when memstore.When) error {
	if p.ended {
		return errCrashed
	}
	if when == memstore.Before {
		p.calls++
	} else {
		p.nobodyHoldsADeadKey()
	}
	if p.calls == p.at && p.when == when {
		p.ended = true
		return errCrashed
	}
	return nil
}

// RoundTrip implements [http.RoundTripper].
func (p *process) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := p.around(memstore.Before); err != nil {
		return nil, err
	}
	res, err := sandbox.Transport(p.box).RoundTrip(r)
	if err == nil {
		err = p.around(memstore.After)
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}

func (o *office) nobodyHoldsADeadKey() {
	for i, st := range o.stores {
		for _, held := range st.Contents() {
			if held.Stage == secretstore.Current && !o.box.Alive(held.Value) {
				o.Errorf("target %d: consumers read a dead key", i)
			}
		}
	}
}

// inTurn rotates one target after the other, so that the calls can be counted.
type inTurn struct{ *rotator.Rotator }

func (e inTurn) ReconcileAll(ctx context.Context, ts []rotator.Target, req rotator.Request, done func(rotator.Result)) (all []rotator.Result) {
	for _, t := range ts {
		all = append(all, e.Rotator.ReconcileAll(ctx, []rotator.Target{t}, req, done)...)
	}
	return all
}

// start is a new process, which ends at that call.
func (o *office) start(at int, when memstore.When) (*process, members.Crew) {
	o.started++
	p := &process{office: o, at: at, when: when}
	client, err := instantly.NewClient(instantly.Options{
		BaseURL: "https://api.instantly.test", AdminKey: o.box.Workspaces()[0].AdminKey, Transport: p,
		Pacer: instantly.NewPacer(math.Inf(1)), RetryBudget: -1,
	})
	if err != nil {
		o.Fatal(err)
	}
	engine := rotator.New(rotator.Options{Instance: fmt.Sprint("process-", o.started), Gone: func(string) bool { return true }, InTurn: true})
	crew := members.Crew{Workspaces: map[string]members.Workspace{"main": client}, Engine: inTurn{engine}, Now: time.Now}
	ws := rotator.NewWorkspace("main", apikeys.New(client), o.box.Workspaces()[0].ID)
	for i, st := range o.stores {
		name := fmt.Sprint("target-", i)
		st.Fault = func(op string, when memstore.When) error {
			err := p.around(when)
			if op == "promote" && when == memstore.After {
				o.promoted[i]++
			}
			return err
		}
		policy := rotator.Policy{Owner: "test", Spec: apikeys.SpecOf([]string{"campaigns:read"}), Grace: 24 * time.Hour, Activation: time.Minute, Revocation: time.Minute}
		crew.Targets = append(crew.Targets, members.Kept{
			Target:  members.Target{Name: name, Workspace: "main", KnownTo: []string{ann}},
			Rotated: rotator.Target{Name: name, Workspace: ws, Policy: policy, Stores: []rotator.NamedStore{{Name: "memory", Store: st}}},
		})
	}
	return p, crew
}

// offboard runs the command once.
func (o *office) offboard(at int, when memstore.When, graceful bool) *process {
	p, crew := o.start(at, when)
	ctx := context.Background()
	l := crew.FindOut(ctx, members.Person{Address: ann})
	if len(l.Known) > 0 { // a person would see what is not known, and say yes
		p.report = crew.Offboard(ctx, l, members.Order{Incident: members.IncidentOf(ann), Graceful: graceful})
	}
	return p
}

func (o *office) isMember() bool {
	return slices.ContainsFunc(o.box.Members(o.box.Workspaces()[0].ID), func(m sandbox.Member) bool { return m.Email == ann })
}

// TestLeavingIsCarriedOnFromEveryCall ends the command at each of its calls to the outside,
// before and after its effect, and runs it again.
func TestLeavingIsCarriedOnFromEveryCall(t *testing.T) {
	for _, graceful := range []bool{false, true} {
		for _, when := range []memstore.When{memstore.Before, memstore.After} {
			crashed := 0
			for at, over := 1, false; !over; at++ {
				synctest.Test(t, func(t *testing.T) {
					o := newOffice(t)
					_, crew := o.start(0, "")
					for _, k := range crew.Targets {
						if res := crew.Engine.ReconcileAll(t.Context(), []rotator.Target{k.Rotated}, rotator.Request{}, nil); res[0].Err != nil {
							t.Fatal(res[0].Err)
						}
					}
					time.Sleep(time.Hour)
					first := o.offboard(at, when, graceful)
					if over = first.calls < at; first.ended {
						crashed++
						o.offboard(0, "", graceful)
					}
					o.judge(fmt.Sprintf("call %d, %s, graceful %t", at, when, graceful), graceful)
				})
			}
			if crashed < 25 {
				t.Errorf("%s, graceful %t: only %d calls", when, graceful, crashed)
			}
			t.Logf("%s, graceful %t: ended at each of %d calls", when, graceful, crashed)
		}
	}
}

// judge runs the command for the last time.
func (o *office) judge(moment string, graceful bool) {
	last := o.offboard(0, "", graceful)
	if err := last.report.Done(); err != nil || o.isMember() {
		o.Errorf("%s: ann is a member %t, and what is left: %v", moment, o.isMember(), err)
	}
	keys := 3 // the admin key and the current ones
	if graceful {
		keys += 2
	}
	if alive := len(o.living()); alive != keys || !slices.Equal(o.promoted, []int{2, 2}) {
		o.Errorf("%s: %d keys are alive, want %d; promotions of the targets: %v, want the first and one more", moment, alive, keys, o.promoted)
	}
	o.nobodyHoldsADeadKey()
}

func (o *office) living() (ids []string) {
	for _, k := range o.box.Keys(o.box.Workspaces()[0].ID) {
		if k.Deleted.IsZero() {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// leaves is what the owner does by hand.
func (o *office) leaves(address string) {
	for _, m := range o.box.Members(o.box.Workspaces()[0].ID) {
		if m.Email == address {
			if err := o.box.RemoveMember(m.ID); err != nil {
				o.Fatal(err)
			}
		}
	}
}

// watch is what a daemon does from time to time, each time after a restart.
func (o *office) watch(expected ...string) members.Departure {
	_, crew := o.start(0, "")
	d := crew.Left(o.Context(), "main", expected)
	crew.ReplaceFor(o.Context(), d, func(r rotator.Result) {
		if r.Err != nil {
			o.Errorf("%s: %v", r.Target, r.Err)
		}
	})
	return d
}

func TestWhoVanishesLosesTheirKeysOnceAndSoftly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		_, crew := o.start(0, "")
		for _, k := range crew.Targets {
			crew.Engine.ReconcileAll(t.Context(), []rotator.Target{k.Rotated}, rotator.Request{}, nil)
		}
		time.Sleep(time.Hour)
		list := []string{"owner@acme.example", ann}
		if d := o.watch(list...); len(d.Gone) > 0 || !slices.Equal(o.promoted, []int{1, 1}) {
			t.Errorf("all are there, but gone are %v", d.Gone)
		}
		o.leaves(ann)
		if d := o.watch("somebody@else.example"); len(d.Gone) > 0 || len(d.Unknown) == 0 {
			t.Errorf("a list of another workspace: %+v", d)
		}
		o.watch(list...)
		if n := len(o.living()); n != 5 {
			t.Errorf("%d keys are alive, want the old ones too: they have their grace period", n)
		}
		for range 30 { // until long after the grace period
			if d := o.watch(list...); !slices.Equal(d.Gone, []string{ann}) || len(d.Known) != 2 {
				t.Fatalf("gone: %+v", d)
			}
			o.nobodyHoldsADeadKey()
			time.Sleep(time.Hour)
		}
		if !slices.Equal(o.promoted, []int{2, 2}) || len(o.living()) != 3 {
			t.Errorf("promotions %v, alive %v: want one more of each, and the old ones gone", o.promoted, o.living())
		}
		o.watch(append(list, "bob@acme.example")...) // whom no known_to has
		o.watch(list...)
		if !slices.Equal(o.promoted, []int{2, 2}) {
			t.Errorf("promotions %v after somebody else left", o.promoted)
		}
	})
}

func TestListThatCannotBeReadLetsNobodyLeave(t *testing.T) {
	o := newOffice(t)
	_, crew := o.start(1, memstore.Before)
	d := crew.Left(t.Context(), "main", []string{"owner@acme.example", "ann@elsewhere.example"})
	if len(d.Gone) > 0 || len(d.Unknown) != 1 {
		t.Errorf("%+v", d)
	}
}
