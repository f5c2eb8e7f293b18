package main

import (
	"context"
	"runtime/debug"

	"go.uber.org/zap"

	fleets "github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/leader"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// election gives the one that the flags ask for.
func (s *service) election(f daemonFlags) (leader.Election, error) {
	if !f.elect {
		return leader.Alone{}, nil
	}
	cluster, err := kubernetescluster.Connect(kubernetescluster.Location{})
	if err != nil {
		return nil, err
	}
	namespace := f.electNamespace
	if namespace == "" {
		namespace = s.app.getenv("POD_NAMESPACE")
	}
	return leader.New(cluster, leader.Options{Namespace: namespace, Name: f.electName, Log: s.log, StandingBy: s.standBy})
}

// standBy shows that this instance waits for another one to go away. The loop
// does not turn meanwhile, so the watchdog is fed from here.
func (s *service) standBy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.standing = true
	s.beat()
}

// standsBy tells whether another instance leads.
func (s *service) standsBy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.standing
}

// lead keeps the keys fresh until the lead ends. A new term begins with a look at
// everything: what is known of before may be wrong by now.
func (s *service) lead(ctx context.Context) {
	fleet := s.begin(ctx)
	s.log.Info("leading", zap.Int("targets", len(fleet.Targets)))
	s.loop.Run(ctx, fleet)
	s.end()
}

// begin makes the fleet that this instance runs from now on.
func (s *service) begin(ctx context.Context) *fleets.Fleet {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	s.standing, s.term = false, ctx
	s.mu.Unlock()
	s.metrics.Leading(true)
	return s.fleet(ctx)
}

// end leaves the keys to another instance, and with them what is shown of them.
func (s *service) end() {
	s.forget()
	s.board.Keep(nil)
	s.metrics.Leading(false)
}

// forget takes note that nothing is run.
func (s *service) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.term, s.current, s.news = nil, deployment{}, nil
}

// replace puts the configuration in force in the place of the one that is run, if
// this instance runs one.
func (s *service) replace() {
	s.changing.Lock()
	defer s.changing.Unlock()
	term := s.leads()
	if term == nil {
		return // the next term begins with it
	}
	if fleet := s.fleet(term); !s.loop.Replace(term, fleet) {
		fleet.Close() // the lead ended meanwhile
		if s.leads() == nil {
			s.forget()
		}
	}
}

// leads gives the context that ends with the lead; nil while another instance
// leads.
func (s *service) leads() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term
}

// fleet makes what the configuration in force says. The caller holds changing.
func (s *service) fleet(ctx context.Context) *fleets.Fleet {
	s.mu.Lock()
	cfg := s.cfg
	s.mu.Unlock()
	d := s.app.fleet(ctx, cfg, s.log, s.metrics)
	news := d.notifier(ctx, func(o notify.Outcome) { s.metrics.Notified(string(o.Result)) })
	s.mu.Lock()
	s.current, s.news = d, news
	s.mu.Unlock()
	debug.FreeOSMemory() // reading a configuration takes many times what is kept of it
	return &fleets.Fleet{Engine: d, Targets: d.targets, Resync: cfg.Resync, Close: func() { s.close(d, news) }}
}
