package check_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// A trail without a disk needs its ConfigMap, the right to it and no other, a token, and
// the key that signs it where the configuration says.
func TestThePodsTrailHasItsConfigMapAndItsKey(t *testing.T) {
	const config = `
config:
  stores: {aws: {kind: aws, region: eu-central-1}}
  keys: [{name: sending, scopes: [campaigns:read], stores: [{store: aws}]}]
  trail: {config_map: rotator-trail, key_file: /run/secrets/trail/key}
trail: {keySecret: rotator-trail-key}
`
	for _, mode := range []string{"mode: cronjob", "daemon: {leaderElection: false, replicas: 1}"} {
		objects, err := chart(t, "plain", config+mode)
		if err != nil {
			t.Fatal(err)
		}
		wantTrail(t, objects, namespace, "rotator-trail", "rotator-trail-key")
		i := slices.IndexFunc(all[*corev1.ConfigMap](objects), func(m *corev1.ConfigMap) bool { return m.Name == "rotator-trail" })
		if i < 0 {
			t.Fatalf("%s: no ConfigMap", mode)
		}
		if m := all[*corev1.ConfigMap](objects)[i]; len(m.Data) > 0 || m.Annotations["helm.sh/resource-policy"] != "keep" {
			t.Errorf("%s: an upgrade or its end takes the trail's state away: %+v", mode, m)
		}
	}
}

func TestTheTrailOfAnotherNamespaceIsTheUsersOwn(t *testing.T) {
	objects, err := chart(t, "plain", `{mode: cronjob, config: {trail: {config_map: rotator-trail, namespace: audit, key_file: /key}}}`)
	if err != nil {
		t.Fatal(err)
	}
	if given := rightsGiven(objects); !slices.Contains(given, "audit patch configmaps/rotator-trail") {
		t.Errorf("rights: %v", given)
	}
	if maps := all[*corev1.ConfigMap](objects); len(maps) != 1 {
		t.Errorf("%d ConfigMaps, want that of the configuration", len(maps))
	}
}

// What is to be taken into the overlays for a trail stands there, behind a #.
func TestTheOverlaysTakeATrail(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(root+"/deploy/kubernetes")); err != nil {
		t.Fatal(err)
	}
	behind := regexp.MustCompile(`(?m)^( *)#(trail: |- name: trail-key|- \{name: trail-key|  secret: |- apiGroups: |  resources: |  resourceNames: |  verbs: )`)
	for _, file := range []string{"base/config.yaml", "base/rbac.yaml", "overlays/cronjob/cronjob.yaml", "overlays/daemon/deployment.yaml"} {
		path := filepath.Join(dir, file)
		text := readFile(t, path)
		taken := behind.ReplaceAllString(text, "$1$2")
		if taken == text {
			t.Fatalf("%s has nothing behind a #", file)
		}
		writeFile(t, path, taken)
	}
	for _, name := range []string{"daemon", "cronjob", "cronjob-sharded"} {
		objects := decode(t, mustRun(t, needTool(t, "kustomize"), "build", filepath.Join(dir, "overlays", name)))
		if !strings.Contains(configText(t, objects), "\ntrail: {config_map: instantly-rotator-trail, key_file: /run/secrets/trail/key}") {
			t.Errorf("overlay %s: no trail is configured", name)
		}
		wantTrail(t, objects, "instantly-rotator", "instantly-rotator-trail", "instantly-rotator-trail")
	}
}

func wantTrail(t *testing.T, objects []runtime.Object, namespace, name, key string) {
	t.Helper()
	var rights []string
	for _, right := range rightsGiven(objects) {
		if strings.Contains(right, " configmaps/") {
			rights = append(rights, right)
		}
	}
	if want := []string{namespace + " get configmaps/" + name, namespace + " patch configmaps/" + name}; !slices.Equal(rights, want) {
		t.Errorf("rights %v, want %v", rights, want)
	}
	spec := pods(t, objects)[0].Spec
	if spec.AutomountServiceAccountToken == nil || !*spec.AutomountServiceAccountToken {
		t.Error("the pod has no token")
	}
	volume := slices.IndexFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Secret != nil && v.Secret.SecretName == key })
	if volume < 0 || !slices.ContainsFunc(spec.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool {
		return m.Name == spec.Volumes[volume].Name && m.MountPath == "/run/secrets/trail" && m.ReadOnly
	}) {
		t.Errorf("the key of the Secret %s is not mounted", key)
	}
}
