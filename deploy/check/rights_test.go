package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// Each right is written NAMESPACE VERB RESOURCE/NAME.
func TestRolesAllowWhatTheConfigurationNeedsAndNoMore(t *testing.T) {
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			want := rightsNeeded(t, w.objects)
			leader := pods(t, w.objects)[0].Spec.Containers[0].Args
			if slices.Contains(leader, "--leader-elect") {
				ns, lease := home(w.objects), leaseName(leader)
				want = append(want, ns+" get leases/"+lease, ns+" update leases/"+lease, ns+" create leases/")
			}
			if strings.Contains(w.name, "everything") {
				for _, of := range []string{"deployments/web", "statefulsets/worker"} {
					want = append(want, "shop get "+of, "shop patch "+of)
				}
			}
			slices.Sort(want)
			if diff := cmp.Diff(slices.Compact(want), rightsGiven(w.objects)); diff != "" {
				t.Errorf("rights (-needed +given):\n%s", diff)
			}
		})
	}
}

// What is to be taken into the kustomize base where the admin key is rotated stands
// there, behind a #.
func TestRoleAllowsToReplaceTheAdminKeyWhereThatIsConfigured(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(root+"/deploy/kubernetes")); err != nil {
		t.Fatal(err)
	}
	for file, swap := range map[string][2]string{
		"config.yaml": {"    admin_key: {file: /run/secrets/instantly/admin-key}\n", "admin_key:"},
		"rbac.yaml":   {"", "- instantly-admin-key"},
	} {
		path := filepath.Join(dir, "base", file)
		text := strings.Replace(readFile(t, path), swap[0], "", 1)
		taken := strings.Replace(text, "#"+swap[1], swap[1], 1)
		if taken == text {
			t.Fatalf("%s has no line #%s", file, swap[1])
		}
		writeFile(t, path, taken)
	}
	for _, name := range []string{"daemon", "cronjob", "cronjob-sharded"} {
		objects := decode(t, mustRun(t, needTool(t, "kustomize"), "build", filepath.Join(dir, "overlays", name)))
		needed := rightsNeeded(t, objects)
		slices.Sort(needed)
		given := slices.DeleteFunc(rightsGiven(objects), func(right string) bool { return strings.Contains(right, " leases/") })
		if diff := cmp.Diff(slices.Compact(needed), given); diff != "" || !slices.Contains(given, "instantly-rotator patch secrets/instantly-admin-key") {
			t.Errorf("overlay %s: rights (-needed +given):\n%s", name, diff)
		}
	}
}

func TestAPodThatNeedsNoRightsHasNoToken(t *testing.T) {
	objects, err := chart(t, "plain", `
mode: cronjob
config:
  stores: {aws: {kind: aws, region: eu-central-1}}
  keys: [{name: sending, scopes: [campaigns:read], stores: [{store: aws}]}]`)
	if err != nil {
		t.Fatal(err)
	}
	if given := rightsGiven(objects); len(given) > 0 {
		t.Errorf("rights: %v", given)
	}
	if *pods(t, objects)[0].Spec.AutomountServiceAccountToken {
		t.Error("has a token")
	}
}

func TestTheSecretsOfWebhooksMayBeWritten(t *testing.T) {
	objects, err := chart(t, "plain", `
mode: cronjob
config:
  stores: {cluster: {kind: kubernetes, namespace: growth}}
  keys: [{name: sending, scopes: [campaigns:read], stores: [{store: cluster}]}]
  webhook_secrets: [{name: replies, webhooks: {name: replies}, stores: [{store: cluster, secret: hook}]}]`)
	if err != nil {
		t.Fatal(err)
	}
	needed := rightsNeeded(t, objects)
	slices.Sort(needed)
	if diff := cmp.Diff(needed, rightsGiven(objects)); diff != "" || !slices.Contains(needed, "growth patch secrets/hook") {
		t.Errorf("rights (-needed +given):\n%s", diff)
	}
}

