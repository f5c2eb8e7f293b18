package main

import (
	"context"
	"fmt"
)

// trailed compares how fast targets are rotated that are all due, with and without a trail.
func trailed(ctx context.Context, b *bench) error {
	p := plan{targets: 200, perSpace: 20, requests: 5, age: overdue, latency: usualLatency}
	var rows [][]string
	var without float64
	for _, trail := range []bool{false, true} {
		p.trail = trail
		s, err := b.prepare(ctx, p)
		if err != nil {
			return err
		}
		o, err := b.work(ctx, s)
		s.close()
		if err != nil {
			return err
		}
		reached, name, ratio := float64(total(o.rotated))/o.took.Seconds(), "without a trail", "-"
		if trail {
			name, ratio = "with a trail", b.atLeast("throughput with a trail against without", reached/without, 0.95)
		}
		without = reached
		rows = append(rows, []string{
			name, rate(total(o.rotated), o.took), ratio, fmt.Sprintf("%.1f ms", o.cpu.Seconds()*1000/float64(p.targets)),
		})
	}
	b.table([]string{fmt.Sprintf("%d targets due at once, %d × %d requests/s", p.targets, p.across(), p.allowed()), "rotations/s", "÷ without", "CPU each"}, rows)
	b.say("With a trail a rotation waits for the disk three times more: before issue, promote and revoke. Targets that wait at the same time share one wait.")
	return nil
}
