//go:build e2e

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// totals are what the consumer prints.
type totals struct {
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
	Keys     int `json:"keys"`
}

// totals gives the consumer's last ones.
func (s *scene) totals() (totals, error) {
	text, err := kube.get(s.path("pods/consumer/log?tailLines=50"))
	if err != nil {
		return totals{}, err
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	for _, line := range slices.Backward(lines) {
		var t totals
		if json.Unmarshal(line, &t) == nil {
			return t, nil
		}
	}
	return totals{}, nil
}

// failures are the consumer's requests that failed, as it printed them.
func (s *scene) failures() []string {
	text, err := kube.get(s.path("pods/consumer/log"))
	s.must(err)
	var failed []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "FAILED") {
			failed = append(failed, line)
		}
	}
	return failed
}

// sandboxKey is a key as the sandbox shows it.
type sandboxKey struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Alive bool   `json:"alive"`
}

// sandbox is the path of the sandbox's own switches.
func (s *scene) sandbox(rest string) string {
	return s.path("pods/https:sandbox:6443/proxy/_sandbox/" + rest)
}

// orphans are the rotator's keys that are alive at the sandbox, and that the
// Secret knows nothing of. The Secret is read last: a key is written there after
// it was issued.
func (s *scene) orphans() ([]string, error) {
	var keys []sandboxKey
	if err := kube.read(s.sandbox("keys"), &keys); err != nil {
		return nil, err
	}
	var secret object
	if err := kube.read(s.path("secrets/instantly-sending"), &secret); err != nil {
		return nil, err
	}
	known := secret.Metadata.Annotations["instantly-rotator.dev/api-key"]
	var orphans []string
	for _, k := range keys {
		if k.Alive && strings.HasPrefix(k.Name, "e2e/") && !strings.Contains(known, k.ID) {
			orphans = append(orphans, k.ID)
		}
	}
	return orphans, nil
}

// settled waits until no key is left over, and gives those that stay.
func (s *scene) settled() []string {
	s.Helper()
	var orphans []string
	for end := time.Now().Add(clusterTimeout); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		var err error
		orphans, err = s.orphans()
		s.must(err)
		if len(orphans) == 0 {
			break
		}
	}
	return orphans
}

// judge ends a story: no request of the consumer may have failed, and no key may
// be left over.
func (s *scene) judge(rotations int, failovers ...time.Duration) {
	s.Helper()
	orphans := s.settled()
	got, err := s.totals()
	s.must(err)
	verdicts.add(verdict{s.story, got.Keys - 1, got, len(orphans), failovers})
	if got.Keys-1 < rotations {
		s.Errorf("the consumer saw %d rotations, want %d at least", got.Keys-1, rotations)
	}
	if got.Requests == 0 || got.Failed != 0 {
		s.Errorf("%d of the consumer's %d requests failed:\n%s", got.Failed, got.Requests, strings.Join(s.failures(), ""))
	}
	if len(orphans) != 0 {
		s.Errorf("keys that nobody knows of are alive: %s", orphans)
	}
}

// verdict is a line of the table.
type verdict struct {
	story     string
	rotations int
	totals    totals
	orphans   int
	failovers []time.Duration
}

// ledger is the table that the suite prints.
type ledger struct {
	mu    sync.Mutex
	lines []verdict
}

var verdicts ledger

func (l *ledger) add(v verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, v)
}

func (l *ledger) table() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortFunc(l.lines, func(a, b verdict) int { return strings.Compare(a.story, b.story) })
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nstory\trotations\tconsumer requests\tfailed\torphans\tfailover")
	for _, v := range l.lines {
		times := make([]string, len(v.failovers))
		for i, d := range v.failovers {
			times[i] = d.Round(100 * time.Millisecond).String()
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\n", v.story, v.rotations, v.totals.Requests, v.totals.Failed, v.orphans, strings.Join(times, " "))
	}
	_ = w.Flush()
	return out.String()
}
