package main

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// latency measures one rotation alone, asked for by a command.
func latency(ctx context.Context, b *bench) error {
	var rows [][]string
	for _, kind := range kinds() {
		made, err := b.rotations(ctx, kind)
		if err != nil {
			return err
		}
		slices.SortFunc(made, func(x, y scene) int { return int(x.took - y.took) })
		median := made[len(made)/2]
		least := chain(median.calls)
		bound := time.Duration(least) * usualLatency
		ratio := median.took.Seconds() / bound.Seconds()
		rows = append(rows, []string{
			kind, strconv.Itoa(len(median.calls)), strconv.Itoa(rounds(median.calls)), strconv.Itoa(least), millis(bound), millis(median.took),
			b.atMost("latency, "+kind, ratio, 1.10),
		})
	}
	b.table([]string{"store", "calls", "round trips in a row", "necessarily so", "bound", "took (median of 5)", "÷ bound"}, rows)
	b.say("In this process, without sockets; Instantly and the cloud stores at %s a call. Necessarily in a row: what is known before anything is "+
		"touched (key list ∥ state of the store ∥ check of the admin key: the longest of the three), create, try (nothing untested is stored), the list that confirms the id, verify (with the "+
		"value that the store gives back), and the store's own calls of reserve, stage, verify and promote, each of which needs the answer before it.", millis(usualLatency))
	return nil
}

// rotations makes one after the other, each ending the grace period of the one
// before.
func (b *bench) rotations(ctx context.Context, kind string) ([]scene, error) {
	dir, err := b.folder(false)
	if err != nil {
		return nil, err
	}
	w, err := newWorld(ctx, kind, dir, usualLatency)
	if err != nil {
		return nil, err
	}
	defer w.close()
	var made []scene
	for range 5 {
		rotation, _, err := w.life(ctx)
		if err != nil {
			return nil, err
		}
		made = append(made, rotation)
	}
	return made, nil
}

// chain counts the round trips of a rotation that have to wait for one another.
func chain(calls []*call) int {
	before := map[string]int{} // by service: what is asked before anything is touched
	after := 0
	for _, c := range calls {
		switch {
		case after > 0: // what follows the first write has its answer to wait for
			after++
		case c.step == rotator.Check:
			before["check"]++
		case c.step == rotator.List || c.step == rotator.Observe:
			before[c.service]++
		default:
			after++
		}
	}
	most := 0
	for _, n := range before {
		most = max(most, n)
	}
	return most + after
}
