//go:build e2e

package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// repository is the root of the checkout.
const repository = "../.."

// overlay is the kustomization to be applied: a shipped one with the sandbox in
// Instantly's place.
func (s *scene) overlay(shipped, patch string) string {
	s.Helper()
	here, err := os.Getwd()
	s.must(err)
	dir, err := filepath.EvalSymlinks(s.dir)
	s.must(err)
	base, err := filepath.Rel(dir, filepath.Join(here, repository, "deploy/kubernetes/overlays", shipped))
	s.must(err)
	image, tag := imageParts(*rotatorImage)
	s.write("config.yaml", s.render("config.yaml", s))
	s.write(patch, s.render(patch, nil))
	s.write("kustomization.yaml", s.render("kustomization.yaml", map[string]string{
		"Namespace": s.Namespace, "Overlay": base, "Repository": image, "Tag": tag, "Patch": patch,
	}))
	return dir
}

// install is `helm install`, with the sandbox in Instantly's place.
func (s *scene) install(mode string) {
	s.Helper()
	image, tag := imageParts(*rotatorImage)
	values := s.write("values.yaml", s.render("values.yaml", map[string]string{
		"Mode": mode, "Repository": image, "Tag": tag, "Config": s.render("config.yaml", s),
	}))
	s.helm("install", "rotator", filepath.Join(repository, "deploy/helm/instantly-rotator"), "--values", values, "--wait", "--timeout", clusterTimeout.String())
}

func (s *scene) helm(args ...string) {
	s.Helper()
	args = append([]string{"--namespace", s.Namespace}, args...)
	out, err := command(s.Context(), "", *helmPath, args...)
	s.must(err)
	s.step("helm %s\n%s", strings.Join(args, " "), out)
}

func imageParts(image string) (name, tag string) {
	at := strings.LastIndex(image, ":")
	return image[:at], image[at+1:]
}

// runJob makes a Job of the CronJob, as a person does, and waits for its end.
func (s *scene) runJob(name, cronjob string) {
	s.Helper()
	s.kubectl("", "-n", s.Namespace, "create", "job", name, "--from=cronjob/"+cronjob)
	eventually(s.T, clusterTimeout, "the job "+name+" is complete", func() (bool, error) {
		var j job
		err := kube.read(s.jobs()+"/"+name, &j)
		return holds(j.Status.Conditions, "Complete"), err
	})
	s.step("kubectl create job %s --from=cronjob/%s\n%s", name, cronjob, s.kubectl("", "-n", s.Namespace, "logs", "job/"+name))
}

func (s *scene) jobs() string { return "/apis/batch/v1/namespaces/" + s.Namespace + "/jobs" }

// tick waits for a Job that the CronJob's schedule made and that is complete.
func (s *scene) tick() {
	s.Helper()
	eventually(s.T, 2*clusterTimeout, "a job of the schedule is complete", func() (bool, error) {
		var jobs struct {
			Items []job `json:"items"`
		}
		err := kube.read(s.jobs(), &jobs)
		return slices.ContainsFunc(jobs.Items, func(j job) bool {
			return len(j.Metadata.Annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"]) > 0 && holds(j.Status.Conditions, "Complete")
		}), err
	})
	s.step("a tick of the CronJob's schedule has run")
}

func TestCronJobOverlayAsShippedRotates(t *testing.T) {
	t.Parallel()
	s := claim(t, "kustomize: cronjob", "instantly-rotator")
	s.step("kubectl apply -k deploy/kubernetes/overlays/cronjob\n%s", s.kubectl("", "apply", "-k", filepath.Join(repository, "deploy/kubernetes/overlays/cronjob")))
	s.furnish()
	s.step("kubectl apply -k, with the sandbox instead of Instantly\n%s", s.kubectl("", "apply", "-k", s.overlay("cronjob", "patch-cronjob.yaml")))
	s.runJob("first", "instantly-rotator")
	s.consume()
	s.tick()
	s.waitKeys(2)
	time.Sleep(s.Grace) // counted from the promotion, which was earlier
	s.runJob("later", "instantly-rotator")
	s.waitKeys(3)
	s.judge(2)
}

func TestHelmInstallOfTheCronJobRotates(t *testing.T) {
	t.Parallel()
	s := newScene(t, "helm: cronjob", "e2e-helm-cronjob")
	s.install("cronjob")
	s.runJob("first", "rotator-instantly-rotator")
	s.consume()
	s.tick()
	s.waitKeys(2)
	s.judge(1)
}

func TestHelmInstallOfTheDaemonRotatesAndLeavesTheKeysWhenItGoes(t *testing.T) {
	t.Parallel()
	s := newScene(t, "helm: daemon", "e2e-helm-daemon")
	s.install("daemon")
	s.consume()
	s.waitKeys(3)
	s.helm("uninstall", "rotator", "--wait")
	if _, err := kube.get(s.path("secrets/instantly-sending")); err != nil {
		t.Errorf("the consumer's Secret went with the release: %v", err)
	}
	s.judge(2)
}
