package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// start measures a small daemon's start, and weighs the binary.
func start(ctx context.Context, b *bench) error {
	s, err := b.prepare(ctx, plan{targets: 1, perSpace: 1})
	if err != nil {
		return err
	}
	defer s.close()
	var took []time.Duration
	for range 10 {
		d, err := b.daemon(ctx, s)
		if err != nil {
			return err
		}
		ready, err := d.untilReady()
		d.stop()
		if err != nil {
			return err
		}
		took = append(took, ready)
	}
	slices.Sort(took)
	info, err := os.Stat(b.bin)
	if err != nil {
		return err
	}
	weights, err := b.weigh(ctx)
	if err != nil {
		return err
	}
	rows := [][]string{
		{"process start to ready, one target, median of 10", millis(took[len(took)/2])},
		{"binary as released (stripped)", megabytes(int(info.Size()))},
	}
	for _, m := range weights[:min(3, len(weights))] {
		rows = append(rows, []string{"of that, what bears the names of `" + m.path + "`", megabytes(m.size)})
	}
	b.table([]string{"start", "measured"}, rows)
	b.say("Of the dependencies the three heaviest, by the symbols of `go tool nm`. The linker's tables (lines, types, strings), which grow with them, bear nobody's name.")
	return nil
}

// A weight is how many bytes of the binary bear a module's names.
type weight struct {
	path string
	size int
}

// weigh sorts the symbols of a binary that still has them by module, the heaviest
// first. What the linker names after no package (type descriptors, string and
// line tables) is nobody's.
func (b *bench) weigh(ctx context.Context) ([]weight, error) {
	path := filepath.Join(b.dir, "with-symbols")
	if err := build(ctx, path, "-w"); err != nil {
		return nil, err
	}
	listed, err := exec.CommandContext(ctx, "go", "version", "-m", path).Output()
	if err != nil {
		return nil, fmt.Errorf("go version -m: %w", err)
	}
	symbols, err := exec.CommandContext(ctx, "go", "tool", "nm", "-size", path).Output()
	if err != nil {
		return nil, fmt.Errorf("go tool nm: %w", err)
	}
	modules, sizes := modulesOf(listed), map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(symbols))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text()) // address, size, kind, name
		if len(fields) < 4 || strings.EqualFold(fields[2], "b") || fields[2] == "U" {
			continue // not in the file
		}
		sizes[owner(fields[3], modules)] += number(fields[1])
	}
	var out []weight
	for module, size := range sizes {
		if module != "" {
			out = append(out, weight{module, size})
		}
	}
	slices.SortFunc(out, func(x, y weight) int { return y.size - x.size })
	return out, lines.Err()
}

// modulesOf reads what go version -m prints.
func modulesOf(listed []byte) []string {
	var modules []string
	for line := range strings.Lines(string(listed)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "dep" {
			modules = append(modules, fields[1])
		}
	}
	return modules
}

// owner gives the module that a symbol's package is in, the longest that fits.
func owner(symbol string, modules []string) (longest string) {
	symbol = strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(symbol, "go:itab."), "*"), "%2e", ".")
	for _, m := range modules {
		rest, ok := strings.CutPrefix(symbol, m)
		if ok && rest != "" && (rest[0] == '/' || rest[0] == '.') && len(m) > len(longest) {
			longest = m
		}
	}
	return longest
}
