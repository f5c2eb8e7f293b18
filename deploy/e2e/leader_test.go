//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// slowly makes a rotation take seconds, so that there is a middle in which
// something can happen: a new key is not valid at once.
const slowly = `{"activation_delay": "2s"}`

// startDaemon brings up the daemon's overlay: two replicas, one of which leads.
func startDaemon(t *testing.T, story, namespace string) *scene {
	t.Helper()
	s := newScene(t, story, namespace)
	s.kubectl("", "apply", "-k", s.overlay("daemon", "patch-daemon.yaml"))
	s.kubectl("", "-n", namespace, "rollout", "status", "deployment/instantly-rotator", "--timeout="+clusterTimeout.String())
	s.consume()
	_, err := kube.call(http.MethodPut, s.sandbox("faults"), strings.NewReader(slowly))
	s.must(err)
	return s
}

// holder is who holds the Lease; empty if nobody does.
func (s *scene) holder() (string, error) {
	var l lease
	err := kube.read("/apis/coordination.k8s.io/v1/namespaces/"+s.Namespace+"/leases/instantly-rotator", &l)
	return l.Spec.HolderIdentity, err
}

// leader waits for one and gives its pod.
func (s *scene) leader() (identity string, of pod) {
	s.Helper()
	eventually(s.T, clusterTimeout, "a leader", func() (bool, error) {
		var err error
		if identity, err = s.holder(); err != nil || identity == "" {
			return false, err
		}
		name, _, _ := strings.Cut(identity, "_")
		return true, kube.read(s.path("pods/"+name), &of)
	})
	return identity, of
}

// takeover waits until another process than the one before leads, and gives how
// long that took since.
func (s *scene) takeover(before string, since time.Time) time.Duration {
	s.Helper()
	now := ""
	for time.Since(since) < clusterTimeout {
		var err error
		if now, err = s.holder(); err == nil && now != "" && now != before {
			s.step("%s leads, %s does no longer", now, before)
			return time.Since(since)
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.Fatalf("%q leads still", now)
	return 0
}

// midRotation waits until the next key has been issued.
func (s *scene) midRotation() {
	s.Helper()
	before := s.issued()
	for end := time.Now().Add(2 * clusterTimeout); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if s.issued() > before {
			return
		}
	}
	s.Fatal("no key is issued")
}

func (s *scene) issued() int {
	s.Helper()
	calls := map[string]int{}
	s.must(kube.read(s.sandbox("calls"), &calls))
	return calls["POST /api/v2/api-keys"]
}

func TestLeadersPodIsDeleted(t *testing.T) {
	t.Parallel()
	s := startDaemon(t, "leader deleted", "e2e-deleted")
	identity, leader := s.leader()
	s.midRotation()
	since := time.Now()
	s.kubectl("", "-n", s.Namespace, "delete", "pod", leader.Metadata.Name, "--wait=false")
	took := s.takeover(identity, since)
	s.waitKeys(3)
	s.judge(2, took)
}

func TestLeaderIsSuspendedAndGoesOnWhenAnotherHasTakenOver(t *testing.T) {
	t.Parallel()
	needNode(t)
	s := startDaemon(t, "leader suspended, resumed later", "e2e-suspended")
	identity, leader := s.leader()
	process := s.process(leader)
	s.midRotation()
	since := time.Now()
	s.signal("STOP", process)
	s.Cleanup(func() { _, _ = onNode(context.Background(), "kill", "-CONT", process) })
	took := s.takeover(identity, since)
	s.waitKeys(2)
	s.signal("CONT", process)
	s.step("the suspended one goes on")
	s.waitKeys(3)
	s.judge(2, took)
}

func TestLeaderIsCutOffFromTheAPIServer(t *testing.T) {
	t.Parallel()
	needNode(t)
	s := startDaemon(t, "leader cut off from the API server", "e2e-cutoff")
	identity, leader := s.leader()
	s.midRotation()
	since := time.Now()
	heal := s.cutOff(leader)
	took := s.takeover(identity, since)
	s.waitKeys(2)
	heal()
	s.step("the one that was cut off is back")
	s.waitKeys(3)
	s.judge(2, took)
}

// kills is how often the leader is killed in each of several scenes.
const kills = 2

func TestLeaderIsKilledInMidRotation(t *testing.T) {
	t.Parallel()
	needNode(t)
	for _, scene := range []string{"a", "b", "c"} {
		t.Run(scene, func(t *testing.T) {
			t.Parallel()
			s := startDaemon(t, "leader killed twice in mid-rotation, "+scene, "e2e-killed-"+scene)
			var failovers []time.Duration
			for range kills {
				failovers = append(failovers, s.killLeader())
			}
			s.rotation()
			s.waitKeys(kills + 1) // of two keys that came close together it may have seen the later one only
			s.judge(kills, failovers...)
		})
	}
}

// killLeader kills the leader at a random instant of the next rotation, and gives
// how long it took until another process led.
func (s *scene) killLeader() time.Duration {
	s.Helper()
	identity, leader := s.leader()
	process := s.process(leader)
	s.midRotation()
	wait := rand.N(3 * time.Second) // a rotation takes a little more than 2 s
	time.Sleep(wait)
	since := time.Now()
	s.signal("KILL", process)
	s.step("%s is killed %s after it issued a key", identity, wait.Round(time.Millisecond))
	return s.takeover(identity, since)
}

func TestTwoLeadersAtOnceByForce(t *testing.T) {
	t.Parallel()
	s := startDaemon(t, "two leaders at once", "e2e-two")
	s.kubectl(s.secondDaemon(), "-n", s.Namespace, "apply", "-f", "-")
	s.kubectl("", "-n", s.Namespace, "rollout", "status", "deployment/second", "--timeout="+clusterTimeout.String())
	s.step("a second daemon acts that asks no Lease")
	s.waitKeys(4)
	if logs := s.kubectl("", "-n", s.Namespace, "logs", "deployment/second"); !strings.Contains(logs, `"target":"sending"`) {
		t.Errorf("the second daemon never acted:\n%s", logs)
	}
	s.judge(3)
}

// secondDaemon is the Deployment once more, without an election.
func (s *scene) secondDaemon() string {
	s.Helper()
	var d struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       struct {
			Replicas int                       `json:"replicas"`
			Selector map[string]map[string]any `json:"selector"`
			Template struct {
				Metadata struct {
					Labels map[string]any `json:"labels"`
				} `json:"metadata"`
				Spec map[string]any `json:"spec"`
			} `json:"template"`
		} `json:"spec"`
	}
	s.must(kube.read("/apis/apps/v1/namespaces/"+s.Namespace+"/deployments/instantly-rotator", &d))
	d.Metadata = map[string]any{"name": "second"}
	d.Spec.Replicas = 1
	d.Spec.Selector["matchLabels"]["daemon"] = "second"
	d.Spec.Template.Metadata.Labels["daemon"] = "second"
	container := d.Spec.Template.Spec["containers"].([]any)[0].(map[string]any)
	container["args"] = slices.DeleteFunc(container["args"].([]any), func(arg any) bool {
		return strings.HasPrefix(arg.(string), "--leader-elect")
	})
	text, err := json.Marshal(d)
	s.must(err)
	return string(text)
}
