package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	fleets "github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/leader"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/metrics"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// service is the daemon's process: the loop, what it shows, and the configuration
// in force.
type service struct {
	app     *app
	log     *zap.Logger
	board   *fleets.Board
	metrics *metrics.Metrics
	loop    *fleets.Daemon
	// changing is held while a fleet is made, so that it is made of the
	// configuration in force. It comes before mu.
	changing sync.Mutex

	mu      sync.Mutex
	cfg     *config.Config
	maxAges map[string]time.Duration
	current deployment
	news    *notify.Notifier
	term    context.Context // ends with the lead; nil while this instance does not lead
	// standing: another instance leads. At the start neither is known.
	standing bool

	closing sync.WaitGroup // of what was replaced
}

// newService reads the configuration, which must be right at the start.
func (a *app) newService(log *zap.Logger) (*service, error) {
	cfg, err := a.loadQuietly(log)
	if err != nil {
		return nil, err
	}
	s := &service{app: a, log: log, board: fleets.NewBoard()}
	s.metrics = metrics.New(version(), revision(), metrics.Source{
		Entries: s.board.Entries, MaxAge: s.maxAge, Frozen: s.frozen, Now: a.now,
	})
	s.loop = fleets.New(fleets.Options{Ended: s.ended, Beat: s.beat, Pulse: pulse()})
	s.accept(cfg)
	return s, nil
}

// loadQuietly passes the configuration's warnings on to the log, whose lines
// others read.
func (a *app) loadQuietly(log *zap.Logger) (*config.Config, error) {
	var said bytes.Buffer
	quiet := *a
	quiet.stderr = &said
	cfg, err := quiet.load()
	for line := range strings.Lines(said.String()) {
		log.Warn("configuration", zap.String("warning", strings.TrimPrefix(strings.TrimSpace(line), "warning: ")))
	}
	return cfg, err
}

// accept puts a configuration in force.
func (s *service) accept(cfg *config.Config) {
	names, ages := make([]string, 0, len(cfg.Keys)), make(map[string]time.Duration, len(cfg.Keys))
	for _, k := range cfg.Keys {
		names, ages[k.Name] = append(names, k.Name), k.MaxAge
	}
	s.board.Keep(names)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg, s.maxAges = cfg, ages
	s.metrics.Reloaded(true, s.app.now())
}

// run keeps the keys fresh whenever this instance is elected, until ctx ends.
func (s *service) run(ctx context.Context, e leader.Election, patience time.Duration) error {
	s.log.Info("started", zap.String("version", version()))
	s.tellSystemd(daemon.SdNotifyReady)
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Lead(ctx, s.lead)
	}()
	<-ctx.Done()
	s.tellSystemd(daemon.SdNotifyStopping)
	s.log.Info("stopping: finishing the steps in hand", zap.Duration("at_most", patience))
	select {
	case <-done:
		s.closing.Wait()
		s.log.Info("stopped")
		return nil
	case <-time.After(patience):
		return fmt.Errorf("the steps in hand %w (--shutdown-timeout %s); nothing is lost, the next start goes on from the stores", errStuck, patience)
	}
}

// farewell is how long notifications that are queued may take when what they are
// about has ended.
const farewell = 10 * time.Second

// close ends a fleet's connections, once its notifications are sent. Nobody waits
// for that but the end of the process.
func (s *service) close(d deployment, news *notify.Notifier) {
	s.closing.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		if err := news.Close(ctx); err != nil {
			s.log.Warn("notifications were left unsent", zap.Error(err))
		}
		d.close()
	})
}

// ended shows and tells how a run ended.
func (s *service) ended(r rotator.Result) {
	s.board.Put(r, s.app.now())
	s.metrics.Ended(r)
	s.tell(newsOf(r, s.maxAge(r.Target), s.app.now())...)
	if r.Err != nil && !errors.Is(r.Err, rotator.ErrLostRace) {
		s.log.Error("failed", zap.String("target", r.Target), zap.String("step", string(r.Step)),
			zap.String("reason", rotator.ClassOf(r.Err).Name), zap.String("error", r.Err.Error()), zap.String("hint", hintFor(r.Err)))
	}
}

// tell sends notifications; it never waits.
func (s *service) tell(news ...notify.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range news {
		if s.news != nil {
			s.news.Send(m)
		}
	}
}

// maxAge gives a target's max_age.
func (s *service) maxAge(target string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.maxAges[target]
}

