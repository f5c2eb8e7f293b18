package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A daemon is a process that is measured.
type daemon struct {
	*exec.Cmd
	site  *site
	url   string
	begun time.Time
	log   *os.File
}

// daemon starts one on a site.
func (b *bench) daemon(ctx context.Context, s *site) (*daemon, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	d := &daemon{Cmd: exec.CommandContext(ctx, b.bin, "daemon", "--listen", address, "--log-level", "warn"), site: s, url: "http://" + address}
	if d.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return nil, err
	}
	d.Dir, d.Stderr, d.Env = s.dir, d.log, s.environment()
	d.begun = time.Now()
	return d, d.Start()
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// stop ends it after the step in hand.
func (d *daemon) stop() { d.end(syscall.SIGTERM) }

func (d *daemon) end(with syscall.Signal) {
	_ = d.Process.Signal(with)
	_ = d.Wait()
	_ = d.log.Close()
}

// untilReady waits for /readyz.
func (d *daemon) untilReady() (time.Duration, error) {
	const startTimeout = 5 * time.Minute
	said := ""
	for time.Since(d.begun) < startTimeout {
		resp, err := http.Get(d.url + "/readyz")
		if err != nil {
			time.Sleep(2 * time.Millisecond)
			continue
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if said = string(text); resp.StatusCode == http.StatusOK {
			return time.Since(d.begun), nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return 0, fmt.Errorf("not ready within %s: %s", startTimeout, said)
}

// cost is what something took.
type cost struct {
	cpu, took time.Duration
	requests  int
}

// resync has every target read once more, by a SIGHUP, and waits until the
// process is at rest again. That reads the configuration and opens the stores
// besides, so it is the upper bound of a resync.
func (d *daemon) resync() (cost, error) {
	asked := func() int { return requests(d.site.meter.read(), 0) }
	before, cpu, begun := asked(), d.cpu(), time.Now()
	if err := d.Process.Signal(syscall.SIGHUP); err != nil {
		return cost{}, err
	}
	last, atRest := begun, d.cpu()
	for time.Since(begun) < time.Minute {
		time.Sleep(50 * time.Millisecond)
		if now := d.cpu(); now > atRest {
			atRest, last = now, time.Now()
		} else if time.Since(last) > 2*time.Second {
			return cost{atRest - cpu, last.Sub(begun), asked() - before}, nil
		}
	}
	return cost{}, errors.New("the process is not at rest a minute after a reload")
}

// cpu gives the time that the process has used, to 10 ms: see proc_pid_stat(5).
func (d *daemon) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const user, system, tick = 11, 12, 10 * time.Millisecond
	return time.Duration(number(fields[user])+number(fields[system])) * tick
}

// memory gives the resident bytes now, and the most there were.
func (d *daemon) memory() (now, peak int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.Process.Pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		switch fields := strings.Fields(line); fields[0] {
		case "VmRSS:":
			now = number(fields[1]) << 10
		case "VmHWM:":
			peak = number(fields[1]) << 10
		}
	}
	return now, peak
}

func number(text string) int {
	n, _ := strconv.Atoi(text) // the kernel writes numbers
	return n
}
