package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// catchUp measures a daemon that comes back after an outage, and what it costs the
// others if a workspace hangs.
func catchUp(ctx context.Context, b *bench) error {
	p := plan{targets: b.targets, perSpace: b.targets / 10, requests: 100, latency: usualLatency, age: overdue}
	s, err := b.prepare(ctx, p)
	if err != nil {
		return err
	}
	defer s.close()
	o, err := b.work(ctx, s)
	if err != nil {
		return err
	}
	bound, by := p.bound()
	b.table([]string{fmt.Sprintf("%d targets overdue in %d workspaces", p.targets, p.across()), "bound", "took", "bound ÷ took", "rotated", "429s", "CPU each"}, [][]string{{
		fmt.Sprintf("%d requests/s each, %s latency", p.allowed(), millis(p.latency)),
		fmt.Sprintf("%s (%s)", seconds(bound), by), seconds(o.took), fmt.Sprintf("%.3f", bound.Seconds()/o.took.Seconds()),
		b.exactly("catch-up: rotated", total(o.rotated), p.targets), b.exactly("catch-up: 429s", o.limited, 0),
		fmt.Sprintf("%.1f ms", o.cpu.Seconds()*1000/float64(p.targets)),
	}})
	return fairness(ctx, b)
}

// fairness runs two daemons side by side on the same machine: for one of them a
// workspace hangs.
func fairness(ctx context.Context, b *bench) error {
	p := plan{targets: 1000, perSpace: 100, requests: 10, latency: usualLatency, age: overdue}
	var both sync.WaitGroup
	var healthy, troubled outcome
	var errs [2]error
	both.Go(func() { healthy, errs[0] = b.once(ctx, p) })
	both.Go(func() { troubled, errs[1] = b.once(ctx, p, 0) })
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	slowest := func(o outcome) time.Duration { return slices.Max(o.spaces[1:]) }
	loss := 100 * (slowest(troubled).Seconds()/slowest(healthy).Seconds() - 1)
	b.table([]string{"fairness: 1,000 targets overdue in 10 workspaces", "nine workspaces are done after", "they rotated"}, [][]string{
		{"all answer", seconds(slowest(healthy)), strconv.Itoa(total(healthy.rotated[1:]))},
		{"the tenth hangs", seconds(slowest(troubled)), strconv.Itoa(total(troubled.rotated[1:]))},
		{"the others lose, %", b.atMost("catch-up: loss by a hanging workspace, %", loss, 5), ""},
	})
	b.say("Two daemons side by side, %d requests/s for each workspace.", p.allowed())
	return nil
}

// once prepares a site and lets a daemon work on it.
func (b *bench) once(ctx context.Context, p plan, hanging ...int) (outcome, error) {
	s, err := b.prepare(ctx, p)
	if err != nil {
		return outcome{}, err
	}
	defer s.close()
	return b.work(ctx, s, hanging...)
}
