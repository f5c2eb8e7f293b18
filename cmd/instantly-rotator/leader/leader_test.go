package leader_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/leader"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/wire"
)

// long is more than any takeover takes.
const long = time.Minute

// An office has one Lease, and watches that no two instances work at once.
type office struct {
	*testing.T
	server *kubetest.Server

	mu      sync.Mutex
	working []string
	terms   []string // who was elected, in turn
}

func newOffice(t *testing.T) *office { return &office{T: t, server: kubetest.New("here")} }

func (o *office) enter(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.working) > 0 {
		o.Errorf("%s was elected while %s works", name, o.working)
	}
	o.working, o.terms = append(o.working, name), append(o.terms, name)
}

func (o *office) leave(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, w := range o.working {
		if w == name {
			o.working = append(o.working[:i:i], o.working[i+1:]...)
		}
	}
}

// elected counts the terms so far.
func (o *office) elected() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.terms)
}

// atWork counts the instances that work.
func (o *office) atWork() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.working)
}

// wantWorking waits for things to settle and wants this instance at work; "" for
// none.
func (o *office) wantWorking(name string) {
	o.Helper()
	time.Sleep(long)
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if got := strings.Join(o.working, ", "); got != name {
		o.Fatalf("%q works, want %q", got, name)
	}
}

// instance stands for election.
type instance struct {
	*office
	name string
	tap  wire.Tap
	log  *observer.ObservedLogs
	stop context.CancelFunc
	gone chan struct{}
	// waits is what was told last while it does not lead: "another" or "nobody" leads.
	waits string
	told  time.Time // when
	// lastStep is how long the work goes on when its context has ended.
	lastStep time.Duration
}

func (o *office) hire(name string, lastStep time.Duration) *instance {
	o.Helper()
	i := &instance{office: o, name: name, gone: make(chan struct{}), lastStep: lastStep}
	cfg := o.server.Config()
	cfg.Transport = i.tap.Wrap(cfg.Transport)
	cluster, err := kubernetescluster.New(cfg, "here")
	if err != nil {
		o.Fatal(err)
	}
	core, log := observer.New(zap.InfoLevel)
	i.log = log
	election, err := leader.New(cluster, leader.Options{Name: "rotator", Log: zap.New(core), Waiting: i.wait})
	if err != nil {
		o.Fatal(err)
	}
	var ctx context.Context
	ctx, i.stop = context.WithCancel(o.Context())
	go func() {
		defer close(i.gone)
		election.Lead(ctx, i.work)
	}()
	return i
}

func (i *instance) work(ctx context.Context) {
	i.enter(i.name)
	<-ctx.Done()
	time.Sleep(i.lastStep)
	i.leave(i.name)
}

// wait takes note of what is told while another instance leads, or nobody.
func (i *instance) wait(another bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.waits, i.told = "nobody", time.Now()
	if another {
		i.waits = "another"
	}
}

// wantTold wants this to be what an instance that does not lead was told a moment ago: that
// another one leads, or that nobody is known to.
func (i *instance) wantTold(want string) {
	i.Helper()
	synctest.Wait()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.waits != want || time.Since(i.told) > 6*time.Second {
		i.Errorf("%s was told %q leads, %s ago; want %q", i.name, i.waits, time.Since(i.told), want)
	}
}

// leaves stops an instance as SIGTERM does.
func (i *instance) leaves() {
	i.stop()
	<-i.gone
}

// cutOff lets every request fail.
func (i *instance) cutOff() {
	i.tap.On(func(*http.Request) error { return errors.New("network is unreachable") }, nil)
}

// hang lets no request be answered, as in a process that is stopped, or behind a
// firewall that drops packets.
func (i *instance) hang() {
	i.tap.On(func(r *http.Request) error {
		<-r.Context().Done()
		return r.Context().Err()
	}, nil)
}

func (i *instance) recovers() { i.tap.On(nil, nil) }

func (o *office) holder() string {
	o.Helper()
	holder := ""
	kubetest.Change(o.server, "here", "rotator", func(l *coordinationv1.Lease) { holder = *l.Spec.HolderIdentity })
	return holder
}

// bubble runs a story with two instances of which first leads.
func bubble(t *testing.T, lastStep time.Duration, story func(first, second *instance)) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		first := o.hire("first", lastStep)
		o.wantWorking("first")
		second := o.hire("second", 0)
		o.wantWorking("first")
		story(first, second)
		first.leaves()
		second.leaves()
	})
}

func TestLeaderThatEndsHandsOverAtOnce(t *testing.T) {
	bubble(t, 0, func(first, second *instance) {
		first.leaves()
		if first.holder() != "" {
			t.Error("the Lease was not given up")
		}
		second.wantWorking("second")
	})
}

func TestNobodyIsElectedWhileTheStepInHandIsFinished(t *testing.T) {
	bubble(t, 10*time.Minute, func(first, second *instance) {
		first.stop()
		first.wantWorking("first")
		<-first.gone
		second.wantWorking("second")
	})
}

func TestLeaderThatIsCutOffStopsBeforeAnotherIsElected(t *testing.T) {
	for name, intercept := range map[string]func(*instance){"requests fail": (*instance).cutOff, "requests hang": (*instance).hang} {
		t.Run(name, func(t *testing.T) {
			// A step in hand has the time between the deadline and the Lease's end.
			bubble(t, 4*time.Second, func(first, second *instance) {
				intercept(first)
				second.wantWorking("second")
				first.recovers()
				second.wantWorking("second")
				second.leaves()
				first.wantWorking("first")
			})
		})
	}
}

