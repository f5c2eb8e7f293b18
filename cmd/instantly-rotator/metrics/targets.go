package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// targets shows the state of every target as of the scrape.
type targets struct {
	Source
	age, maxAge, next, oldEnd, failing, held, dead, settled, circuitOpen, sinkBehind *prometheus.Desc
}

func newTargets(s Source) *targets {
	of := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, []string{"target", "workspace"}, nil)
	}
	return &targets{
		Source:      s,
		age:         of("key_age_seconds", "Age of the current key, counted from its promotion."),
		maxAge:      of("key_max_age_seconds", "The age at which the key is too old: max_age in the configuration."),
		next:        of("next_rotation_seconds", "Seconds until the current key falls due; negative if it is overdue."),
		oldEnd:      of("old_key_end_seconds", "Seconds until the grace period of the old key ends; negative if it outlives it. Absent if there is none."),
		failing:     of("target_failing", "Failed attempts in a row; 0 if nothing is wrong."),
		held:        of("target_held", "1 while somebody has set a hold."),
		dead:        of("target_dead_key", "1 while consumers hold a key that Instantly refuses."),
		settled:     of("target_last_success_timestamp_seconds", "When the target was last checked and found, or put, in order."),
		sinkBehind:  prometheus.NewDesc(namespace+"_sink_behind", "1 while a sink does not have the current key, or what uses it is not known to work with that.", []string{"target", "workspace", "sink"}, nil),
		circuitOpen: prometheus.NewDesc(namespace+"_workspace_circuit_open", "1 while nothing is begun in the workspace because it just failed.", []string{"workspace"}, nil),
	}
}

// Describe implements [prometheus.Collector].
func (t *targets) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(t, ch) }

// Collect implements [prometheus.Collector].
func (t *targets) Collect(ch chan<- prometheus.Metric) {
	now := t.Now()
	for _, target := range t.Targets() {
		t.collect(ch, target, now)
	}
	for workspace, circuitOpen := range t.CircuitOpen() {
		ch <- prometheus.MustNewConstMetric(t.circuitOpen, prometheus.GaugeValue, oneIf(circuitOpen), workspace)
	}
}

func (t *targets) collect(ch chan<- prometheus.Metric, of status.Target, now time.Time) {
	show := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, of.Target, of.Workspace)
	}
	if of.Since != nil {
		show(t.age, max(0, now.Sub(*of.Since).Seconds())) // promotions are written down a little late
	}
	if age := t.MaxAge(of.Target); age > 0 {
		show(t.maxAge, age.Seconds())
	}
	if of.NextRotation != nil {
		show(t.next, of.NextRotation.Sub(now).Seconds())
	}
	for _, old := range of.OldKeys {
		if old.Until != nil {
			show(t.oldEnd, old.Until.Sub(now).Seconds())
			break
		}
	}
	if of.SettledAt != nil {
		show(t.settled, float64(of.SettledAt.Unix()))
	}
	for _, s := range of.Sinks {
		ch <- prometheus.MustNewConstMetric(t.sinkBehind, prometheus.GaugeValue, oneIf(s.Behind()), of.Target, of.Workspace, s.Sink)
	}
	show(t.failing, float64(failing(of)))
	show(t.held, oneIf(of.Hold != nil && (of.Hold.Until == nil || now.Before(*of.Hold.Until))))
	show(t.dead, oneIf(of.Dead))
}

// failing gives the failed attempts in a row.
func failing(of status.Target) int {
	switch {
	case of.LastFailure != nil:
		return of.LastFailure.Count
	case of.Error != "":
		return 1
	default:
		return 0
	}
}
