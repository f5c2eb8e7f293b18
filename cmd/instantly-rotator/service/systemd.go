package service

import (
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// beat feeds systemd's watchdog, if there is one.
func (s *Service) beat() { s.tellSystemd(daemon.SdNotifyWatchdog) }

// tellSystemd does nothing where systemd does not listen.
func (s *Service) tellSystemd(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.Log.Warn("systemd", zap.Error(err))
	}
}

// pulse is how often the loop goes round at least: often enough for the watchdog.
func pulse() time.Duration {
	const rare = time.Minute
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return rare
	}
	return min(interval/2, rare)
}
