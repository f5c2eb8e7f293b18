//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"
)

//go:embed manifests
var manifests embed.FS

// A scene is a namespace in which one story is told: a sandbox, a rotator as the
// story has it, and a consumer.
type scene struct {
	*testing.T
	Namespace string
	URL       string // of the sandbox, for pods
	Grace     time.Duration
	dir       string // of files for kubectl and helm
	story     string // its name in the table
	started   time.Time
}

// newScene makes the namespace, under Restricted Pod Security, and the sandbox.
func newScene(t *testing.T, story, namespace string) *scene {
	t.Helper()
	s := claim(t, story, namespace)
	s.kubectl(s.render("namespace.yaml", s), "apply", "-f", "-")
	s.furnish()
	return s
}

// claim makes sure that the namespace, which is not made here, is nobody else's,
// and that it goes with the story.
func claim(t *testing.T, story, namespace string) *scene {
	t.Helper()
	s := &scene{T: t, Namespace: namespace, Grace: *grace, dir: t.TempDir(), story: story, started: time.Now()}
	eventually(t, clusterTimeout, "no namespace "+namespace+" of before", func() (bool, error) {
		var there struct {
			Status struct {
				Phase string `json:"phase"`
			} `json:"status"`
		}
		err := kube.read("/api/v1/namespaces/"+namespace, &there)
		if err == nil && there.Status.Phase != "Terminating" {
			t.Fatalf("the namespace %s is there already: if it is left over from this suite, kubectl delete namespace %s", namespace, namespace)
		}
		return errors.Is(err, errNotThere), nil
	})
	t.Cleanup(s.leave)
	return s
}

// leave deletes the namespace, and does not wait for that.
func (s *scene) leave() {
	if s.Failed() {
		s.tellMore()
	}
	if *keep {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), clusterTimeout)
	defer cancel()
	if _, err := command(ctx, "", *kubectlPath, "delete", "namespace", s.Namespace, "--ignore-not-found", "--wait=false"); err != nil {
		s.Log(err)
	}
}

// furnish brings the sandbox up, with a certificate for the address of its
// Service: not every cluster has names.
func (s *scene) furnish() {
	s.Helper()
	s.kubectl(s.render("service.yaml", s), "-n", s.Namespace, "apply", "-f", "-")
	var service struct {
		Spec struct {
			ClusterIP string `json:"clusterIP"`
		} `json:"spec"`
	}
	s.must(kube.read(s.path("services/sandbox"), &service))
	s.URL = "https://" + joinHostPort(service.Spec.ClusterIP, 6443)
	ca, cert, key, err := certify(service.Spec.ClusterIP)
	s.must(err)
	s.kubectl(s.render("sandbox.yaml", map[string]string{
		"RotatorImage": *rotatorImage, "CA": ca, "Cert": cert, "Key": key,
		"AdminKey": rand.Text(), "Token": rand.Text(),
	}), "-n", s.Namespace, "apply", "-f", "-")
	s.waitReady("sandbox")
}

// consume starts the consumer, once there is a key to be mounted.
func (s *scene) consume() {
	s.Helper()
	eventually(s.T, clusterTimeout, "a first key in the Secret", func() (bool, error) {
		var secret struct {
			Data map[string]string `json:"data"`
		}
		err := kube.read(s.path("secrets/instantly-sending"), &secret)
		return secret.Data["api-key"] != "", err
	})
	s.kubectl(s.render("consumer.yaml", map[string]string{"ConsumerImage": *consumerImage, "URL": s.URL}), "-n", s.Namespace, "apply", "-f", "-")
	s.waitReady("consumer")
	s.waitKeys(1)
}

// waitKeys waits until the consumer has used so many keys.
func (s *scene) waitKeys(n int) {
	s.Helper()
	eventually(s.T, 2*clusterTimeout, fmt.Sprintf("the consumer uses key %d", n), func() (bool, error) {
		got, err := s.totals()
		return got.Keys >= n, err
	})
	s.step("the consumer has used %d keys", n)
}

// rotation waits until the consumer uses another key than now.
func (s *scene) rotation() {
	s.Helper()
	now, err := s.totals()
	s.must(err)
	s.waitKeys(now.Keys + 1)
}

func (s *scene) waitReady(name string) {
	s.Helper()
	eventually(s.T, clusterTimeout, "the pod "+name+" is ready", func() (bool, error) {
		var p pod
		err := kube.read(s.path("pods/"+name), &p)
		return holds(p.Status.Conditions, "Ready"), err
	})
}

// path of an object of the core group in the namespace.
func (s *scene) path(rest string) string { return "/api/v1/namespaces/" + s.Namespace + "/" + rest }

// step writes into the log what the story has come to.
func (s *scene) step(format string, args ...any) {
	s.Helper()
	s.Logf("%5.1fs  %s", time.Since(s.started).Seconds(), fmt.Sprintf(format, args...))
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *scene) kubectl(stdin string, args ...string) string {
	s.Helper()
	out, err := command(s.Context(), stdin, *kubectlPath, args...)
	s.must(err)
	return out
}

// render fills in a manifest.
func (s *scene) render(name string, with any) string {
	s.Helper()
	indent := func(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
	t, err := template.New(name).Funcs(template.FuncMap{"indent": indent}).ParseFS(manifests, "manifests/"+name)
	s.must(err)
	var out bytes.Buffer
	s.must(t.Execute(&out, with))
	return out.String()
}

// write puts a file where kubectl and helm find it.
func (s *scene) write(name, text string) string {
	s.Helper()
	path := filepath.Join(s.dir, name)
	s.must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

// tellMore writes what helps to find out why a story failed.
func (s *scene) tellMore() {
	ctx, cancel := context.WithTimeout(context.Background(), clusterTimeout)
	defer cancel()
	for _, args := range [][]string{
		{"get", "pods,jobs,events"},
		{"logs", "-l", "app.kubernetes.io/name=instantly-rotator", "--prefix", "--tail=40", "--ignore-errors"},
		{"logs", "consumer", "--tail=20"},
	} {
		out, err := command(ctx, "", *kubectlPath, append([]string{"-n", s.Namespace}, args...)...)
		s.Logf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
