package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// emergency measures rotate --compromised, as a command: from its start until every
// old key has been refused.
func emergency(ctx context.Context, b *bench) error {
	var rows [][]string
	for _, targets := range []int{1, 100} {
		row, err := b.emergencyOf(ctx, plan{targets: targets, perSpace: targets, requests: 100, latency: usualLatency})
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	b.table([]string{"targets", "calls", "bound set by", "bound", "the last old key refused after", "÷ bound", "command ends after"}, rows)
	b.say("One workspace, 100 requests/s, %s latency, stores on the disk; the start of the process is in it. In a row, for one target: "+
		"key list ∥ check of the admin key, create, try, verify, delete, the refused test call. For many: the %d calls of each at 100/s.", millis(usualLatency), emergencyCalls)
	return nil
}

const (
	// emergencyRounds wait for one another: see emergency.
	emergencyRounds = 6
	// emergencyCalls are those of each target that are not shared: create, try,
	// verify, delete, prove.
	emergencyCalls = 5
)

func (b *bench) emergencyOf(ctx context.Context, p plan) ([]string, error) {
	s, err := b.prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	defer s.close()
	values, err := s.values(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{"rotate", "--compromised", "--incident", "BENCH"}
	for i := range p.targets {
		args = append(args, fmt.Sprint("key-", i))
	}
	cmd := exec.CommandContext(ctx, b.bin, args...)
	cmd.Dir, cmd.Env = s.dir, s.environment()
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(begun)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	tallies := s.meter.read()
	var last time.Time
	for _, value := range values {
		at, ok := tallies[0].refused["Bearer "+value]
		if !ok {
			return nil, errors.New("an old key was never seen refused")
		}
		if at.After(last) {
			last = at
		}
	}
	bound, by := emergencyRounds*usualLatency, fmt.Sprintf("%d round trips", emergencyRounds)
	if byRate := time.Duration(p.targets*emergencyCalls) * time.Second / time.Duration(p.requests); byRate > bound {
		bound, by = byRate, "rate limit"
	}
	dead := last.Sub(begun)
	return []string{
		strconv.Itoa(p.targets), strconv.Itoa(requests(tallies, 0)), by, seconds(bound), seconds(dead),
		fmt.Sprintf("%.3f", dead.Seconds()/bound.Seconds()), seconds(took),
	}, nil
}

// values are those that the targets have now, to be recognized by when they are
// refused.
func (s *site) values(ctx context.Context) ([]string, error) {
	values := make([]string, s.targets)
	return values, s.eachTarget(func(i int) error {
		store, err := s.store(i)
		if err != nil {
			return err
		}
		seen, err := store.Describe(ctx)
		if err != nil {
			return err
		}
		value, err := store.Read(ctx, seen.Versions[secretstore.Current].ID)
		values[i] = value.Reveal()
		return err
	})
}
