package service

import (
	"context"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
)

// accept puts a configuration in force: what is shown follows it at once, what is
// run with the next fleet.
func (s *Service) accept(cfg *config.Config) {
	names := make([]string, 0, len(cfg.Keys))
	for _, k := range cfg.Keys {
		names = append(names, k.Name)
	}
	s.board.Keep(names)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg, s.reloaded, s.refused = cfg, s.Now(), refusal{}
	s.metrics.Reloaded(true, s.Now())
}

// inForce gives the configuration in force.
func (s *Service) inForce() *config.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg
}

// reload takes the configuration over as it is in the file now, whole or not at
// all.
func (s *Service) reload() {
	s.tellSystemd(daemon.SdNotifyReloading + "\n" + monotonic())
	defer s.tellSystemd(daemon.SdNotifyReady)
	s.retryNow()
	cfg, warnings, err := config.Load(s.ConfigPath)
	if err != nil {
		s.metrics.Reloaded(false, s.Now())
		s.refuse(err)
		s.Log.Error("the changed configuration is refused; the one of before stays in force", zap.Strings("mistakes", strings.Split(err.Error(), "\n")))
		s.tell(notify.Message{Kind: notify.Unable, At: s.Now(), Text: "the changed configuration is refused; the one of before stays in force: " + err.Error()})
		return
	}
	for _, w := range warnings {
		s.Log.Warn("configuration", zap.String("warning", fmt.Sprint(w)))
	}
	said := "the changed configuration is in force"
	if reflect.DeepEqual(cfg, s.inForce()) {
		said = "the configuration was read again: nothing in it has changed"
	}
	s.accept(cfg)
	s.replace() // an admin key may be another one
	s.Log.Info(said, zap.Int("targets", len(cfg.Keys)),
		zap.Strings("workspaces", slices.Sorted(maps.Keys(cfg.Workspaces))))
}

// watchInterval is how often the files are read that the configuration is
// made of.
const watchInterval = 5 * time.Second

// watch reloads on SIGHUP and when a file changed.
func (s *Service) watch(ctx context.Context, hup <-chan os.Signal) {
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
		if forced || !maps.Equal(now, seen) || s.adminKeyReplaced(ctx) {
			s.reload()
			now = s.files() // which may name other files now
		}
		seen = now
	}
}

// storeInterval is how often stores are asked for another admin key, while the one in
// use is refused or was not there.
const storeInterval = 10 * time.Second

// adminKeyReplaced tells whether a store has an admin key that is worth a try.
func (s *Service) adminKeyReplaced(ctx context.Context) bool {
	now := time.Now()
	s.mu.Lock()
	f, ask := s.fleet.Fleet, s.noAdminKey && now.Sub(s.asked) >= storeInterval
	if ask {
		s.asked = now
	}
	s.mu.Unlock()
	if !ask || f == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, storeInterval)
	defer cancel()
	return f.AdminKeyReplaced(ctx)
}

// A fileStamp is enough to see that a file was changed or replaced.
type fileStamp struct {
	size int64
	at   time.Time
}

// files gives the stamps of the configuration and of the admin keys. A Kubernetes
// ConfigMap or Secret is a link that is moved: its target's stamp counts.
func (s *Service) files() map[string]fileStamp {
	paths := []string{s.ConfigPath}
	for _, w := range s.inForce().Workspaces {
		if w.AdminKey.File != "" {
			paths = append(paths, w.AdminKey.File)
		}
	}
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
