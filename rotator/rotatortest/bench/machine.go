package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// machine says when, on what and of what the measurements are.
func machine(ctx context.Context) string {
	return fmt.Sprintf("%s · %d cores, %s RAM, load %s · %s %s/%s · commit %s",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), runtime.NumCPU(), memorySize(), load(),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, commit(ctx))
}

func memorySize() string {
	text, err := os.ReadFile("/proc/meminfo")
	if fields := strings.Fields(string(text)); err == nil && len(fields) > 1 {
		return fmt.Sprintf("%d GB", (number(fields[1])+1<<19)>>20) // the first line: MemTotal, in kB
	}
	return "unknown"
}

// load is what else the machine had to do, over the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(text)); err == nil && len(fields) > 0 {
		return fields[0]
	}
	return "unknown"
}

// commit names the tree that is measured.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=10").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
