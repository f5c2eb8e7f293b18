// Command bench measures the rotator against what is possible, and prints one
// report in Markdown:
//
//	go run ./rotator/rotatortest/bench              all parts
//	go run ./rotator/rotatortest/bench latency      one of them
//
// Throughput, catch-up, idle, start and emergency are measured on the binary, in
// a process of its own; Instantly's stand-in is in this one, with its rate limit
// and a simulated latency, and the stores are on the disk. Latency and calls are
// measured on the engine and the client in this process, where each call can be
// seen. Bounds are computed from the rate limit, the latency and the calls that
// were counted, so that the ratios hold on any machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A part is a chapter of the report.
type part struct {
	name, title string
	run         func(context.Context, *bench) error
}

func parts() []part {
	return []part{
		{"throughput", "Throughput against the bound", throughput},
		{"trail", "Cost of the trail", trailed},
		{"latency", "Latency of one rotation against the bound", latency},
		{"calls", "Calls a rotation makes", calls},
		{"catchup", "Catch-up after an outage", catchUp},
		{"idle", "Idle", idle},
		{"start", "Start", start},
		{"emergency", "Emergency", emergency},
	}
}

// A bench is what the parts measure with.
type bench struct {
	*report
	dir      string // to work in
	bin      string // the binary, as released
	targets  int    // of the large fleets
	perSpace int    // of them in a workspace, when idle
	watch    time.Duration
}

func main() {
	b := &bench{report: &report{w: os.Stdout}}
	flag.IntVar(&b.targets, "targets", 10_000, "targets of the large fleets")
	flag.IntVar(&b.perSpace, "per-workspace", 100, "targets of one workspace, in part idle")
	flag.DurationVar(&b.watch, "idle", 30*time.Second, "how long to watch the daemon idle")
	keep := flag.String("keep", "", "folder to work in, and to keep; a temporary one if empty")
	strict := flag.Bool("strict", false, "fail if a goal is missed")
	flag.Usage = usage
	flag.Parse()
	chosen, err := choose(flag.Args())
	if err == nil {
		err = b.print(context.Background(), chosen, *keep)
	}
	if err == nil && *strict && len(b.missed) > 0 {
		err = fmt.Errorf("goals were missed: %s", strings.Join(b.missed, "; "))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintf(os.Stderr, "usage: bench [FLAGS] [PART...]\nparts:")
	for _, p := range parts() {
		fmt.Fprint(os.Stderr, " ", p.name)
	}
	fmt.Fprintln(os.Stderr)
	flag.PrintDefaults()
}

// choose gives the parts of those names, all if there are none.
func choose(names []string) ([]part, error) {
	if len(names) == 0 {
		return parts(), nil
	}
	var chosen []part
	for _, name := range names {
		i := slices.IndexFunc(parts(), func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no part %q: see -help", name)
		}
		chosen = append(chosen, parts()[i])
	}
	return chosen, nil
}

// print measures the parts and writes the report.
func (b *bench) print(ctx context.Context, chosen []part, dir string) error {
	if dir == "" {
		temp, err := os.MkdirTemp("", "bench")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(temp) }()
		dir = temp
	}
	b.dir, b.bin = dir, filepath.Join(dir, "instantly-rotator")
	if err := build(ctx, b.bin, "-s -w"); err != nil {
		return err
	}
	b.say("%s", machine(ctx))
	for _, p := range chosen {
		fmt.Fprintf(os.Stderr, "bench: %s …\n", p.name)
		b.chapter(p.title)
		if err := p.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if len(b.missed) > 0 {
		b.say("Goals missed: %s.", strings.Join(b.missed, "; "))
	}
	return nil
}

// build makes the binary as it is released (deploy/Dockerfile).
func build(ctx context.Context, path, ldflags string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags="+ldflags, "-o", path, "./cmd/instantly-rotator")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	return nil
}

// folder makes one for a measurement, on the disk or in memory (tmpfs(5)).
func (b *bench) folder(memory bool) (string, error) {
	if memory {
		return os.MkdirTemp(inMemory, "bench")
	}
	return os.MkdirTemp(b.dir, "site")
}

const inMemory = "/dev/shm"
