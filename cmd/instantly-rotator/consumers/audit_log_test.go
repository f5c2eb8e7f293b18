package consumers_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/consumers"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// workspaceLog is an audit log with a clock beside it.
type workspaceLog struct {
	now     time.Time
	entries []instantly.AuditLog
	err     error
	read    int
	warned  []error
}

var promoted = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func newWorkspaceLog() *workspaceLog {
	made := instantly.AuditLog{At: promoted.Add(-time.Minute), Activity: instantly.KeyCreated, FromAPI: true, KeyID: "admin"}
	return &workspaceLog{now: promoted.Add(24 * time.Hour), entries: []instantly.AuditLog{made}}
}

func (w *workspaceLog) AuditLogs(_ context.Context, q instantly.AuditQuery) ([]instantly.AuditLog, error) {
	w.read++
	var found []instantly.AuditLog
	for _, e := range w.entries {
		if (q.Activity == 0 || q.Activity == e.Activity) && (e.At.IsZero() || !e.At.Before(q.Since)) {
			found = append(found, e)
		}
	}
	return found, w.err
}

func (w *workspaceLog) act(key string, ago time.Duration, ip, agent string) {
	w.entries = append(w.entries, instantly.AuditLog{
		At: w.now.Add(-ago), Activity: 9, FromAPI: true, KeyID: key, IP: ip, UserAgent: agent,
	})
}

func (w *workspaceLog) gate(passUnknown bool) *consumers.AuditLog {
	return consumers.NewAuditLog(w, consumers.AuditLogOptions{
		Quiet: 2 * time.Hour, PassUnknown: passUnknown, Now: func() time.Time { return w.now },
		Warn: func(err error) { w.warned = append(w.warned, err) },
	})
}

func pass(t *testing.T, g *consumers.AuditLog) error {
	return g.Pass(t.Context(), rotator.Move{KeyID: "new", Since: promoted, Old: []string{"old"}})
}

func TestOldKeyThatStillActsIsNotLetGoAndWhoItIsIsSaid(t *testing.T) {
	w := newWorkspaceLog()
	w.act("old", 90*time.Minute, "203.0.113.7", "python-requests/2.31\x1b[31m")
	w.act("old", 12*time.Minute, "203.0.113.7", "python-requests/2.31\x1b[31m")
	w.act("old", 30*time.Minute, "198.51.100.1", "")
	w.act("other", time.Minute, "192.0.2.1", "curl")
	err := pass(t, w.gate(false))
	wantOpen(t, err, "the old key old still acts: 12m ago from 203.0.113.7 (python-requests/2.31 [31m): Lead added; "+
		"30m ago from 198.51.100.1 (unknown program): Lead added: consumers")
}

func TestOldKeyGoesWhenItHasBeenQuietSinceThePromotion(t *testing.T) {
	w := newWorkspaceLog()
	g := w.gate(false)
	w.now = promoted.Add(119 * time.Minute)
	w.act("old", 2*time.Hour, "203.0.113.7", "curl") // a minute before the promotion
	err := pass(t, g)
	wantOpen(t, err, "nothing is seen of the old key since the promotion, 1h59m ago")
	if again := (*rotator.AskAgainError)(nil); !errors.As(err, &again) || !again.At.Equal(promoted.Add(2*time.Hour)) {
		t.Errorf("asked again when? %v", err)
	}
	w.now = promoted.Add(2 * time.Hour)
	wantPassed(t, pass(t, g))
	w.act("old", 0, "203.0.113.7", "curl") // it comes back before it is revoked
	wantOpen(t, pass(t, g), "still acts: 0s ago")
	w.now = w.now.Add(2*time.Hour + time.Second)
	wantPassed(t, pass(t, g))
}

func TestLogIsNotReadAtEveryRun(t *testing.T) {
	w := newWorkspaceLog()
	w.act("old", time.Minute, "203.0.113.7", "curl")
	g := w.gate(false)
	for range 10 { // every 30 s
		wantOpen(t, pass(t, g))
		w.now = w.now.Add(30 * time.Second)
	}
	if w.read != 1 {
		t.Errorf("%d readings in five minutes", w.read)
	}
	wantOpen(t, pass(t, g))
	if w.read != 2 {
		t.Errorf("%d readings after five minutes", w.read)
	}
}

func TestWithoutAnAuditLogItIsNotKnown(t *testing.T) {
	for name, spoil := range map[string]func(*workspaceLog){
		"no scope":  func(w *workspaceLog) { w.err = instantly.ErrScope },
		"no plan":   func(w *workspaceLog) { w.err = fmt.Errorf("read: %w", instantly.ErrPlan) },
		"forbidden": func(w *workspaceLog) { w.err = instantly.ErrForbidden },
		"empty":     func(w *workspaceLog) { w.entries = nil },
	} {
		w := newWorkspaceLog()
		spoil(w)
		wantUnknown(t, pass(t, w.gate(false)), "not known whether the old key still acts")
		g := w.gate(true)
		wantPassed(t, pass(t, g))
		wantPassed(t, pass(t, g))
		if len(w.warned) != 1 {
			t.Errorf("%s: passed, and told %d times that it is not known", name, len(w.warned))
		}
		if err := consumers.Check(t.Context(), g); w.err != nil && !errors.Is(err, consumers.ErrUncheckable) {
			t.Errorf("%s: beforehand: %v", name, err)
		}
	}
}

func TestOutageOfTheLogLetsNoKeyGo(t *testing.T) {
	w := newWorkspaceLog()
	w.err = instantly.ErrUnavailable
	wantUnknown(t, pass(t, w.gate(true)), "not known")
}

func TestWithoutAnOldKeyTheLogIsNotRead(t *testing.T) {
	w := newWorkspaceLog()
	wantPassed(t, w.gate(false).Pass(t.Context(), rotator.Move{KeyID: "new", Since: promoted}))
	if w.read != 0 {
		t.Errorf("read %d times", w.read)
	}
}
