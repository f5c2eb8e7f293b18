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
// all. It gives the stamps of the files that are named from now on, as they were before
// they were read: those of seen for what was named already.
func (s *Service) reload(seen map[string]Stamp) map[string]Stamp {
	s.tellSystemd(daemon.SdNotifyReloading + "\n" + monotonic())
	defer s.tellSystemd(daemon.SdNotifyReady)
	s.retryNow()
	cfg, warnings, err := config.Load(s.ConfigPath)
	if err != nil {
		s.metrics.Reloaded(false, s.Now())
		s.refuse(err)
		s.Log.Error("the changed configuration is refused; the one of before stays in force", zap.Strings("mistakes", strings.Split(err.Error(), "\n")))
		s.tell(notify.Message{Kind: notify.Unable, At: s.Now(), Text: "the changed configuration is refused; the one of before stays in force: " + err.Error()})
		return seen
	}
	for _, w := range warnings {
		s.Log.Warn("configuration", zap.String("warning", fmt.Sprint(w)))
	}
	said := "the changed configuration is in force"
	if reflect.DeepEqual(cfg, s.inForce()) {
		said = "the configuration was read again: nothing in it has changed"
	}
	s.accept(cfg)
	seen = s.filesSince(seen)
	s.replace() // an admin key may be another one
	s.wake()
	s.Log.Info(said, zap.Int("targets", len(cfg.Keys)),
		zap.Strings("workspaces", slices.Sorted(maps.Keys(cfg.Workspaces))))
	return seen
}

// watchInterval is how often the files are read that the configuration is
// made of.
const watchInterval = 5 * time.Second

// watch reloads on SIGHUP and when a file is no longer as it was seen.
func (s *Service) watch(ctx context.Context, hup <-chan os.Signal, seen map[string]Stamp) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
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
			now = s.reload(now)
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

// A Stamp of a file is enough to see that a file was changed or replaced.
type Stamp struct {
	size int64
	at   time.Time
}

// StampOf gives a file's stamp, as it is now.
func StampOf(path string) Stamp {
	info, err := os.Stat(path)
	if err != nil {
		return Stamp{size: -1}
	}
	return Stamp{info.Size(), info.ModTime()}
}

// readFirst gives the stamps of what was read at the start.
func (s *Service) readFirst() map[string]Stamp {
	return map[string]Stamp{s.ConfigPath: s.Written}
}

// filesSince gives the stamps of the files that are named now: those of before they were
// read, where they are known, so that what was written meanwhile is one more change.
func (s *Service) filesSince(before map[string]Stamp) map[string]Stamp {
	now := s.files()
	for path := range now {
		if stamp, known := before[path]; known {
			now[path] = stamp
		}
	}
	return now
}

// files gives the stamps of the configuration and of the admin keys. A Kubernetes
// ConfigMap or Secret is a link that is moved: its target's stamp counts.
func (s *Service) files() map[string]Stamp {
	paths := []string{s.ConfigPath}
	for _, w := range s.inForce().Workspaces {
		if w.AdminKey.File != "" {
			paths = append(paths, w.AdminKey.File)
		}
	}
	stamps := map[string]Stamp{}
	for _, path := range paths {
		stamps[path] = StampOf(path)
	}
	return stamps
}
