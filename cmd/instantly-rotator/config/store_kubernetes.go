package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// KubernetesStore is the Secrets of one namespace.
type KubernetesStore struct {
	// Namespace; empty for the pod's own, or that of the kubeconfig's context.
	Namespace string
	// Key is the data key of the current value.
	Key string
	// Kubeconfig is a file and Context one of its contexts; empty for the cluster
	// that the rotator runs in, or what KUBECONFIG says.
	Kubeconfig, Context string
	// CreateMissing makes Secrets that are not there, with Labels and
	// Annotations.
	CreateMissing       bool
	Labels, Annotations map[string]string
}

// place takes two contexts for two clusters: only they know better.
func (s KubernetesStore) place(secret string) string {
	return strings.Join([]string{"kubernetes", s.Kubeconfig, s.Context, s.Namespace, secret, s.Key}, " ")
}

func (s KubernetesStore) refuse(secret string) string {
	const most = 253
	if len(secret) > most || !pattern(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`).MatchString(secret) {
		return "want lower-case letters, digits, hyphens and dots, at most 253, a letter or digit first and last"
	}
	return ""
}

// What Kubernetes takes for the name of a namespace.
const (
	namespacePattern = `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`
	namespaceWant    = "want lower-case letters, digits and hyphens, at most 63"
)

// kubernetesStoreForm is an entry of stores with kind: kubernetes.
type kubernetesStoreForm struct {
	mark
	Kind          text  `json:"kind"`
	Namespace     text  `json:"namespace"`
	Key           text  `json:"key"`
	Kubeconfig    text  `json:"kubeconfig"`
	Context       text  `json:"context"`
	CreateMissing flag  `json:"create_missing"`
	Labels        texts `json:"labels"`
	Annotations   texts `json:"annotations"`
}

func (kubernetesStoreForm) section() string { return "stores.*(kubernetes)" }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f kubernetesStoreForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

func kubernetesKind() storeKind {
	return storeKind{name: "kubernetes", form: func() storeKindForm { return &kubernetesStoreForm{} }, options: kubernetesOptions()}
}

func kubernetesOptions() []Option {
	in := kubernetesStoreForm{}.section()
	return []Option{
		{In: in, Name: "kind", Required: true, Doc: "What kind of store it is."},
		{
			In: in, Name: "namespace", Pattern: namespacePattern, Want: namespaceWant,
			Doc:      "The namespace of the Secrets. Left out, the pod's own or, outside of a cluster, that of the kubeconfig's context.",
			Examples: []string{"growth"},
		},
		{
			// An annotation is named after it.
			In: in, Name: "key", Default: "api-key", Pattern: `^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`,
			Want: "want letters, digits and ._-, at most 63, a letter or digit first and last",
			Doc: "The data key that consumers read. The key before it is kept under the same name with -previous while it lives, " +
				"one under test with -pending. Other data keys are never touched.",
			Examples: []string{"api-key", "INSTANTLY_API_KEY"},
		},
		{
			In: in, Name: "kubeconfig",
			Doc: "A kubeconfig file. Left out, the cluster that the rotator runs in or, outside of one, what KUBECONFIG says.",
		},
		{In: in, Name: "context", Doc: "A context of the kubeconfig. Left out, its current one."},
		{
			In: in, Name: "create_missing", Default: "false",
			Doc: "Make a Secret that is not there, at the first write. Off, so that a misspelt name is an error, " +
				"and because the right to create cannot be limited to names.",
		},
		{In: in, Name: "labels", Default: "{}", Doc: "Labels of a Secret that is made."},
		{In: in, Name: "annotations", Default: "{}", Doc: "Annotations of a Secret that is made."},
	}
}

func (f *kubernetesStoreForm) resolve(c *checker) Backend {
	for _, suffix := range []string{"-previous", "-pending"} {
		if strings.HasSuffix(f.Key.v, suffix) {
			c.fail(f.Key.mark, "the rotator adds "+suffix+" itself", "bad data key %s", quote(f.Key.v))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Labels.v)) {
		if value := f.Labels.v[name]; !isQualified(name) || value != "" && !isShortName(value) {
			c.fail(f.Labels.mark, "want letters, digits and ._-, at most 63, a letter or digit first and last; in the name also PREFIX/ before that",
				"bad label %s: %s", quote(name), quote(value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Annotations.v)) {
		switch {
		case strings.HasPrefix(name, "instantly-rotator.dev/"):
			c.fail(f.Annotations.mark, "instantly-rotator.dev/ is what the rotator keeps its state under", "bad annotation %s", quote(name))
		case !isQualified(name):
			c.fail(f.Annotations.mark, "want letters, digits and ._-, at most 63, with or without PREFIX/ before that", "bad annotation %s", quote(name))
		}
	}
	return KubernetesStore{
		Namespace: f.Namespace.v, Key: f.Key.v, Kubeconfig: c.path(f.Kubeconfig), Context: f.Context.v,
		CreateMissing: f.CreateMissing.v, Labels: f.Labels.v, Annotations: f.Annotations.v,
	}
}

// isQualified tells whether Kubernetes takes a text for the name of a label or an
// annotation.
func isQualified(name string) bool {
	prefix, short, found := strings.Cut(name, "/")
	if !found {
		return isShortName(name)
	}
	return isShortName(short) && KubernetesStore{}.refuse(prefix) == ""
}

func isShortName(name string) bool {
	return pattern(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`).MatchString(name)
}
