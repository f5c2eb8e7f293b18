// Package kubernetescluster connects to a Kubernetes cluster, for all who talk to
// one: the store of Secrets, the election of a leader, and the rollouts after a
// promotion. It finds the cluster and makes clients for single API groups; what is
// called there is the business of whoever calls.
package kubernetescluster

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// FieldManager is whom the cluster names as the writer of our fields.
const FieldManager = "instantly-rotator"

// Client is a connection to a cluster, shared by all who talk to that cluster. It
// is safe for concurrent use.
type Client struct {
	cfg       *rest.Config
	core      rest.Interface
	namespace string
	clock     atomic.Pointer[sighting]
}

// Location says where a cluster is: what a kubeconfig file says, and in it a
// context. If both are empty it is the one that the process runs in, and outside of
// one what KUBECONFIG or ~/.kube/config say. Locations can be compared.
type Location struct {
	Kubeconfig, Context string
}

// Connect finds a cluster. It makes no call. Its errors wrap those of package
// secretstore.
func Connect(at Location) (*Client, error) {
	cfg, namespace, err := at.find()
	if err != nil {
		return nil, fmt.Errorf("connect to Kubernetes: %w", err)
	}
	return New(cfg, namespace)
}

// New connects as a configuration of client-go says, which it does not change. The
// namespace is what [Client.Namespace] gives.
func New(cfg *rest.Config, namespace string) (*Client, error) {
	c := &Client{cfg: rest.CopyConfig(cfg), namespace: namespace}
	c.cfg.ContentType, c.cfg.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	c.cfg.UserAgent = FieldManager
	c.cfg.QPS = -1                           // the cluster's own fairness is enough, and waiting is logged
	c.cfg.WarningHandler = rest.NoWarnings{} // stores do not log
	c.cfg.Wrap(c.watchClock)
	var err error
	c.core, err = c.Group(corev1.SchemeGroupVersion, corev1.AddToScheme)
	return c, err
}

// Core gives the client for the core API group, where Secrets are.
func (c *Client) Core() rest.Interface { return c.core }

// Group makes a client for the resources of one API group, whose types register
// adds; client-go's own retries are the caller's to switch off. The typed clients
// of client-go register every type that Kubernetes has: 17 MB of binary.
func (c *Client) Group(version schema.GroupVersion, register func(*runtime.Scheme) error) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	if err := register(scheme); err != nil {
		return nil, fmt.Errorf("connect to Kubernetes: %w: %w", secretstore.ErrUnavailable, err)
	}
	cfg := rest.CopyConfig(c.cfg)
	cfg.APIPath, cfg.GroupVersion = "/apis", &version
	if version.Group == corev1.GroupName {
		cfg.APIPath = "/api"
	}
	cfg.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to Kubernetes at %s: %w: %w", cfg.Host, secretstore.ErrUnavailable, err)
	}
	return client, nil
}

// Namespace is what is meant where none is named: the pod's own, or that of the
// kubeconfig's context; empty if neither says.
func (c *Client) Namespace() string { return c.namespace }

// Host is the address of the API server.
func (c *Client) Host() string { return c.cfg.Host }

// DiscardLogs keeps client-go from writing to standard error, which it does by
// itself, about the whole process. Calls return their errors all the same.
func DiscardLogs() { klog.SetLogger(klog.Logger{}) }

// find gives the cluster, and the namespace that is meant there.
func (at Location) find() (*rest.Config, string, error) {
	if at == (Location{}) {
		cfg, err := rest.InClusterConfig()
		if err == nil {
			return cfg, podNamespace(), nil
		}
		if !errors.Is(err, rest.ErrNotInCluster) {
			return nil, "", fmt.Errorf("the pod's service account cannot be used; is automountServiceAccountToken off? %w: %w", secretstore.ErrNoCredentials, err)
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.WarnIfAllMissing = false // the error says so
	rules.ExplicitPath = at.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: at.Context})
	cfg, err := loader.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("no cluster to talk to: run in one, or set kubeconfig, or KUBECONFIG: %w: %w", secretstore.ErrNoCredentials, err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", secretstore.ErrNoCredentials, err)
	}
	return cfg, namespace, nil
}

// podNamespace is where the pod runs; empty if that cannot be told.
func podNamespace() string {
	name, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}
