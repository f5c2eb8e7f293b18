package kubernetessecret

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Kind is Kubernetes Secrets in the configuration.
func Kind() storekind.Kind {
	return storekind.Kind{
		Name: "kubernetes", Title: "Secrets of a Kubernetes cluster", Settings: func() storekind.Settings { return &Settings{} }, Discover: discover,
	}
}

// Settings say which namespace's Secrets they are.
type Settings struct {
	// Namespace; empty for the pod's own, or that of the kubeconfig's context.
	Namespace string
	// Key is the data key of the current value.
	Key string
	// Cluster is where the cluster is.
	Cluster kubernetescluster.Location
	// CreateMissing makes Secrets that are not there, as Create says.
	CreateMissing bool
	Create        Create
}

var (
	_ storekind.Settings = (*Settings)(nil)
	_ storekind.ByHand   = (*Settings)(nil)
)

// Options implements [storekind.Settings].
func (s *Settings) Options() []storekind.Option {
	return []storekind.Option{
		{
			Name: "namespace", Into: &s.Namespace, Asked: true, Pattern: kubernetescluster.NamespacePattern, Want: kubernetescluster.NamespaceWant,
			Doc:      "The namespace of the Secrets. Left out, the pod's own or, outside of a cluster, that of the kubeconfig's context.",
			Examples: []string{"growth"},
		},
		{
			// An annotation is named after it.
			Name: "key", Into: &s.Key, Default: DefaultKey, Pattern: kubernetescluster.ShortNamePattern,
			Want: "want letters, digits and ._-, at most 63, a letter or digit first and last",
			Doc: "The data key that consumers read. The key before it is kept under the same name with -previous while it lives, " +
				"one under test with -pending. Other data keys are never touched.",
			Examples: []string{"api-key", "INSTANTLY_API_KEY"},
		},
		{
			Name: "kubeconfig", Into: &s.Cluster.Kubeconfig, Path: true,
			Doc: "A kubeconfig file. Left out, the cluster that the rotator runs in or, outside of one, what KUBECONFIG says.",
		},
		{Name: "context", Into: &s.Cluster.Context, Doc: "A context of the kubeconfig. Left out, its current one."},
		{
			Name: "create_missing", Into: &s.CreateMissing, Asked: true, Default: "false",
			Doc: "Make a Secret that is not there, at the first write. Off, so that a misspelt name is an error, " +
				"and because the right to create cannot be limited to names.",
		},
		{Name: "labels", Into: &s.Create.Labels, Default: "{}", Doc: "Labels of a Secret that is made."},
		{Name: "annotations", Into: &s.Create.Annotations, Default: "{}", Doc: "Annotations of a Secret that is made."},
	}
}

// Check implements [storekind.Settings].
func (s *Settings) Check(c storekind.Checker) {
	for _, stage := range []secretstore.Stage{secretstore.Previous, secretstore.Pending} {
		if suffix := suffixes()[stage]; strings.HasSuffix(s.Key, suffix) {
			c.Fail("key", "the rotator adds "+suffix+" itself", "bad data key %s", c.Quote(s.Key))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Create.Labels)) {
		value := s.Create.Labels[name]
		if !kubernetescluster.IsQualifiedName(name) || value != "" && !kubernetescluster.IsShortName(value) {
			c.Fail("labels", "want letters, digits and ._-, at most 63, a letter or digit first and last; in the name also PREFIX/ before that",
				"bad label %s: %s", c.Quote(name), c.Quote(value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Create.Annotations)) {
		switch {
		case strings.HasPrefix(name, annotationPrefix):
			c.Fail("annotations", annotationPrefix+" is what the rotator keeps its state under", "bad annotation %s", c.Quote(name))
		case !kubernetescluster.IsQualifiedName(name):
			c.Fail("annotations", "want letters, digits and ._-, at most 63, with or without PREFIX/ before that", "bad annotation %s", c.Quote(name))
		}
	}
}

// Refuse implements [storekind.Settings].
func (s *Settings) Refuse(secret string) string {
	if !kubernetescluster.IsObjectName(secret) {
		return "want lower-case letters, digits, hyphens and dots, at most 253, a letter or digit first and last"
	}
	return ""
}

// Place implements [storekind.Settings]. It takes two contexts for two clusters:
// only they know better.
func (s *Settings) Place(secret string) string {
	return strings.Join([]string{s.Cluster.Kubeconfig, s.Cluster.Context, s.Namespace, secret, s.Key}, " ")
}

// PutCommand implements [storekind.ByHand]. Other data keys stay as they are.
func (s *Settings) PutCommand(secret string) string {
	namespace := ""
	if s.Namespace != "" {
		namespace = " -n " + s.Namespace
	}
	return "kubectl" + namespace + " create secret generic " + secret + " --from-file=" + s.Key + "=/dev/stdin --dry-run=client -o yaml | kubectl" +
		namespace + " apply --server-side --force-conflicts -f -"
}

// Open implements [storekind.Settings]. All who talk to a cluster share a client.
func (s *Settings) Open(_ context.Context, env *storekind.Environment, secret string) (secretstore.Store, error) {
	cluster, err := storekind.Share(env, s.Cluster, func() (*kubernetescluster.Client, error) { return kubernetescluster.Connect(s.Cluster) })
	if err != nil {
		return nil, err
	}
	o := Options{Namespace: s.Namespace, Secret: secret, Key: s.Key, Owner: env.Owner, Now: env.Now}
	if s.CreateMissing {
		o.CreateMissing = &s.Create
	}
	return Open(cluster, o)
}
