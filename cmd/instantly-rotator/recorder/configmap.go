package recorder

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// The data keys of the ConfigMap.
const (
	headKey       = "head"
	checkpointKey = "checkpoint"
	publicKeyKey  = "public-key"
)

// ConfigMap keeps the state of a trail that has no folder, with the verbs get and patch. It
// is not made here: a trail whose ConfigMap somebody deleted is not begun anew unseen.
type ConfigMap struct {
	cluster         *kubernetescluster.Client
	rest            rest.Interface
	namespace, name string
}

var (
	_ trail.Shelf  = (*ConfigMap)(nil)
	_ trail.Prober = (*ConfigMap)(nil)
)

// NewConfigMap makes no call. An empty namespace is the cluster's default.
func NewConfigMap(c *kubernetescluster.Client, namespace, name string) (*ConfigMap, error) {
	if namespace == "" {
		namespace = c.Namespace()
	}
	if namespace == "" {
		return nil, fmt.Errorf("the trail's ConfigMap %s: in which namespace is not known", name)
	}
	return &ConfigMap{c, c.Core(), namespace, name}, nil
}

// Load implements [trail.Shelf].
func (m *ConfigMap) Load(ctx context.Context) (trail.Kept, error) {
	const retries = 2
	return m.do(ctx, "get", m.rest.Get().MaxRetries(retries))
}

// Swap implements [trail.Shelf]. It is sent once: sent again it would find its own write.
func (m *ConfigMap) Swap(ctx context.Context, to trail.Kept) (trail.Kept, error) {
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]string{"resourceVersion": to.Revision},
		"data":     map[string]string{headKey: to.Head, checkpointKey: to.Checkpoint, publicKeyKey: to.PublicKey},
	})
	if err != nil {
		return trail.Kept{}, fmt.Errorf("encode a patch: %w", err)
	}
	return m.do(ctx, "patch", m.rest.Patch(types.MergePatchType).Param("fieldManager", kubernetescluster.FieldManager).MaxRetries(0).Body(body))
}

// Probe implements [trail.Prober]: may the ConfigMap be patched?
func (m *ConfigMap) Probe(ctx context.Context) error {
	right := kubernetescluster.Access{Verb: "patch", Resource: "configmaps", Namespace: m.namespace, Name: m.name}
	allowed, err := m.cluster.Allowed(ctx, right)
	if err == nil && !allowed {
		err = fmt.Errorf("the trail's ConfigMap %s in namespace %s: the role needs %s", m.name, m.namespace, right)
	}
	return err
}

func (m *ConfigMap) do(ctx context.Context, verb string, r *rest.Request) (trail.Kept, error) {
	var found corev1.ConfigMap
	err := r.Namespace(m.namespace).Resource("configmaps").Name(m.name).Do(ctx).Into(&found)
	switch {
	case err == nil:
		return trail.Kept{
			Head: found.Data[headKey], Checkpoint: found.Data[checkpointKey], PublicKey: found.Data[publicKeyKey], Revision: found.ResourceVersion,
		}, nil
	case apierrors.IsConflict(err):
		return trail.Kept{}, trail.ErrMoved
	case apierrors.IsNotFound(err):
		return trail.Kept{}, fmt.Errorf("the trail's ConfigMap is not there: kubectl --namespace %s create configmap %s: %w", m.namespace, m.name, err)
	case apierrors.IsForbidden(err):
		return trail.Kept{}, fmt.Errorf("%s the trail's ConfigMap %s in namespace %s: the role needs get and patch on it: %w", verb, m.name, m.namespace, err)
	default:
		return trail.Kept{}, fmt.Errorf("%s the trail's ConfigMap %s in namespace %s: %w", verb, m.name, m.namespace, err)
	}
}
