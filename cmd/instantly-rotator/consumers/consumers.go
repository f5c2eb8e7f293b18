// Package consumers brings those who use a key to a new one, and finds out whether
// they have moved: each way to do so is a gate in front of the old key's end.
//
// In this package: restart.go (a Deployment or StatefulSet) with rollout.go (is it
// done? pure), command.go (a program), url.go (an HTTP call), audit_log.go (what the
// workspace saw of the old key).
package consumers

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Broken stands for a gate that could not be made: it lets nothing pass, and says
// why.
type Broken struct {
	What string // its name
	Err  error
}

var _ rotator.Gate = Broken{}

// Name implements [rotator.Gate].
func (b Broken) Name() string { return b.What }

// Pass implements [rotator.Gate].
func (b Broken) Pass(context.Context, rotator.Move) error { return b.Err }

// open says why consumers have not moved yet.
func open(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), rotator.ErrGateOpen)
}

// once remembers for which key a gate was passed, so that commands and URLs are
// not called again by the same process.
type once struct {
	mu     sync.Mutex
	passed rotator.Move
}

// pass asks unless the answer is known.
func (o *once) pass(m rotator.Move, ask func() error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.passed.KeyID == m.KeyID && !m.Since.After(o.passed.Since) {
		return nil
	}
	err := ask()
	if err == nil {
		o.passed = m
	}
	return err
}

// stamp writes down since when every store has had the key; empty if that is not known.
func stamp(m rotator.Move) string {
	if m.Since.IsZero() {
		return ""
	}
	return m.Since.UTC().Format(time.RFC3339Nano)
}

// oneLine makes what others said fit to be shown: one line of printable text, cut
// short.
func oneLine(text string) string {
	const most = 200
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar
	}), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
