package service

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// monotonic goes with RELOADING=1 (sd_notify(3)).
func monotonic() string {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return ""
	}
	return fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000)
}
