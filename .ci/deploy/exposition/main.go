// Command exposition prints what /metrics of a daemon shows to which everything
// has happened once, so that alerts and dashboards can be checked against it.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/metrics"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

func main() {
	const target, workspace = "sending", "main"
	now := time.Now()
	outlook := rotator.Outlook{
		Target: target, Workspace: workspace, Since: now, NextDue: now, Old: []rotator.OldKey{{ID: "old", Until: now}},
	}
	m := metrics.New("v0.0.0", "revision", metrics.Source{
		Entries: func() []daemon.Entry { return []daemon.Entry{{Outlook: outlook, Looked: now, Settled: now}} },
		MaxAge:  func(string) time.Duration { return time.Hour },
		Frozen:  func() map[string]bool { return map[string]bool{workspace: false} },
		Now:     time.Now,
	})
	m.Step(rotator.Event{Target: target, Workspace: workspace, Verb: rotator.Verify, Verdict: "valid"})
	m.Ended(rotator.Result{Target: target, Rotated: true, Err: errors.New("any"), Step: rotator.Verify, Outlook: outlook})
	m.Request(workspace, instantly.Call{Method: http.MethodGet, Route: "/", Status: http.StatusOK})
	m.Notified("sent")
	m.Leading(true)
	m.Reloaded(true, now)
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", http.NoBody))
	fmt.Print(answer.Body.String())
}
