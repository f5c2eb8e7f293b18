package evidence_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/evidence"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/recorder"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/memstore"
)

// office is a company with twenty targets, and a trail.
type office struct {
	*testing.T
	box     *sandbox.Server
	targets []rotator.Target
	log     *trail.Log
	dir     string
	// What the engine told, besides the trail, by verb: the keys that it succeeded with.
	mu   sync.Mutex
	told map[rotator.Verb][]string
}

const (
	grace  = 24 * time.Hour
	maxAge = 100 * 24 * time.Hour
	day    = 24 * time.Hour
)

// quarterly is at three in the morning of the first day of a quarter.
type quarterly struct{}

// Next implements [rotator.Schedule].
func (quarterly) Next(t time.Time) time.Time {
	t = t.UTC()
	next := time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 3, 0, 0, 0, time.UTC)
	for !next.After(t) {
		next = next.AddDate(0, 3, 0)
	}
	return next
}

func newOffice(t *testing.T) *office {
	o := &office{
		T: t, dir: t.TempDir(), told: map[rotator.Verb][]string{},
		box: sandbox.New(sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: -1, PerMinute: -1}}),
	}
	f := o.box.Faults()
	f.ActivationDelay, f.RevocationDelay = 2*time.Second, 20*time.Second
	o.box.SetFaults(f)
	o.log = trail.New(trail.Options{Dir: o.dir, Name: "office"})
	space := o.box.Workspaces()[0]
	client, err := instantly.NewClient(instantly.Options{
		BaseURL: "https://api.instantly.test", AdminKey: space.AdminKey, Transport: sandbox.Transport(o.box), Pacer: instantly.NewPacer(math.Inf(1)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := rotator.NewWorkspace("main", apikeys.New(client), space.ID)
	for i := range 20 {
		name := fmt.Sprintf("app-%02d", i)
		target := rotator.Target{
			Name: name, Workspace: w, Stores: []rotator.NamedStore{{Name: "vault", Store: memstore.New(name)}},
			Policy: rotator.Policy{
				Owner: "office", Spec: "campaigns:read", Schedule: quarterly{}, MaxAge: maxAge, Grace: grace,
				Activation: time.Minute, Revocation: time.Minute,
			},
		}
		if i%2 == 0 { // half of them are in two stores
			target.Stores = append(target.Stores, rotator.NamedStore{Name: "cloud", Store: memstore.New(name + "-cloud")})
		}
		o.targets = append(o.targets, target)
	}
	return o
}

// rotator gives one whose doings are told to the trail, as those of this user and command.
func (o *office) rotator(user, command string) *rotator.Rotator {
	return rotator.New(rotator.Options{Trail: o.recorder(user, command), Instance: "host/" + command, Observe: func(e rotator.Event) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if e.Err == nil {
			o.told[e.Verb] = append(o.told[e.Verb], e.KeyID)
		}
	}})
}

// leave removes a member, and replaces what they could know: as "offboard --graceful".
func (o *office) leave(address string, by *rotator.Rotator) {
	told, err := o.recorder("ada", "offboard").Act(trail.What{Verb: "remove-member", Workspace: "main", Incident: "left: " + address}, address+", admin")
	if err != nil {
		o.Fatal(err)
	}
	told("", nil)
	o.settled(by.Reconcile(o.Context(), o.targets[5], rotator.Request{RotateSince: time.Now(), Incident: "left: " + address, Soft: true}))
}

// recorder gives what records in the name of a user and a command.
func (o *office) recorder(user, command string) *recorder.Recorder {
	who := trail.Who{Instance: "host/" + command, User: user, Command: command, Config: "sha256:1", Version: "v1.0.0"}
	return recorder.New(recorder.Options{Log: o.log, Who: who, Now: time.Now, Logger: zap.NewNop()})
}

// event tells the trail what needs no intent.
func (o *office) event(verb string, names ...string) {
	if _, err := o.log.Append(trail.Entry{Kind: trail.Event, Who: trail.Who{User: "daemon"}, What: trail.What{Verb: verb, Workspace: "main"}, Names: names}, false); err != nil {
		o.Error(err)
	}
}

// settled wants the results of a run to be.
func (o *office) settled(all ...rotator.Result) {
	o.Helper()
	for _, res := range all {
		if res.Err != nil {
			o.Fatalf("%s: %v", res.Target, res.Err)
		}
	}
}

// live lets a year pass, with two incidents, a hold, a rotation by hand, and a member who
// leaves. It gives when each incident was declared, and when it was over.
func (o *office) live() (incidents map[string][2]time.Time) {
	incidents = map[string][2]time.Time{}
	daemon := o.rotator("root", "daemon")
	ada := o.rotator("ada", "rotate")
	members := []string{"ada@x.example owner", "bob@x.example admin", "cyd@x.example editor"}
	incident := func(name string, targets ...rotator.Target) {
		begun := time.Now()
		for _, t := range targets {
			o.settled(ada.Reconcile(o.Context(), t, rotator.Request{RotateSince: time.Now(), IgnoreBackoff: true, Incident: name}))
		}
		incidents[name] = [2]time.Time{begun, time.Now()}
	}
	for d := range 366 {
		midnight := time.Now()
		switch d {
		case 0:
			o.event("members", members...)
		case 60: // nobody knows why
			o.settled(ada.Reconcile(o.Context(), o.targets[3], rotator.Request{RotateSince: time.Now()}))
		case 80:
			if err := ada.Hold(o.Context(), o.targets[7], secretstore.Hold{Since: time.Now(), Reason: "migration of the mailer"}); err != nil {
				o.Fatal(err)
			}
		case 110:
			if _, err := ada.Release(o.Context(), o.targets[7]); err != nil {
				o.Fatal(err)
			}
		case 140:
			incident("laptop stolen", o.targets[0])
		case 200:
			incident("key in a CI log", o.targets[1], o.targets[2])
		case 250:
			o.leave("bob@x.example", ada)
			members = slices.Delete(members, 1, 2)
			o.event("members", members...)
		}
		if d%30 == 1 {
			found := []string{"KEY-02 high key zapier"}
			if d < 100 {
				found = append(found, "KEY-06 medium target app-01")
			}
			o.event("audit", found...)
		}
		time.Sleep(4 * time.Hour)
		o.settled(daemon.ReconcileAll(o.Context(), o.targets, rotator.Request{}, nil)...)
		time.Sleep(time.Until(midnight.Add(day)))
	}
	return incidents
}

// report makes the one of a period, out of the log as it is on the disk.
func (o *office) report(from, to time.Time) (evidence.Report, []trail.Entry) {
	o.Helper()
	if err := o.log.Sync(); err != nil {
		o.Fatal(err)
	}
	key, err := o.log.PublicKey()
	if err != nil {
		o.Fatal(err)
	}
	l := evidence.Log{Record: evidence.Record{Log: "office", PublicKey: key, Compared: true}}
	found, err := trail.Verify(o.dir, key, nil)
	var fault *trail.FaultError
	switch {
	case errors.As(err, &fault):
		l.Record.Fault, l.Record.FaultAt = fault.What, &fault.Entry
	case err != nil:
		o.Fatal(err)
	}
	l.Record.First, l.Record.Last, l.Record.Signed = found.First, found.Size-1, found.Signed
	if err := trail.Entries(o.dir, func(e trail.Entry) error {
		l.Entries = append(l.Entries, e)
		return nil
	}); err != nil {
		o.Fatal(err)
	}
	in := evidence.Input{From: from, To: to, Made: time.Now(), Logs: []evidence.Log{l}, Now: &evidence.Now{
		At: time.Now(), Workspaces: []evidence.WorkspaceNow{{Workspace: "main", Keys: 21, Unmanaged: []string{"zapier"}}},
	}}
	for _, t := range o.targets {
		in.Policies = append(in.Policies, evidence.Policy{
			Target: t.Name, Workspace: "main", Schedule: "quarterly", Grace: t.Policy.Grace, MaxAge: t.Policy.MaxAge,
			Due: func(since time.Time) time.Time { at, _ := rotator.NextDue(t.Policy, t.Name, since); return at },
		})
		snap, err := t.Stores[0].Describe(o.Context())
		if err != nil {
			o.Fatal(err)
		}
		in.Now.Targets = append(in.Now.Targets, evidence.TargetNow{Target: t.Name, Key: snap.Versions[secretstore.Current].ID})
	}
	return evidence.Make(in), l.Entries
}

// inYear runs a test at the end of the office's year.
func inYear(t *testing.T, test func(o *office, r evidence.Report, all []trail.Entry, incidents map[string][2]time.Time)) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		begun := time.Now()
		incidents := o.live()
		r, all := o.report(begun, begun.AddDate(1, 0, 0))
		test(o, r, all, incidents)
	})
}
