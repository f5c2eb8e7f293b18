package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
)

// What is around the keys is judged every while: people make keys by hand, and nobody
// would look.

const (
	// firstAudit is how long after the start it comes at the latest: a daemon that is
	// restarted every day audits all the same.
	firstAudit = time.Hour
	// auditTimeout is how long one may take: it reads every value of all targets.
	auditTimeout = 10 * time.Minute
	// mostNew is how many new findings are told one by one.
	mostNew = 5
)

// audits is what is remembered of them; its zero value is that none was made.
type audits struct {
	last   *audit.Report
	memory audit.Memory
}

// auditAll makes one again and again, until ctx ends.
func (s *Service) auditAll(ctx context.Context) {
	interval := func(cfg *config.Config) time.Duration { return min(cfg.Audit.Every, firstAudit) }
	for since := time.Now(); s.passed(ctx, since, interval); since = time.Now() {
		s.auditOnce(ctx)
		interval = func(cfg *config.Config) time.Duration { return cfg.Audit.Every }
	}
}

// auditOnce makes one, and tells what is new.
func (s *Service) auditOnce(ctx context.Context) {
	o := audit.Options{Timeout: auditTimeout, Options: fleet.Options{
		Config: s.inForce(), Now: s.Now, Getenv: s.Getenv, Log: s.Log, ReadOnly: true, Called: s.metrics.Request,
		Command: "daemon", Version: s.Version, Collector: s.Collector, Wrote: s.metrics.Recorded, Paces: &s.paces,
	}}
	s.mu.Lock()
	if s.audits.last != nil {
		o.Since = s.audits.last.At
	}
	s.mu.Unlock()
	report, err := audit.Make(ctx, o)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.Log.Error("audit failed", zap.Error(err))
		return
	}
	for i := range report.Findings {
		report.Findings[i].Remedy = s.pasted(report.Findings[i].Remedy)
	}
	s.mu.Lock()
	found, first := s.audits.memory.New(report)
	s.audits.last = &report
	s.mu.Unlock()
	s.metrics.Audited(report)
	s.Log.Info("audited", zap.String("came_to", report.Summary()), zap.Int("new", len(found)))
	s.tell(auditMessages(found, first)...)
}

// auditMessages gives what people are told: of the first audit after a start, which knows
// of none before, only how much there is.
func auditMessages(found []audit.Finding, first bool) []notify.Message {
	if len(found) == 0 {
		return nil
	}
	const see = "; see: instantly-rotator audit"
	if first || len(found) > mostNew {
		counts, what := map[audit.Severity]int{}, "new: "
		for _, f := range found {
			counts[f.Severity]++
		}
		if first {
			what = "the first since the start: "
		}
		return []notify.Message{{Kind: notify.NeedsPerson, Topic: "audit", Text: "audit: " + what + audit.CountText(counts) + see}}
	}
	var all []notify.Message
	for _, f := range found {
		text := fmt.Sprintf("audit: %s (%s), new: %s: %s", f.Check, f.Severity.Text(), f.Named(), f.Said())
		if f.Remedy != "" {
			text += "; " + f.Remedy
		}
		all = append(all, notify.Message{Kind: notify.NeedsPerson, Workspace: f.Workspace, Topic: "audit " + f.Check + " " + f.Subject, Text: text})
	}
	return all
}

// forgetAudits leaves them to another instance.
func (s *Service) forgetAudits() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.audits = audits{}
}

// lastAudit answers with the last one.
func (s *Service) lastAudit(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	last := s.audits.last
	s.mu.Unlock()
	if last == nil {
		http.Error(w, "no audit was made yet: see audit.every in the configuration", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(last) // the caller has gone away
}
