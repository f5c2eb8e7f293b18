package main

import (
	"context"
	"fmt"
	"time"
)

// The limits that a daemon with 10,000 targets must keep.
const (
	mostReady  = 2 * time.Second
	mostMemory = 150 << 20
	mostIdle   = 1.0 // per cent of a core
)

// idle measures the daemon with many targets of which none is due: how soon it is
// ready, what memory it takes, and what it costs when idle and at a resync.
func idle(ctx context.Context, b *bench) error {
	s, err := b.prepare(ctx, plan{targets: b.targets, perSpace: b.perSpace})
	if err != nil {
		return err
	}
	defer s.close()
	d, err := b.daemon(ctx, s)
	if err != nil {
		return err
	}
	defer d.stop()
	ready, err := d.untilReady()
	if err != nil {
		return err
	}
	started := d.cpu()
	time.Sleep(time.Second) // what it does at the start is over
	before := d.cpu()
	time.Sleep(b.watch)
	share := 100 * (d.cpu() - before).Seconds() / b.watch.Seconds()
	now, peak := d.memory()
	resync, err := d.resync()
	if err != nil {
		return err
	}
	b.table([]string{fmt.Sprintf("%d targets in %d workspaces", s.targets, s.across()), "measured"}, [][]string{
		{"process start to ready, seconds", b.atMost("idle: ready", ready.Seconds(), mostReady.Seconds()) + fmt.Sprintf(", %s of CPU", seconds(started))},
		{"resident when idle, MB", b.atMost("idle: memory", float64(now)/(1<<20), mostMemory>>20) + ", at its peak while starting " + megabytes(peak)},
		{"resident for each target", fmt.Sprintf("%.1f kB, the process itself included", float64(now)/float64(s.targets)/1024)},
		{fmt.Sprintf("CPU when idle, %% of a core over %s", b.watch), b.atMost("idle: CPU", share, mostIdle)},
		{"CPU of a resync of all targets", fmt.Sprintf("%s in %s: %.3f %% of a core at one every 10 min", seconds(resync.cpu), seconds(resync.took), resync.cpu.Seconds()/6)},
		{"calls of a resync (goal: one for each 100 keys of a workspace)", b.exactly("idle: calls of a resync", resync.requests, s.pages())},
	})
	return nil
}

// pages counts the pages of all key lists: 100 keys each, the most that Instantly
// gives at once.
func (s *site) pages() (n int) {
	for _, w := range s.box.Workspaces() {
		n += (len(s.box.Keys(w.ID)) + 99) / 100
	}
	return n
}
