package service

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	loop "github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/leader"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/members"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// running is a fleet with what is told of it.
type running struct {
	*fleet.Fleet
	crew     members.Crew // that sees to who has left
	notifier *notify.Notifier
	maxAges  map[string]time.Duration
}

// election gives the one that the options ask for.
func (s *Service) election() (leader.Election, error) {
	if !s.Elect {
		return leader.Alone{}, nil
	}
	cluster, err := kubernetescluster.Connect(kubernetescluster.Location{})
	if err != nil {
		return nil, err
	}
	namespace := s.Namespace
	if namespace == "" {
		namespace = s.Getenv("POD_NAMESPACE")
	}
	return leader.New(cluster, leader.Options{Namespace: namespace, Name: s.LeaseName, Log: s.Log, Waiting: s.waits})
}

// waits shows that this instance waits for another one to go away, or for the election
// to be answered. The loop does not go round meanwhile, so the watchdog is fed from here:
// a new start would help against neither.
func (s *Service) waits(another bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.standing, s.unasked = another, !another
	s.beat()
}

// standsBy tells whether another instance leads.
func (s *Service) standsBy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.standing
}

// leaderUnknown tells whether the election cannot be asked which instance leads.
func (s *Service) leaderUnknown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unasked
}

// leads gives the context that ends with the lead; nil while another instance
// leads.
func (s *Service) leads() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term
}

// lead keeps the keys fresh until the lead ends. A new term begins with a run of
// everything: what is known of before may be wrong by now.
func (s *Service) lead(ctx context.Context) {
	f := s.startTerm(ctx)
	s.Log.Info("leading", zap.Int("targets", len(f.Targets)))
	var verifying sync.WaitGroup
	verifying.Go(func() { s.verifyAll(ctx) })
	verifying.Go(func() { s.auditAll(ctx) })
	verifying.Go(func() { s.watchMembers(ctx) })
	s.loop.Run(ctx, f)
	verifying.Wait()
	s.endTerm()
}

// startTerm makes the fleet that this instance runs from now on.
func (s *Service) startTerm(ctx context.Context) *loop.Fleet {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	s.standing, s.unasked, s.term = false, false, ctx
	s.mu.Unlock()
	s.metrics.Leading(true)
	return s.newFleet(ctx)
}

// endTerm leaves the keys to another instance, and with them what is shown of them.
func (s *Service) endTerm() {
	s.forget()
	s.forgetAudits()
	s.board.Keep(nil)
	s.metrics.Leading(false)
}

// forget takes note that nothing is run.
func (s *Service) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.term, s.fleet = nil, running{}
}

// retryNow has the runs in hand not wait for an outage to end that somebody knows to
// be over: what they are at is begun anew only when they have ended.
func (s *Service) retryNow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fleet.Fleet != nil {
		s.fleet.RetryNow()
	}
}

// replace puts the configuration in force in the place of the one that is run, if
// this instance runs one.
func (s *Service) replace() {
	s.changing.Lock()
	defer s.changing.Unlock()
	term := s.leads()
	if term == nil {
		return // the next term begins with it
	}
	if f := s.newFleet(term); !s.loop.Replace(term, f) {
		f.Close() // the lead ended meanwhile
		if s.leads() == nil {
			s.forget()
		}
	}
}

// newFleet makes what the configuration in force says. The caller holds changing.
func (s *Service) newFleet(ctx context.Context) *loop.Fleet {
	cfg := s.inForce()
	r := running{maxAges: maxAges(cfg)}
	r.Fleet = fleet.All(ctx, fleet.Options{
		Config: cfg, Now: s.Now, Getenv: s.Getenv, Log: s.Log, Observe: s.metrics.Step, Called: s.metrics.Request,
		Command: "daemon", Version: s.Version, Collector: s.Collector, Wrote: s.metrics.Recorded, Paces: &s.paces,
	})
	r.crew = members.CrewOf(ctx, r.Fleet, nil)
	r.Recorder().Event(trail.What{Verb: "configure"}, fmt.Sprintf("the configuration is in force, with %d targets", len(r.Targets)))
	r.notifier = r.Notifier(ctx, func(o notify.Outcome) { s.metrics.Notified(string(o.Result)) })
	s.mu.Lock()
	s.fleet, s.noAdminKey = r, false
	s.mu.Unlock()
	debug.FreeOSMemory() // reading a configuration takes many times what is kept of it
	return &loop.Fleet{Engine: r.Fleet, Targets: r.Targets, Resync: cfg.Resync, Close: func() { s.close(r) }}
}

func maxAges(cfg *config.Config) map[string]time.Duration {
	ages := make(map[string]time.Duration, len(cfg.Keys))
	for _, k := range cfg.Keys {
		ages[k.Name] = k.MaxAge
	}
	return ages
}

// unsentTimeout is how long notifications that are queued may take when what they
// are about has ended.
const unsentTimeout = 10 * time.Second

// close ends a fleet's connections, once its notifications are sent. Nobody waits
// for that but the end of the process.
func (s *Service) close(r running) {
	s.closing.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), unsentTimeout)
		defer cancel()
		if err := r.notifier.Close(ctx); err != nil {
			s.Log.Warn("notifications were left unsent", zap.Error(err))
		}
		r.Close()
	})
}
