package consumers

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
)

// rollout is what a workload says of its pods.
type rollout struct {
	behind    bool   // the controller has not seen the change yet
	blocked   string // why it cannot go on by itself; empty if it can
	want      int32  // pods
	restarted int32  // of these
	available int32  // of those restarted
	old       int32  // pods that are not of the new kind, and pods that are ending
}

// done gives nil when every pod was restarted and none of before is left, and why
// not otherwise.
func (r rollout) done() error {
	switch {
	case r.behind:
		return open("the restart has not begun")
	case r.restarted < r.want:
		return open("%d of %d pods have restarted%s", r.restarted, r.want, r.blocked)
	case r.available < r.want:
		return open("all %d pods have restarted, %d of them available%s", r.want, min(r.available, r.restarted), r.blocked)
	case r.old == 1:
		return open("all %d pods have restarted, 1 of before is still there%s", r.want, r.blocked)
	case r.old > 0:
		return open("all %d pods have restarted, %d of before are still there%s", r.want, r.old, r.blocked)
	default:
		return nil
	}
}

func rolloutOfDeployment(d *appsv1.Deployment) rollout {
	st := d.Status
	r := rollout{
		behind: st.ObservedGeneration < d.Generation, want: wanted(d.Spec.Replicas),
		restarted: st.UpdatedReplicas, available: st.AvailableReplicas,
		old: max(0, st.Replicas-st.UpdatedReplicas) + ending(st.TerminatingReplicas),
	}
	for _, c := range st.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Reason == "ProgressDeadlineExceeded" {
			r.blocked = fmt.Sprintf("; it exceeded its progress deadline: see kubectl --namespace %s describe deployment %s", d.Namespace, d.Name)
		}
	}
	if d.Spec.Paused {
		r.blocked = fmt.Sprintf("; it is paused: kubectl --namespace %s rollout resume deployment %s", d.Namespace, d.Name)
	}
	return r
}

func rolloutOfStatefulSet(s *appsv1.StatefulSet) rollout {
	st := s.Status
	r := rollout{
		behind: st.ObservedGeneration < s.Generation, want: wanted(s.Spec.Replicas),
		restarted: st.UpdatedReplicas, available: st.AvailableReplicas,
		old: max(0, st.Replicas-st.UpdatedReplicas), // one that is ending keeps its successor from beginning
	}
	switch how := s.Spec.UpdateStrategy; {
	case how.Type == appsv1.OnDeleteStatefulSetStrategyType:
		r.blocked = "; its update strategy is OnDelete: delete its pods"
	case how.RollingUpdate != nil && how.RollingUpdate.Partition != nil && *how.RollingUpdate.Partition > 0:
		r.blocked = fmt.Sprintf("; its update strategy keeps the pods below partition %d", *how.RollingUpdate.Partition)
	}
	return r
}

// wanted is 1 where nothing is said.
func wanted(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}

// ending counts pods that are being deleted, where the cluster tells (from 1.35
// on).
func ending(pods *int32) int32 {
	if pods == nil {
		return 0
	}
	return *pods
}
