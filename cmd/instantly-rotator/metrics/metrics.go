// Package metrics counts and shows what the daemon does, in Prometheus's words.
// No label holds a secret, and none a value that grows without bound: targets,
// workspaces and routes are as many as are configured.
package metrics

import (
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

const namespace = "instantly_rotator"

// Source is where the metrics that are read at each scrape come from.
type Source struct {
	// Targets gives what was last seen of each target.
	Targets func() []status.Target
	// MaxAge gives a target's max_age; 0 if it is not known.
	MaxAge func(target string) time.Duration
	// CircuitOpen gives, by workspace, whether nothing is begun in it after failures.
	CircuitOpen func() map[string]bool
	// Now tells the time.
	Now func() time.Time
}

// Metrics counts. Its methods may be called from several goroutines.
type Metrics struct {
	registry      *prometheus.Registry
	rotations     *prometheus.CounterVec
	failures      *prometheus.CounterVec
	steps         *prometheus.CounterVec
	tests         *prometheus.CounterVec
	requests      *prometheus.CounterVec
	notifications *prometheus.CounterVec
	verified      *prometheus.GaugeVec
	audited       *prometheus.GaugeVec
	auditedAt     *prometheus.GaugeVec
	leader        prometheus.Gauge
	recorded      prometheus.Gauge
	unrecorded    prometheus.Counter
	reloaded      prometheus.Gauge
	reloadedAt    prometheus.Gauge
}

// New makes the metrics of one process, of the given version and commit.
func New(version, revision string, s Source) *Metrics {
	m := &Metrics{
		registry:      prometheus.NewRegistry(),
		rotations:     counter("rotations_total", "Keys that became current.", "target", "workspace"),
		failures:      counter("failures_total", "Runs that ended with an error, by the step that failed and the kind of error.", "target", "workspace", "step", "reason"),
		steps:         counter("steps_total", "Steps taken.", "step"),
		tests:         counter("test_calls_total", "Test calls with a key, by what they said of it.", "workspace", "verdict"),
		requests:      counter("api_requests_total", "Requests to the Instantly API, by the status of the answer; 0: there was none.", "workspace", "method", "route", "status"),
		notifications: counter("notifications_total", "Notifications, by what became of them.", "outcome"),
		verified: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "key_verified", Help: "1 if what consumers of a store read was a key that works when it was last read back and tested, else 0.",
		}, []string{"target", "store"}),
		audited: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "audit_findings", Help: "Findings of the last audit that nobody answers for; not-known: what a check could not look at.",
		}, []string{"check", "severity"}),
		auditedAt: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "audit_last_timestamp_seconds", Help: "When the last audit was made. Absent if none was yet.",
		}, nil),
		recorded:   gauge("trail_writable", "1 if the trail took the last line, 0 if not: then nothing is done, unless it was configured to warn. 1 too where no trail is configured."),
		unrecorded: prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "trail_failures_total", Help: "Lines that the trail could not take when they were to be written."}),
		leader:     gauge("leader", "1 if this instance rotates keys, 0 if it stands by."),
		reloaded:   gauge("config_last_reload_successful", "1 if the configuration in force is the one in the file."),
		reloadedAt: gauge("config_last_reload_success_timestamp_seconds", "When the configuration was last taken over."),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.recorded.Set(1)
	m.registry.MustRegister(m.rotations, m.failures, m.steps, m.tests, m.requests, m.notifications, m.verified, m.audited, m.auditedAt, m.leader, m.recorded, m.unrecorded,
		m.reloaded, m.reloadedAt, build, newTargets(s),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
}

// Handler serves them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Step counts a step that was taken.
func (m *Metrics) Step(e rotator.Event) {
	m.steps.WithLabelValues(string(e.Verb)).Inc()
	if e.Verdict != "" {
		m.tests.WithLabelValues(e.Workspace, e.Verdict).Inc()
	}
}

// Ended counts a run.
func (m *Metrics) Ended(r rotator.Result) {
	if r.Rotated {
		m.rotations.WithLabelValues(r.Target, r.Status.Workspace).Inc()
	}
	if r.Err != nil && !errors.Is(r.Err, rotator.ErrLostRace) {
		m.failures.WithLabelValues(r.Target, r.Status.Workspace, string(r.Step), rotator.ClassOf(r.Err).Name).Inc()
	}
}

// Request counts a request to the API.
func (m *Metrics) Request(workspace string, c instantly.Call) {
	m.requests.WithLabelValues(workspace, c.Method, c.Route, strconv.Itoa(c.Status)).Inc()
}

// Recorded tells whether the trail took a line.
func (m *Metrics) Recorded(err error) {
	m.recorded.Set(oneIf(err == nil))
	if err != nil {
		m.unrecorded.Inc()
	}
}

// Notified counts a notification.
func (m *Metrics) Notified(outcome string) { m.notifications.WithLabelValues(outcome).Inc() }

// Verified tells whether consumers of a target's store got a key that works.
func (m *Metrics) Verified(target, store string, ok bool) {
	m.verified.WithLabelValues(target, store).Set(oneIf(ok))
}

// Audited shows what an audit came to.
func (m *Metrics) Audited(r audit.Report) {
	m.audited.Reset()
	for _, c := range r.Checks {
		if c.State == audit.Skipped {
			continue
		}
		for _, s := range audit.Severities() {
			if s != audit.Note {
				m.audited.WithLabelValues(c.ID, string(s)).Set(float64(c.Open[s]))
			}
		}
	}
	m.auditedAt.WithLabelValues().Set(float64(r.At.Unix()))
}

// Leading tells whether this instance rotates keys. One that does not has made no audit.
func (m *Metrics) Leading(yes bool) {
	m.leader.Set(oneIf(yes))
	if !yes {
		m.audited.Reset()
		m.auditedAt.Reset()
	}
}

// Reloaded tells whether the configuration in the file is in force, since now.
func (m *Metrics) Reloaded(ok bool, now time.Time) {
	m.reloaded.Set(oneIf(ok))
	if ok {
		m.reloadedAt.Set(float64(now.Unix()))
	}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
