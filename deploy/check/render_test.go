// Package check_test checks deploy/: what is applied to a cluster, which is the
// kustomize overlays and the chart, rendered as their users render them; the alert
// rules and the dashboard; what is left out of the image.
//
// Most of it wants helm, kustomize and promtool: .ci/deploy builds them.
package check_test

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

const (
	chartDir = root + "/deploy/helm/instantly-rotator"
	// oldestKubernetes is the one that the chart says it wants.
	oldestKubernetes = "1.29.0"
	// namespace is where the chart is installed.
	namespace = "keys"
)

// A way to run the rotator, as it is applied.
type way struct {
	name    string
	objects []runtime.Object
}

// ways are all of them.
func ways(t *testing.T) []way {
	t.Helper()
	var out []way
	for _, name := range []string{"daemon", "cronjob", "cronjob-sharded"} {
		out = append(out, way{"overlay " + name, overlay(t, name)})
	}
	for _, c := range []struct{ name, file, set string }{
		{"daemon", "plain", "{}"},
		{"one daemon", "plain", "daemon: {replicas: 1, leaderElection: false}"},
		{"daemon with everything", "everything", "{}"},
		{"cronjob", "plain", "mode: cronjob"},
		{"cronjob with everything, sharded", "everything", "{mode: cronjob, cronjob: {shards: 3}}"},
	} {
		objects, err := chart(t, c.file, c.set)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		out = append(out, way{"chart " + c.name, objects})
	}
	return out
}

func overlay(t *testing.T, name string) []runtime.Object {
	t.Helper()
	return decode(t, mustRun(t, needTool(t, "kustomize"), "build", root+"/deploy/kubernetes/overlays/"+name))
}

// chart renders it with the values of testdata/FILE.yaml and, over them, set.
func chart(t *testing.T, file, set string) ([]runtime.Object, error) {
	t.Helper()
	rendered, err := render(t, chartDir, file, set)
	if err != nil {
		return nil, err
	}
	return decode(t, rendered), nil
}

// render gives what would be applied. The error is what helm complains of.
func render(t *testing.T, dir, file, set string) (string, error) {
	t.Helper()
	over := filepath.Join(t.TempDir(), "values.yaml")
	writeFile(t, over, set)
	rendered, complaints, err := run(t, needTool(t, "helm"), "template", "acme", dir, "--namespace", namespace,
		"--kube-version", oldestKubernetes, "--values", "testdata/"+file+".yaml", "--values", over)
	if err != nil {
		return "", errors.New(complaints)
	}
	return rendered, nil
}

// decode reads objects as the API server does with strict validation: a field
// that does not exist, or twice, is an error.
func decode(t *testing.T, text string) []runtime.Object {
	t.Helper()
	known := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(known), monitoring.AddToScheme(known)); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(text)))
	var objects []runtime.Object
	for {
		buffer := make([]byte, 1<<20)
		n, err := documents.Read(buffer)
		if errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		if len(bytes.TrimSpace(buffer[:n])) == 0 {
			continue
		}
		object, _, err := decoder.Decode(buffer[:n], nil, nil)
		if err != nil {
			t.Errorf("%v, in:\n%s", err, buffer[:n])
			continue
		}
		objects = append(objects, object)
	}
}

// all gives the objects of one type.
func all[T runtime.Object](objects []runtime.Object) []T {
	var out []T
	for _, o := range objects {
		if typed, ok := o.(T); ok {
			out = append(out, typed)
		}
	}
	return out
}

// pods gives the templates of all pods.
func pods(t *testing.T, objects []runtime.Object) []corev1.PodTemplateSpec {
	t.Helper()
	var out []corev1.PodTemplateSpec
	for _, d := range all[*appsv1.Deployment](objects) {
		out = append(out, d.Spec.Template)
	}
	for _, c := range all[*batchv1.CronJob](objects) {
		out = append(out, c.Spec.JobTemplate.Spec.Template)
	}
	if len(out) != 1 {
		t.Fatalf("%d kinds of pods, want one", len(out))
	}
	return out
}
