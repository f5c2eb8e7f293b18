package consumers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// AuditReader reads the audit log of the workspace that a key is of.
type AuditReader interface {
	AuditLogs(ctx context.Context, q instantly.AuditQuery) ([]instantly.AuditLog, error)
}

// AuditLogOptions say what the log must show, and what counts if it shows nothing.
type AuditLogOptions struct {
	// Quiet is how long the old key must not have acted, counted from the promotion
	// at the earliest.
	Quiet time.Duration
	// PassUnknown lets an old key go where the workspace has no audit log, or it may
	// not be read; Warn is told so.
	PassUnknown bool
	Now         func() time.Time
	Warn        func(err error)
}

// AuditLog asks the workspace's audit log whether an old key still acts. The log has
// changes only: it can show that a key is in use, not that it is not.
type AuditLog struct {
	log AuditReader
	AuditLogOptions

	mu     sync.Mutex
	key    string    // that the answer is about
	said   error     // the newest answer
	until  time.Time // when it is asked again
	warned string    // of which key it was said that it is not known
}

var _ rotator.Gate = (*AuditLog)(nil)

// NewAuditLog makes the gate of a target.
func NewAuditLog(log AuditReader, o AuditLogOptions) *AuditLog {
	return &AuditLog{log: log, AuditLogOptions: o}
}

// auditInterval is how often the log is read while the old key acts: each reading may
// take many calls.
const auditInterval = 5 * time.Minute

// lead is how long before its promotion a key may have been made.
const lead = 2 * time.Hour

// errNoAuditLog: there is no log to be asked, and time will not change that.
var errNoAuditLog = errors.New("the workspace's audit log cannot be had")

// Name implements [rotator.Gate].
func (a *AuditLog) Name() string {
	return "audit log (the old key has not acted for " + humantime.Span(a.Quiet) + ")"
}

// Pass implements [rotator.Gate].
func (a *AuditLog) Pass(ctx context.Context, m rotator.Move) error {
	if len(m.Old) == 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if m.Since.IsZero() {
		m.Since = a.Now()
	}
	if a.said == nil || a.key != m.KeyID || !a.Now().Before(a.until) {
		a.key, a.until = m.KeyID, a.Now().Add(auditInterval)
		a.said = a.ask(ctx, m)
	}
	if a.said == nil {
		return nil
	}
	return &rotator.AskAgainError{At: a.until, Err: a.said}
}

func (a *AuditLog) ask(ctx context.Context, m rotator.Move) error {
	acted, err := a.acted(ctx, m)
	switch {
	case errors.Is(err, errNoAuditLog) && a.PassUnknown:
		if a.warned != m.KeyID {
			a.warned = m.KeyID
			a.Warn(fmt.Errorf("not known whether the old key still acts, and passed as configured (unknown: pass): %w", err))
		}
		return nil
	case err != nil:
		return fmt.Errorf("not known whether the old key still acts: %w", err)
	case len(acted) > 0:
		return open("%s", a.who(acted))
	case a.Now().Sub(m.Since) < a.Quiet:
		a.until = m.Since.Add(a.Quiet)
		return open("nothing is seen of the old key since the promotion, %s", humantime.Until(m.Since, a.Now()))
	default:
		return nil
	}
}

// acted gives what old keys did, newest first, in the time in which they should be quiet.
func (a *AuditLog) acted(ctx context.Context, m rotator.Move) ([]instantly.AuditLog, error) {
	since := a.Now().Add(-a.Quiet)
	if since.Before(m.Since) {
		since = m.Since
	}
	logs, err := a.read(ctx, instantly.AuditQuery{Since: since})
	if err != nil {
		return nil, err
	}
	if len(logs) == 0 {
		return nil, a.written(ctx, m)
	}
	acted := slices.DeleteFunc(logs, func(l instantly.AuditLog) bool { return !l.FromAPI || !slices.Contains(m.Old, l.KeyID) })
	slices.SortStableFunc(acted, func(x, y instantly.AuditLog) int { return y.At.Compare(x.At) })
	return acted, nil
}

// written tells whether anybody writes the log: that the new key was made must be in it.
func (a *AuditLog) written(ctx context.Context, m rotator.Move) error {
	made, err := a.read(ctx, instantly.AuditQuery{Since: m.Since.Add(-lead), Activity: instantly.KeyCreated})
	if err == nil && len(made) == 0 {
		return fmt.Errorf("%w: it does not even have that the new key was made", errNoAuditLog)
	}
	return err
}

// read tells a log that may not be read from one that cannot be read just now.
func (a *AuditLog) read(ctx context.Context, q instantly.AuditQuery) ([]instantly.AuditLog, error) {
	logs, err := a.log.AuditLogs(ctx, q)
	for _, refused := range []error{instantly.ErrScope, instantly.ErrPlan, instantly.ErrForbidden, instantly.ErrNotFound, instantly.ErrBadRequest} {
		if errors.Is(err, refused) {
			return nil, fmt.Errorf("%w: %w", errNoAuditLog, err)
		}
	}
	return logs, err
}

// who says who used an old key: each address and program once, what it did last and when.
func (a *AuditLog) who(acted []instantly.AuditLog) string {
	const most = 3
	type user struct{ address, agent string }
	var said []string
	seen := map[user]bool{}
	for _, l := range acted {
		u := user{l.IP, l.UserAgent}
		if seen[u] {
			continue
		}
		seen[u] = true
		at := "at a time that cannot be read"
		if !l.At.IsZero() {
			at = humantime.Span(a.Now().Sub(l.At)) + " ago"
		}
		said = append(said, fmt.Sprintf("%s from %s (%s): %s", at, cmp.Or(oneLine(u.address), "an unknown address"),
			cmp.Or(oneLine(u.agent), "unknown program"), l.Activity))
	}
	more := ""
	if n := len(said) - most; n > 0 {
		said, more = said[:most], fmt.Sprintf("; and %d more", n)
	}
	return "the old key " + acted[0].KeyID + " still acts: " + strings.Join(said, "; ") + more
}

// check reads a part of the log that is small.
func (a *AuditLog) check(ctx context.Context) error {
	_, err := a.read(ctx, instantly.AuditQuery{Since: a.Now(), Activity: instantly.KeyCreated})
	if errors.Is(err, errNoAuditLog) && a.PassUnknown {
		return fmt.Errorf("%w: the old key goes all the same (unknown: pass): %w", ErrUncheckable, err)
	}
	return err
}
