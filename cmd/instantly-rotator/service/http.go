package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	loop "github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// server is an HTTP server that runs, or none.
type server struct{ *http.Server }

// serve begins to answer, if there is an address.
func (s *Service) serve(ctx context.Context) (server, error) {
	if s.Listen == "" {
		return server{}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return server{}, fmt.Errorf("--listen %s: %w", s.Listen, err)
	}
	gate := loop.NewGate(s.Token, s.Now, func(source string) {
		s.Log.Warn("too many wrong tokens: no more is tried for a while", zap.String("from", source))
	})
	site := loop.Site{Alive: s.alive, Ready: s.ready, StandsBy: s.standsBy, Report: s.report, Audit: http.HandlerFunc(s.lastAudit), Metrics: s.metrics.Handler(), Gate: gate, Page: s.page(gate)}
	h := site.Server()
	s.Log.Info("listening", zap.String("address", listener.Addr().String()))
	go func() {
		if err := h.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("http server", zap.Error(err))
		}
	}()
	return server{h}, nil
}

// stop ends the server; answers under way have a moment.
func (h server) stop() {
	if h.Server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if h.Shutdown(ctx) != nil {
		_ = h.Close()
	}
}

// report is what /api/v1/targets says. The workspaces' key lists are asked for by
// the command, not kept.
func (s *Service) report() status.Report {
	report := status.Report{Targets: s.board.Targets(s.Now()), Workspaces: []status.Workspace{}}
	for _, t := range report.Targets {
		for i, hint := range t.Hints {
			t.Hints[i] = s.pasted(hint)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.audits.last != nil {
		report.Audit = s.audits.last.Last()
	}
	return report
}

// alive fails if the loop hangs.
func (s *Service) alive() error {
	if s.loop.Hung(s.Now()) {
		return errors.New("the loop hangs")
	}
	return nil
}

// What a probe is told says no more: who asks has shown no token, and targets' names and
// stores' answers are nobody else's business.
var (
	errLeaderUnknown = errors.New("it is not known which instance leads: the election cannot be asked (see the log)")
	errNoneWorks     = errors.New("no target can be worked on: see the log, or instantly-rotator status")
)

// ready fails until every target has been checked, while none can be worked with, and
// while neither this instance nor another one is known to lead.
func (s *Service) ready() error {
	if s.standsBy() {
		return nil
	}
	if s.leaderUnknown() {
		return errLeaderUnknown
	}
	if s.leads() == nil || !s.loop.Passed() {
		return errors.New("not every target has been checked yet")
	}
	if s.board.Err() != nil {
		return errNoneWorks // each has been logged when it ended
	}
	return nil
}
