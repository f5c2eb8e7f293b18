package consumers_test

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/consumers"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
)

// five is how many pods each workload has.
var five = int32(5)

// cluster has deployment web and statefulset queue in namespace growth, both at
// rest.
func cluster() *kubetest.Server {
	s := kubetest.New("growth")
	at := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "growth", Name: name, Generation: 7}
	}
	s.Put(&appsv1.Deployment{ObjectMeta: at("web"), Spec: appsv1.DeploymentSpec{Replicas: &five}, Status: appsv1.DeploymentStatus{
		ObservedGeneration: 7, Replicas: 5, UpdatedReplicas: 5, AvailableReplicas: 5,
	}})
	s.Put(&appsv1.StatefulSet{ObjectMeta: at("queue"), Spec: appsv1.StatefulSetSpec{Replicas: &five}, Status: appsv1.StatefulSetStatus{
		ObservedGeneration: 7, Replicas: 5, UpdatedReplicas: 5, AvailableReplicas: 5, CurrentRevision: "a", UpdateRevision: "a",
	}})
	return s
}

func restart(t *testing.T, s *kubetest.Server, target, workload string) *consumers.Restart {
	t.Helper()
	c, err := kubernetescluster.New(s.Config(), "growth")
	if err != nil {
		t.Fatal(err)
	}
	gate, err := consumers.NewRestart(c, target, workload, "")
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

func deployment(s *kubetest.Server, edit func(*appsv1.Deployment)) {
	kubetest.Change(s, "growth", "web", edit)
}

// patches counts the restarts that were asked for.
func patches(s *kubetest.Server) (n int) {
	for _, c := range s.Calls() {
		if c.Verb == "patch" {
			n++
		}
	}
	return n
}

func TestDeploymentHoldsTheOldKeyUntilNoPodOfBeforeIsLeft(t *testing.T) {
	s := cluster()
	gate := restart(t, s, "sending", "deployment/web")
	wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}), "the restart has not begun")
	for _, moment := range []struct {
		say                             string
		all, restarted, available, dead int32
	}{
		{"0 of 5 pods have restarted", 5, 0, 5, 0},
		{"2 of 5 pods have restarted", 6, 2, 5, 0},
		{"all 5 pods have restarted, 4 of them available", 5, 5, 4, 0},
		{"all 5 pods have restarted, 1 of before is still there", 6, 5, 5, 0},
		{"all 5 pods have restarted, 2 of before are still there", 5, 5, 5, 2},
	} {
		deployment(s, func(d *appsv1.Deployment) {
			d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: moment.all, UpdatedReplicas: moment.restarted,
				AvailableReplicas: moment.available, TerminatingReplicas: &moment.dead}
		})
		wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}), moment.say)
	}
	deployment(s, func(d *appsv1.Deployment) { d.Status.TerminatingReplicas = nil })
	wantPassed(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}))
	wantPassed(t, restart(t, s, "sending", "deployment/web").Pass(t.Context(), rotator.Move{KeyID: "k2"})) // another instance
	if n := patches(s); n != 1 {
		t.Errorf("restarted %d times", n)
	}
	wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k3"}))
}

// A store was set back by hand while the pods restarted, and got the new key again since: some
// may have found the old one there.
func TestPodsThatMayHaveFoundAnotherKeyAreRestartedAgain(t *testing.T) {
	s := cluster()
	gates := []*consumers.Restart{restart(t, s, "sending", "deployment/web"), restart(t, s, "sending", "deployment/web")}
	promoted := time.Date(2026, 11, 1, 12, 0, 0, 123456789, time.UTC)
	restarts := func(want int, since ...time.Time) {
		t.Helper()
		for i, at := range since {
			_ = gates[i%len(gates)].Pass(t.Context(), rotator.Move{KeyID: "k2", Since: at})
		}
		if n := patches(s); n != want {
			t.Errorf("restarted %d times, want %d", n, want)
		}
	}
	restarts(1, promoted, promoted.In(time.FixedZone("elsewhere", 3600)))
	restarts(1, time.Time{}, time.Time{})                             // a store cannot say
	restarts(2, promoted.Add(time.Hour), promoted.Add(time.Hour))     // it got the key again
	restarts(2, promoted, promoted.Add(time.Hour), promoted)          // one instance has not seen that yet
	restarts(3, promoted.Add(time.Hour+1), promoted.Add(time.Hour+1)) // and again
}

func TestStatefulSetHoldsTheOldKeyUntilAllPodsHaveRestarted(t *testing.T) {
	s := cluster()
	gate := restart(t, s, "sending", "statefulset/queue")
	wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}), "the restart has not begun")
	change := func(edit func(*appsv1.StatefulSet)) { kubetest.Change(s, "growth", "queue", edit) }
	change(func(q *appsv1.StatefulSet) {
		q.Status.ObservedGeneration, q.Status.UpdateRevision, q.Status.UpdatedReplicas = q.Generation, "b", 2
	})
	wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}), "2 of 5 pods have restarted")
	partition := int32(3)
	change(func(q *appsv1.StatefulSet) {
		q.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &partition}
	})
	wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}), "below partition 3")
	change(func(q *appsv1.StatefulSet) { q.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType })
	wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}), "OnDelete: delete its pods")
	change(func(q *appsv1.StatefulSet) { q.Status.UpdatedReplicas, q.Status.CurrentRevision = 5, "b" })
	wantPassed(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}))
}

func TestRolloutThatCannotGoOnSaysWhy(t *testing.T) {
	s := cluster()
	gate := restart(t, s, "sending", "deployment/web")
	wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}))
	deployment(s, func(d *appsv1.Deployment) {
		d.Status.ObservedGeneration, d.Status.UpdatedReplicas = d.Generation, 1
		d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Reason: "ProgressDeadlineExceeded"}}
	})
	wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}), "1 of 5 pods", "exceeded its progress deadline", "--namespace growth describe deployment web")
	deployment(s, func(d *appsv1.Deployment) { d.Spec.Paused = true })
	wantOpen(t, gate.Pass(t.Context(), rotator.Move{KeyID: "k2"}), "it is paused", "rollout resume deployment web")
}

// With one annotation for both, each would take the other's restart back.
func TestTargetsThatShareAWorkloadDoNotRestartItInTurn(t *testing.T) {
	s := cluster()
	gates := []*consumers.Restart{restart(t, s, "sending", "deployment/web"), restart(t, s, "reporting", "deployment/web")}
	for range 3 {
		wantOpen(t, gates[0].Pass(t.Context(), rotator.Move{KeyID: "a1"}))
		wantOpen(t, gates[1].Pass(t.Context(), rotator.Move{KeyID: "b1"}))
	}
	if n := patches(s); n != 2 {
		t.Errorf("restarted %d times for 2 keys", n)
	}
}

func TestWorkloadThatIsNotThereAndMissingVerbsAreNamed(t *testing.T) {
	s := cluster()
	wantUnknown(t, restart(t, s, "sending", "deployment/none").Pass(t.Context(), rotator.Move{KeyID: "k1"}), "there is no deployment none in namespace growth")
	for _, verb := range []string{"get", "patch"} {
		s.Denied = map[string]bool{verb: true}
		for _, workload := range []string{"deployment/web", "statefulset/queue"} {
			wantUnknown(t, restart(t, s, "sending", workload).Pass(t.Context(), rotator.Move{KeyID: "k1"}), "the role needs the verb "+verb+" on the ")
		}
	}
}