// Applied again, a Secret that is empty here keeps what the rotator wrote.
func TestSecretsOfKeysAreMadeEmptyAndKept(t *testing.T) {
	for _, w := range ways(t) {
		for _, s := range all[*corev1.Secret](w.objects) {
			if _, isToken := s.Data["token"]; isToken {
				continue
			}
			if len(s.Data)+len(s.StringData) > 0 {
				t.Errorf("%s: Secret %s is not empty", w.name, s.Name)
			}
			if strings.HasPrefix(w.name, "chart") && s.Annotations["helm.sh/resource-policy"] != "keep" {
				t.Errorf("%s: uninstalling takes %s from its consumers", w.name, s.Name)
			}
		}
	}
}

type configuration struct {
	Workspaces map[string]struct {
		AdminKey struct {
			Store, Secret string
			Rotate        *struct{}
		} `json:"admin_key"`
	}
	Stores map[string]struct {
		Kind, Namespace string
		CreateMissing   bool `json:"create_missing"`
	}
	Keys           []kept
	WebhookSecrets []kept `json:"webhook_secrets"`
}

// kept is a target.
type kept struct {
	Name   string
	Stores []struct{ Store, Secret string }
}

// rightsNeeded is an independent reading of the configuration.
func rightsNeeded(t *testing.T, objects []runtime.Object) []string {
	t.Helper()
	var c configuration
	if err := yaml.Unmarshal([]byte(configText(t, objects)), &c); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, k := range slices.Concat(c.Keys, c.WebhookSecrets) {
		for _, ref := range k.Stores {
			s := c.Stores[ref.Store]
			if s.Kind != "kubernetes" {
				continue
			}
			name := ref.Secret
			if name == "" {
				name = k.Name
			}
			out = append(out, s.Namespace+" get secrets/"+name, s.Namespace+" patch secrets/"+name)
			if s.CreateMissing {
				out = append(out, s.Namespace+" create secrets/")
			}
		}
	}
	for _, w := range c.Workspaces {
		if w.AdminKey.Rotate != nil {
			out = append(out, fmt.Sprintf("%s patch secrets/%s", c.Stores[w.AdminKey.Store].Namespace, w.AdminKey.Secret))
		}
		if w.AdminKey.Store != "" {
			out = append(out, fmt.Sprintf("%s get secrets/%s", c.Stores[w.AdminKey.Store].Namespace, w.AdminKey.Secret))
		}
	}
	return out
}

func rightsGiven(objects []runtime.Object) []string {
	var out []string
	for _, role := range all[*rbacv1.Role](objects) {
		bound := slices.ContainsFunc(all[*rbacv1.RoleBinding](objects), func(b *rbacv1.RoleBinding) bool {
			return b.RoleRef.Name == role.Name && b.Namespace == role.Namespace
		})
		if !bound {
			continue
		}
		for _, rule := range role.Rules {
			names := rule.ResourceNames
			if len(names) == 0 {
				names = []string{""}
			}
			for _, verb := range rule.Verbs {
				for _, resource := range rule.Resources {
					for _, name := range names {
						ns := role.Namespace
						if ns == "" {
							ns = namespace
						}
						out = append(out, fmt.Sprintf("%s %s %s/%s", ns, verb, resource, name))
					}
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// configText is the configuration that the pod reads.
func configText(t *testing.T, objects []runtime.Object) string {
	t.Helper()
	maps := all[*corev1.ConfigMap](objects)
	if len(maps) != 1 {
		t.Fatalf("%d ConfigMaps, want one", len(maps))
	}
	return maps[0].Data["config.yaml"]
}

// home is the namespace of what says none itself.
func home(objects []runtime.Object) string {
	if ns := all[*corev1.ConfigMap](objects)[0].Namespace; ns != "" {
		return ns
	}
	return namespace
}

func leaseName(args []string) string {
	for _, arg := range args {
		if name, ok := strings.CutPrefix(arg, "--leader-elect-name="); ok {
			return name
		}
	}
	return "instantly-rotator"
}