func TestShortTroubleDoesNotEndATerm(t *testing.T) {
	bubble(t, 0, func(first, second *instance) {
		first.hang()
		time.Sleep(4 * time.Second)
		first.recovers()
		second.wantWorking("first")
		kubetest.Change(first.server, "here", "rotator", func(l *coordinationv1.Lease) { l.Labels = map[string]string{"a": "b"} })
		second.wantWorking("first")
		if n := first.elected(); n != 1 {
			t.Errorf("%d terms", n)
		}
	})
}

func TestOutageForAllEndsWithOneLeader(t *testing.T) {
	bubble(t, 0, func(first, second *instance) {
		first.cutOff()
		second.cutOff()
		first.wantWorking("")
		for _, i := range []*instance{first, second} {
			i.recovers()
			if n := i.log.FilterMessage("the election goes on").Len(); n == 0 || n > 4 {
				t.Errorf("%s complained %d times", i.name, n)
			}
		}
		time.Sleep(long)
		if n := first.atWork(); n != 1 {
			t.Errorf("%d instances work", n)
		}
	})
}

func TestInstanceThatCannotAskKnowsOfNoLeader(t *testing.T) {
	for name, intercept := range map[string]func(*instance){"requests fail": (*instance).cutOff, "requests hang": (*instance).hang} {
		t.Run(name, func(t *testing.T) {
			bubble(t, 0, func(first, second *instance) {
				second.wantTold("another")
				intercept(second)
				time.Sleep(10 * time.Second)
				second.wantTold("another") // an outage shorter than a Lease lasts ends no term
				first.wantWorking("first")
				second.wantTold("nobody")
				second.recovers()
				time.Sleep(6 * time.Second)
				second.wantTold("another")
			})
		})
	}
}

func TestLeaderThatWasCutOffKnowsOfNoLeaderAtOnce(t *testing.T) {
	bubble(t, 0, func(first, second *instance) {
		second.leaves()
		first.cutOff()
		time.Sleep(14 * time.Second)
		first.wantTold("nobody")
		first.recovers()
		first.wantWorking("first")
	})
}

func TestInstanceThatMayNotTakeTheLeaseKnowsOfNoLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.server.Denied = map[string]bool{"get": true}
		only := o.hire("only", 0)
		time.Sleep(time.Second)
		only.wantTold("nobody")
		only.tap.On(func(*http.Request) error { o.server.Denied = map[string]bool{"create": true}; return nil }, nil)
		o.wantWorking("")
		only.wantTold("nobody")
		only.leaves()
	})
}

func TestChangeOfLeadersIsNoGap(t *testing.T) {
	bubble(t, 0, func(first, second *instance) {
		third := first.hire("third", 0)
		first.wantWorking("first")
		gaps := 0
		first.hang() // it does not give the Lease up
		for range 60 {
			time.Sleep(time.Second)
			synctest.Wait()
			first.mu.Lock()
			for _, i := range []*instance{second, third} {
				if i.waits != "another" {
					gaps++
				}
			}
			first.mu.Unlock()
		}
		if gaps > 0 {
			t.Errorf("those that wait knew of no leader in %d of 120 looks while the Lease went over", gaps)
		}
		third.leaves()
	})
}

// A process that was killed does not give the Lease up, and one that is started in
// the same place a moment later is not the one that holds it.
func TestProcessThatIsStartedAgainWaitsForItsOwnLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		killed := o.hire("killed", 0)
		o.wantWorking("killed")
		killed.hang()
		next := o.hire("next", 0)
		o.wantWorking("next")
		killed.leaves()
		next.leaves()
	})
}

func TestLeaseTakenByForceEndsTheTerm(t *testing.T) {
	bubble(t, 0, func(first, second *instance) {
		second.leaves()
		usurper := "usurper"
		kubetest.Change(first.server, "here", "rotator", func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = &usurper })
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if first.atWork() != 0 {
			t.Error("it works on although another instance holds the Lease")
		}
		if got := first.holder(); got != usurper {
			t.Errorf("the Lease was taken back from its holder by %s", got)
		}
		first.wantWorking("first") // the usurper never renews
	})
}

func TestNextTermBeginsWhenTheStepInHandIsFinished(t *testing.T) {
	bubble(t, 10*time.Minute, func(first, second *instance) {
		second.leaves()
		usurper := "usurper"
		kubetest.Change(first.server, "here", "rotator", func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = &usurper })
		first.wantWorking("first") // at its last step
		if n := first.elected(); n != 1 {
			t.Errorf("%d terms while the first one ends", n)
		}
		time.Sleep(10 * time.Minute)
		first.wantWorking("first")
		if n := first.elected(); n != 2 {
			t.Errorf("%d terms", n)
		}
	})
}

func TestMissingPermissionIsNamedAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.server.Denied = map[string]bool{"create": true}
		i := o.hire("only", 0)
		o.wantWorking("")
		log := i.log.FilterMessage("the election goes on").All()
		if len(log) != 1 || !strings.Contains(log[0].ContextMap()["error"].(string), "needs get, create and update on leases") {
			t.Errorf("log: %v", log)
		}
		i.tap.On(func(*http.Request) error { o.server.Denied = nil; return nil }, nil)
		o.wantWorking("only")
		i.leaves()
	})
}

func TestLeaseNeedsANamespace(t *testing.T) {
	cluster, err := kubernetescluster.New(kubetest.New().Config(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leader.New(cluster, leader.Options{Name: "rotator", Log: zap.NewNop()}); err == nil || !strings.Contains(err.Error(), "--leader-elect-namespace") {
		t.Errorf("error: %v", err)
	}
}
