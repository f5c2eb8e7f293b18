// Package service is the daemon's process: the loop, whether this instance leads,
// the configuration in force, and what is shown and told of it all.
//
// What lives how long:
//
//	the process        the log, the metrics, the board of what was last seen, the
//	                   loop, the HTTP server, the election; made by New and Run
//	a configuration    until another one is accepted, whole; see reload
//	a term             while this instance leads; see lead
//	a fleet            one configuration in one term: connections, engine, targets
//	                   and the notifications about them; it is closed when the last
//	                   of its runs has ended, which may be after the next one began
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	loop "github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/metrics"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Options say how the daemon runs; what it runs is in the configuration.
type Options struct {
	// ConfigPath is the file that is watched and read again.
	ConfigPath string
	// Written is that file's stamp of before it was read.
	Written Stamp
	// GivenConfig is that file as commands in hints have to name it; empty if they need
	// not.
	GivenConfig       string
	Version, Revision string
	Now               func() time.Time
	Getenv            func(string) string
	Log               *zap.Logger
	// Collector gets the lines of the trail too, where that is configured.
	Collector io.Writer
	// Listen is the address to answer on; "" for none. Token is asked for there;
	// none if it is empty.
	Listen string
	Token  secret.Value
	// ShutdownTimeout is how long the steps in hand may take at the end.
	ShutdownTimeout time.Duration
	// Elect: stand by while another instance holds the Lease of that name.
	// Namespace may be empty: POD_NAMESPACE, else the pod's own.
	Elect                bool
	Namespace, LeaseName string
}

// ErrStuck: steps in hand did not end in time.
var ErrStuck = errors.New("did not end in time")

// Service is the daemon's process.
type Service struct {
	Options
	board   *status.Board
	metrics *metrics.Metrics
	loop    *loop.Daemon
	closing sync.WaitGroup // fleets that were replaced
	paces   fleet.Paces    // of every fleet, and of audits

	// changing is held while a fleet is made, so that it is made of the
	// configuration in force. It comes before mu.
	changing sync.Mutex

	mu    sync.Mutex
	cfg   *config.Config
	term  context.Context // ends with the lead; nil while this instance does not lead
	fleet running         // nothing while this instance does not lead
	// standing: another instance leads. unasked: whether one does cannot be asked. At the
	// start neither is known.
	standing, unasked bool
	// noAdminKey: the fleet's runs fail for want of one, or of a better one. asked is
	// when the stores were asked for another one.
	noAdminKey bool
	asked      time.Time
	audits     audits
	// replaced is closed when another configuration is in force, and run: see passed.
	replaced chan struct{}
	// reloaded is when the configuration in force was read; refused is the one that was
	// read since then.
	reloaded time.Time
	refused  refusal
}

// New makes the process, with the configuration that it begins with.
func New(cfg *config.Config, o Options) *Service {
	s := &Service{Options: o, board: status.NewBoard(), replaced: make(chan struct{})}
	s.metrics = metrics.New(o.Version, o.Revision, metrics.Source{
		Targets: func() []status.Target { return s.board.Targets(s.Now()) },
		MaxAge:  s.maxAge, CircuitOpen: s.circuitOpen, Now: o.Now,
	})
	s.loop = loop.New(loop.Options{Ended: s.ended, Beat: s.beat, Pulse: pulse()})
	s.accept(cfg)
	return s
}

// Run keeps the keys fresh whenever this instance is elected, until ctx ends. A
// signal on hup reads the configuration again. It fails with [ErrStuck] if the
// steps in hand do not end in time.
func (s *Service) Run(ctx context.Context, hup <-chan os.Signal) error {
	election, err := s.election()
	if err != nil {
		return err
	}
	server, err := s.serve(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	go s.watch(watching, hup, s.filesSince(s.readFirst()))
	s.Log.Info("started", zap.String("version", s.Version))
	s.tellSystemd(daemon.SdNotifyReady)
	done := make(chan struct{})
	go func() {
		defer close(done)
		election.Lead(ctx, s.lead)
	}()
	<-ctx.Done()
	return s.shutdown(done)
}

// shutdown waits for the steps in hand, and for the notifications about them.
func (s *Service) shutdown(done <-chan struct{}) error {
	s.tellSystemd(daemon.SdNotifyStopping)
	s.Log.Info("stopping: finishing the steps in hand", zap.Duration("at_most", s.ShutdownTimeout))
	select {
	case <-done:
		s.closing.Wait()
		s.Log.Info("stopped")
		return nil
	case <-time.After(s.ShutdownTimeout):
		return fmt.Errorf("the steps in hand %w (--shutdown-timeout %s); nothing is lost, the next start goes on from the stores", ErrStuck, s.ShutdownTimeout)
	}
}

// ended shows and tells how a run ended.
func (s *Service) ended(r rotator.Result) {
	now := s.Now()
	s.board.Put(r, now)
	s.metrics.Ended(r)
	if errors.Is(r.Err, fleet.ErrNoAdminKey) || errors.Is(r.Err, instantly.ErrUnauthorized) {
		s.mu.Lock()
		s.noAdminKey = true
		s.mu.Unlock()
	}
	s.tell(notificationsOf(r, s.maxAge(r.Target), now)...)
	if r.Err != nil && !errors.Is(r.Err, rotator.ErrLostRace) {
		s.Log.Error("failed", zap.String("target", r.Target), zap.String("step", string(r.Step)),
			zap.String("reason", rotator.ClassOf(r.Err).Name), zap.String("error", r.Err.Error()), zap.String("hint", s.pasted(remedy.For(r.Err, r.Target))))
	}
}

// pasted completes the commands in a text.
func (s *Service) pasted(text string) string { return remedy.Pasted(text, s.GivenConfig) }

// maxAge gives a target's max_age; 0 if the configuration in force has no such
// target.
func (s *Service) maxAge(target string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fleet.maxAges[target]
}

// circuitOpen tells of each workspace whether nothing is begun in it.
func (s *Service) circuitOpen() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]bool{}
	if s.fleet.Fleet == nil {
		return out
	}
	for _, t := range s.fleet.Targets {
		if _, ok := out[t.Workspace.Name]; !ok {
			out[t.Workspace.Name] = t.Workspace.CircuitOpen(s.Now()) != nil
		}
	}
	return out
}