// frozen tells of each workspace whether nothing is begun in it.
func (s *service) frozen() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]bool{}
	for _, t := range s.current.targets {
		if _, ok := out[t.Workspace.Name]; !ok {
			out[t.Workspace.Name] = t.Workspace.Frozen(s.app.now()) != nil
		}
	}
	return out
}

// targets is what /api/v1/targets says.
func (s *service) targets() any {
	statuses := []targetStatus{}
	for _, e := range s.board.Entries() {
		st := s.app.statusOf(e.Outlook)
		if e.Err != nil {
			st.Error = e.Err.Error()
		}
		statuses = append(statuses, st)
	}
	return map[string]any{"targets": statuses, "workspaces": []workspaceStatus(nil)} // those are asked for, not kept
}

// alive fails if the loop hangs.
func (s *service) alive() error {
	if s.loop.Hung(s.app.now()) {
		return errors.New("the loop hangs")
	}
	return nil
}

// ready fails until every key has been looked at, and while none can be.
func (s *service) ready() error {
	if s.standsBy() {
		return nil
	}
	if s.leads() == nil || !s.loop.Passed() {
		return errors.New("not every key has been looked at yet")
	}
	entries := s.board.Entries()
	for _, e := range entries {
		if e.Err == nil {
			return nil
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return fmt.Errorf("no key can be worked with; the first: %s: %w", entries[0].Target, entries[0].Err)
}

// watchInterval is how often the files are looked at that the configuration is
// made of.
const watchInterval = 5 * time.Second

// watch reloads on SIGHUP and when a file changed.
func (s *service) watch(ctx context.Context, hup <-chan os.Signal) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	seen := s.files()
	for {
		forced := false
		select {
		case <-ctx.Done():
			return
		case <-hup:
			forced = true
		case <-ticker.C:
		}
		now := s.files()
		if forced || !maps.Equal(now, seen) {
			s.reload()
			now = s.files() // which may name other files now
		}
		seen = now
	}
}

// stamp of a file is enough to see that it was changed or replaced.
type fileStamp struct {
	size int64
	at   time.Time
}

// files gives the stamps of the configuration and of the admin keys. A Kubernetes
// ConfigMap or Secret is a link that is moved: its target's stamp is looked at.
func (s *service) files() map[string]fileStamp {
	s.mu.Lock()
	paths := []string{s.app.configPath}
	for _, w := range s.cfg.Workspaces {
		if w.AdminKey.File != "" {
			paths = append(paths, w.AdminKey.File)
		}
	}
	s.mu.Unlock()
	stamps := map[string]fileStamp{}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			stamps[path] = fileStamp{info.Size(), info.ModTime()}
		} else {
			stamps[path] = fileStamp{size: -1}
		}
	}
	return stamps
}

// reload takes the configuration over as it is in the file now, whole or not at
// all.
func (s *service) reload() {
	s.tellSystemd(daemon.SdNotifyReloading + "\n" + monotonic())
	defer s.tellSystemd(daemon.SdNotifyReady)
	cfg, warnings, err := config.Load(s.app.configPath)
	if err != nil {
		s.metrics.Reloaded(false, s.app.now())
		s.log.Error("the changed configuration is refused; the one of before stays in force", zap.Strings("mistakes", strings.Split(err.Error(), "\n")))
		s.tell(notify.Message{Kind: notify.Unable, At: s.app.now(), Text: "the changed configuration is refused; the one of before stays in force: " + err.Error()})
		return
	}
	for _, w := range warnings {
		s.log.Warn("configuration", zap.String("warning", fmt.Sprint(w)))
	}
	s.accept(cfg)
	s.replace()
	s.log.Info("the changed configuration is in force", zap.Int("targets", len(cfg.Keys)),
		zap.Strings("workspaces", slices.Sorted(maps.Keys(cfg.Workspaces))))
}

// beat feeds systemd's watchdog, if there is one.
func (s *service) beat() { s.tellSystemd(daemon.SdNotifyWatchdog) }

// tellSystemd does nothing where systemd does not listen.
func (s *service) tellSystemd(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("systemd", zap.Error(err))
	}
}

// pulse is how often the loop turns at least: often enough for the watchdog.
func pulse() time.Duration {
	const rare = time.Minute
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return rare
	}
	return min(interval/2, rare)
}

// fleet wires a configuration for the daemon.
func (a *app) fleet(ctx context.Context, cfg *config.Config, log *zap.Logger, m *metrics.Metrics) deployment {
	w := a.wire(cfg, log, false)
	w.called = m.Request
	steps := logSteps(log)
	return a.deployment(ctx, w, cfg.Keys, func(e rotator.Event) {
		steps(e)
		m.Step(e)
	})
}
