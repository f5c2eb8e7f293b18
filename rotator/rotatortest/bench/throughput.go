package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"syscall"
	"time"
)

const (
	usualLatency = 50 * time.Millisecond
	// callsEach are those that a rotation cannot do without in this engine: create,
	// try, verify. The key list and the check of the admin key are shared by a
	// workspace's targets; they are in what is measured and not in the bound.
	callsEach = 3
	// usualConcurrency is the configuration's default.
	usualConcurrency = 8
)

// bound is the least time that rotating all targets of a workspace can take: what
// the rate limit and the latency set.
func (p plan) bound() (took time.Duration, by string) {
	side := p.concurrency
	if side == 0 {
		side = usualConcurrency
	}
	byRate := time.Duration(float64(callsEach*p.perSpace) / float64(p.allowed()) * float64(time.Second))
	byLatency := time.Duration(p.perSpace) * callsEach * p.latency / time.Duration(side)
	if byLatency > byRate {
		return byLatency, fmt.Sprintf("latency, %d side by side", side)
	}
	return byRate, "rate limit"
}

// An outcome is what a daemon made of a site whose targets were all due.
type outcome struct {
	took    time.Duration   // from the first call to the last
	spaces  []time.Duration // the same of each workspace
	cpu     time.Duration
	calls   int
	limited int // 429s
	rotated []int
}

// work lets a daemon rotate all targets of a site; those that hang are not waited
// for.
func (b *bench) work(ctx context.Context, s *site, hanging ...int) (outcome, error) {
	for _, i := range hanging {
		s.meter.hang(i)
	}
	d, err := b.daemon(ctx, s)
	if err != nil {
		return outcome{}, err
	}
	bound, _ := s.bound()
	s.await(2*bound + 30*time.Second)
	o := outcome{cpu: d.cpu()}
	if len(hanging) > 0 {
		d.end(syscall.SIGKILL) // it would wait for who hangs
	} else {
		d.stop()
	}
	o.read(s.meter.read(), hanging)
	o.rotated, err = s.rotated(ctx)
	return o, err
}

// await waits until the new key of every target was tested twice: as it was made
// and as it was stored, or the timeout is over. Nobody waits for a workspace that hangs.
func (s *site) await(timeout time.Duration) {
	for begun := time.Now(); time.Since(begun) < timeout; time.Sleep(10 * time.Millisecond) {
		waiting := func(t tally) bool { return !t.hangs && t.tests < 2*s.perSpace }
		if !slices.ContainsFunc(s.meter.read(), waiting) {
			time.Sleep(100 * time.Millisecond) // the last promotions
			return
		}
	}
}

func (o *outcome) read(tallies []tally, hanging []int) {
	var first, last time.Time
	for i, t := range tallies {
		if slices.Contains(hanging, i) {
			o.spaces = append(o.spaces, 0)
			continue
		}
		o.spaces = append(o.spaces, t.last.Sub(t.first))
		if first.IsZero() || t.first.Before(first) {
			first = t.first
		}
		if t.last.After(last) {
			last = t.last
		}
	}
	o.took = last.Sub(first)
	o.calls, o.limited = requests(tallies, 0), requests(tallies, http.StatusTooManyRequests)
}

// throughput has all targets due at once.
func throughput(ctx context.Context, b *bench) error {
	var rows [][]string
	for _, p := range []plan{
		{targets: 1000, perSpace: 100, requests: 5},
		{targets: 1000, perSpace: 100, requests: 100},
		{targets: 1000, perSpace: 100, requests: 100, memory: true},
		{targets: 1000, perSpace: 1000, requests: 100},
		{targets: 1000, perSpace: 1000, requests: 100, concurrency: 4},
	} {
		if _, err := os.Stat(inMemory); p.memory && err != nil {
			continue // not on this system
		}
		p.age, p.latency = overdue, usualLatency
		row, err := b.throughputOf(ctx, p)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	b.table([]string{"1,000 targets due at once, workspaces × limit", "bound set by", "bound, rotations/s", "achieved", "÷ bound", "429s", "calls each", "CPU each"}, rows)
	b.say("The daemon as a process, stores on the disk unless it says otherwise, Instantly at %s latency. A rotation waits for the disk 6 times. It needs %d calls: create, try, verify. "+
		"Time runs from the first call to the last; the shared calls (key list, check of the admin key) are in it and not in the bound.",
		millis(usualLatency), callsEach)
	return nil
}

func (b *bench) throughputOf(ctx context.Context, p plan) ([]string, error) {
	s, err := b.prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	defer s.close()
	o, err := b.work(ctx, s)
	if err != nil {
		return nil, err
	}
	bound, by := p.bound()
	name := fmt.Sprintf("%d × %d requests/s", p.across(), p.allowed())
	if p.concurrency > 0 {
		name += fmt.Sprintf(", concurrency %d", p.concurrency)
	}
	if p.memory {
		name += ", stores in memory"
	}
	return []string{
		name, by, rate(p.targets, bound), rate(total(o.rotated), o.took),
		b.atLeast("throughput, "+name, bound.Seconds()/o.took.Seconds()*float64(total(o.rotated))/float64(p.targets), 0.95),
		b.exactly("throughput, "+name+": 429s", o.limited, 0),
		fmt.Sprintf("%.2f", float64(o.calls)/float64(p.targets)), fmt.Sprintf("%.1f ms", o.cpu.Seconds()*1000/float64(p.targets)),
	}, nil
}

func rate(n int, in time.Duration) string { return fmt.Sprintf("%.1f", float64(n)/in.Seconds()) }

func total(counts []int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
