package check_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// The standard is decided by the code that a cluster decides it with.
func TestEveryPodIsRestricted(t *testing.T) {
	judge, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	for _, w := range ways(t) {
		for _, pod := range pods(t, w.objects) {
			for _, verdict := range judge.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
				if !verdict.Allowed {
					t.Errorf("%s: %s: %s", w.name, verdict.ForbiddenReason, verdict.ForbiddenDetail)
				}
			}
		}
	}
}

// What Restricted does not ask for.
func TestEveryContainerHasAReadOnlyRootAndBounds(t *testing.T) {
	for _, w := range ways(t) {
		for _, pod := range pods(t, w.objects) {
			if pod.Spec.AutomountServiceAccountToken == nil {
				t.Errorf("%s: whether there is a token is left to others", w.name)
			}
			for _, c := range pod.Spec.Containers {
				if s := c.SecurityContext; s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
					t.Errorf("%s: the root is writable", w.name)
				}
				if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
					t.Errorf("%s: no memory limit or no CPU request", w.name)
				}
				for _, m := range c.VolumeMounts {
					if m.SubPath != "" {
						t.Errorf("%s: %s has a subPath: changes would never arrive", w.name, m.MountPath)
					}
				}
			}
		}
	}
}

func TestAStopWaitsForTheStepInHand(t *testing.T) {
	for _, w := range ways(t) {
		pod := pods(t, w.objects)[0]
		allowed := 30 * time.Second // the default
		for _, arg := range pod.Spec.Containers[0].Args {
			if text, ok := strings.CutPrefix(arg, "--shutdown-timeout="); ok {
				var err error
				if allowed, err = time.ParseDuration(text); err != nil {
					t.Errorf("%s: %v", w.name, err)
				}
			}
		}
		if grace := time.Duration(*pod.Spec.TerminationGracePeriodSeconds) * time.Second; grace < allowed+10*time.Second {
			t.Errorf("%s: killed after %v, though a step in hand may take %v", w.name, grace, allowed)
		}
	}
}

// Kubernetes tells each pod its index, but not how many there are.
func TestShardsKnowHowManyThereAre(t *testing.T) {
	sharded := 0
	for _, w := range ways(t) {
		for _, c := range all[*batchv1.CronJob](w.objects) {
			job := c.Spec.JobTemplate.Spec
			told := env(job.Template.Spec.Containers[0], "JOB_COMPLETIONS")
			if job.CompletionMode == nil || *job.CompletionMode != batchv1.IndexedCompletion {
				if told != "" {
					t.Errorf("%s: JOB_COMPLETIONS without an Indexed Job", w.name)
				}
				continue
			}
			sharded++
			if n := strconv.Itoa(int(*job.Completions)); told != n {
				t.Errorf("%s: %s shards, but JOB_COMPLETIONS is %q", w.name, n, told)
			}
			for _, rule := range job.PodFailurePolicy.Rules {
				if rule.Action == batchv1.PodFailurePolicyActionFailJob {
					t.Errorf("%s: a failed shard ends the others", w.name)
				}
			}
		}
	}
	if sharded != 2 {
		t.Errorf("%d sharded CronJobs, want 2", sharded)
	}
}

func env(c corev1.Container, name string) string {
	for _, e := range c.Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}
