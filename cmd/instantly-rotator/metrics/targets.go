package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
)

// targets shows the state of every target as of the scrape.
type targets struct {
	Source
	age, maxAge, next, oldEnd, failing, held, dead, settled, frozen *prometheus.Desc
}

func newTargets(s Source) *targets {
	of := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, []string{"target", "workspace"}, nil)
	}
	return &targets{
		Source:  s,
		age:     of("key_age_seconds", "Age of the current key, counted from its promotion."),
		maxAge:  of("key_max_age_seconds", "The age at which the key is too old: max_age in the configuration."),
		next:    of("next_rotation_seconds", "Seconds until the current key falls due; negative if it is overdue."),
		oldEnd:  of("old_key_end_seconds", "Seconds until the grace period of the old key ends; negative if it outlives it. Absent if there is none."),
		failing: of("target_failing", "Failed attempts in a row; 0 if nothing is wrong."),
		held:    of("target_held", "1 while somebody has set a hold."),
		dead:    of("target_dead_key", "1 while consumers hold a key that Instantly refuses."),
		settled: of("target_last_success_timestamp_seconds", "When the target was last looked at and found, or put, in order."),
		frozen:  prometheus.NewDesc(namespace+"_workspace_frozen", "1 while nothing is begun in the workspace because it just failed.", []string{"workspace"}, nil),
	}
}

// Describe implements [prometheus.Collector].
func (t *targets) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(t, ch) }

// Collect implements [prometheus.Collector].
func (t *targets) Collect(ch chan<- prometheus.Metric) {
	now := t.Now()
	for _, e := range t.Entries() {
		t.collect(ch, e, now)
	}
	for workspace, frozen := range t.Frozen() {
		ch <- prometheus.MustNewConstMetric(t.frozen, prometheus.GaugeValue, oneIf(frozen), workspace)
	}
}

func (t *targets) collect(ch chan<- prometheus.Metric, e daemon.Entry, now time.Time) {
	show := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, e.Target, e.Workspace)
	}
	if !e.Since.IsZero() {
		show(t.age, max(0, now.Sub(e.Since).Seconds())) // promotions are written down a little late
	}
	if age := t.MaxAge(e.Target); age > 0 {
		show(t.maxAge, age.Seconds())
	}
	if !e.NextDue.IsZero() {
		show(t.next, e.NextDue.Sub(now).Seconds())
	}
	for _, old := range e.Old {
		if !old.Until.IsZero() {
			show(t.oldEnd, old.Until.Sub(now).Seconds())
			break
		}
	}
	if !e.Settled.IsZero() {
		show(t.settled, float64(e.Settled.Unix()))
	}
	failing := e.Failure.Count
	if e.Err != nil {
		failing = max(failing, 1)
	}
	show(t.failing, float64(failing))
	show(t.held, oneIf(e.Hold.On(now)))
	show(t.dead, oneIf(e.Dead))
}
