// Package manifests_test checks what is applied to a cluster: the kustomize
// overlays and the chart, rendered as their users render them.
package manifests_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const (
	root     = "../../.."
	chartDir = root + "/deploy/helm/instantly-rotator"
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
	k := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	rendered, err := k.Run(filesys.MakeFsOnDisk(), root+"/deploy/kubernetes/overlays/"+name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := rendered.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, text)
}

// chart renders it with the values of testdata/FILE.yaml and, over them, set.
func chart(t *testing.T, file, set string) ([]runtime.Object, error) {
	t.Helper()
	rendered, err := templates(t, file, set)
	if err != nil {
		return nil, err
	}
	var objects []runtime.Object
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if strings.HasSuffix(name, ".yaml") {
			objects = append(objects, decode(t, []byte(rendered[name]))...)
		}
	}
	return objects, nil
}

// templates gives the chart's rendered files by name.
func templates(t *testing.T, file, set string) (map[string]string, error) {
	t.Helper()
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	values, err := chartutil.ReadValuesFile("testdata/" + file + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	over, err := chartutil.ReadValues([]byte(set))
	if err != nil {
		t.Fatal(err)
	}
	all, err := chartutil.ToRenderValues(c, chartutil.CoalesceTables(over, values),
		chartutil.ReleaseOptions{Name: "acme", Namespace: namespace, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, all)
}

// decode reads objects as the API server does with strict validation: a field
// that does not exist, or twice, is an error.
func decode(t *testing.T, text []byte) []runtime.Object {
	t.Helper()
	known := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(known), monitoring.AddToScheme(known)); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text)))
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

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
