// Command bench measures the daemon with many targets of which none is due: how
// soon it is ready, what memory it takes, and what it costs when idle and at a
// resync. The daemon is the binary as built, in a process of its own; Instantly's
// stand-in is in this one, and the stores are on the disk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The limits that a daemon with 10,000 targets must keep.
const (
	mostReady  = 2 * time.Second
	mostMemory = 150 << 20
	mostIdle   = 0.01 // of a core
)

func main() {
	targets := flag.Int("targets", 10_000, "targets, all in the local store")
	perSpace := flag.Int("per-workspace", 100, "targets of one workspace")
	idle := flag.Duration("idle", 30*time.Second, "how long to watch it idle")
	keep := flag.String("keep", "", "folder to work in, and to keep; a temporary one if empty")
	flag.Parse()
	if err := run(*targets, *perSpace, *idle, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(targets, perSpace int, idle time.Duration, dir string) error {
	if dir == "" {
		temp, err := os.MkdirTemp("", "bench")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(temp) }()
		dir = temp
	}
	ctx := context.Background()
	bin := filepath.Join(dir, "instantly-rotator")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, "./cmd/instantly-rotator")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	begun := time.Now()
	site, err := prepare(ctx, dir, targets, perSpace)
	if err != nil {
		return err
	}
	defer site.close()
	fmt.Fprintf(os.Stdout, "%d targets in %d workspaces prepared in %.1f s\n", targets, (targets+perSpace-1)/perSpace, time.Since(begun).Seconds())
	d, err := start(ctx, bin, site)
	if err != nil {
		return err
	}
	defer d.stop()
	return d.measure(idle)
}

// measure prints the numbers, and fails if a limit is not kept.
func (d *daemon) measure(idle time.Duration) error {
	ready, err := d.untilReady()
	if err != nil {
		return err
	}
	started := d.cpu()
	time.Sleep(time.Second) // what it does at the start is over
	before := d.cpu()
	time.Sleep(idle)
	share := (d.cpu() - before).Seconds() / idle.Seconds()
	now, peak := d.memory()
	resync, err := d.resync()
	if err != nil {
		return err
	}
	reloaded, _ := d.memory()
	fmt.Fprintf(os.Stdout, "ready          after %.2f s (at most %.0f s), %.2f s of CPU\n", ready.Seconds(), mostReady.Seconds(), started.Seconds())
	fmt.Fprintf(os.Stdout, "memory         %d MB resident when idle (at most %d MB), %d MB at its peak while starting, %d MB after a reload\n", now>>20, mostMemory>>20, peak>>20, reloaded>>20)
	fmt.Fprintf(os.Stdout, "idle           %.3f %% of a core over %s (at most %.0f %%)\n", 100*share, idle, 100*mostIdle)
	fmt.Fprintf(os.Stdout, "one resync     %.2f s of CPU in %.2f s, %d requests: %.3f %% of a core at one every 10 min\n",
		resync.cpu.Seconds(), resync.took.Seconds(), resync.requests, resync.cpu.Seconds()/6)
	if ready > mostReady || now > mostMemory || share > mostIdle {
		return errors.New("a limit is not kept")
	}
	return nil
}
