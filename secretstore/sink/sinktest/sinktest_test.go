package sinktest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinktest"
)

// memory is a place in memory, and a sink with one of these mistakes.
type memory struct {
	mistake string

	mu    sync.Mutex
	value secret.Value
	mark  string
	in    int
	fault sinktest.Fault
	hit   bool
}

func (m *memory) Name() string { return "memory:1" }

// call has an effect, unless it is the one that is spoiled.
func (m *memory) call(ctx context.Context, effect func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return fmt.Errorf("put: %w: %w", secretstore.ErrUnavailable, ctx.Err())
	}
	if m.in--; m.in != 0 {
		effect()
		return nil
	}
	m.hit = true
	switch m.fault {
	case sinktest.Lost:
		effect()
	case sinktest.Hangs:
		<-ctx.Done()
		return fmt.Errorf("put: %w: %w", secretstore.ErrUnavailable, ctx.Err())
	case sinktest.Denied, sinktest.Refused:
		return secretstore.ErrDenied
	case sinktest.Missing:
		return secretstore.ErrNotFound
	default:
	}
	if m.mistake == "repeats the value" {
		return fmt.Errorf("%w: %s", secretstore.ErrUnavailable, m.value.Reveal()[:4])
	}
	return secretstore.ErrUnavailable
}

func (m *memory) Put(ctx context.Context, version string, value secret.Value) error {
	steps := []func(){func() { m.mark = "" }, func() { m.value = value }, func() { m.mark = version }}
	switch m.mistake {
	case "marks first":
		steps = []func(){steps[2], steps[1]}
	case "no mark":
		steps = steps[1:2]
	case "appends":
		steps[1] = func() { m.value = secret.New(m.value.Reveal() + value.Reveal()) }
	case "ignores failures":
		for _, s := range steps {
			_ = m.call(ctx, s)
		}
		return nil
	}
	for _, s := range steps {
		if err := m.call(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Holds(ctx context.Context) (id string, err error) {
	err = m.call(ctx, func() { id = m.mark })
	return id, err
}

func place(m *memory) *sinktest.Place {
	return &sinktest.Place{
		Open: func(*testing.T) sink.Sink { return m },
		Has:  func() secret.Value { m.mu.Lock(); defer m.mu.Unlock(); return m.value },
		Spoil: func(n int, f sinktest.Fault) func() bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.in, m.fault, m.hit = n, f, false
			return func() bool { m.mu.Lock(); defer m.mu.Unlock(); m.in = 0; return m.hit }
		},
	}
}

// TestSuite passes a sink that keeps the contract, or the one with the mistake that the
// environment names.
func TestSuite(t *testing.T) {
	sinktest.Run(t, func(*testing.T) *sinktest.Place { return place(&memory{mistake: os.Getenv("SINKTEST_MISTAKE")}) })
}

func TestSuiteFindsMistakes(t *testing.T) {
	for _, mistake := range []string{"marks first", "no mark", "appends", "ignores failures", "repeats the value"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuite$", "-test.timeout=1m")
		cmd.Env = append(os.Environ(), "SINKTEST_MISTAKE="+mistake)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "--- FAIL") {
			t.Errorf("a sink that %s passes: %v\n%s", mistake, err, out)
		}
	}
}
