package kubernetessecret

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// callTimeout bounds one call, so that a cluster that accepts connections and
// says nothing cannot hold up a target for good.
const callTimeout = 30 * time.Second

// client makes the calls about one Secret.
type client struct {
	rest            rest.Interface
	namespace, name string
	keys            map[secretstore.Stage]string // data keys
	mark            string                       // the annotation that holds the state
}

func newClient(c rest.Interface, o Options) *client {
	return &client{
		rest: c, namespace: o.Namespace, name: o.Secret, keys: dataKeys(o.Key), mark: annotationPrefix + o.Key,
	}
}

// annotationPrefix is what our annotations' names begin with.
const annotationPrefix = "instantly-rotator.dev/"

// suffixes are what the data keys of the stages' values end in.
func suffixes() map[secretstore.Stage]string {
	return map[secretstore.Stage]string{secretstore.Current: "", secretstore.Previous: "-previous", secretstore.Pending: "-pending"}
}

// dataKeys are the data keys of the stages' values.
func dataKeys(key string) map[secretstore.Stage]string {
	keys := suffixes()
	for stage, suffix := range keys {
		keys[stage] = key + suffix
	}
	return keys
}

// get reads the Secret. client-go repeats it where the cluster asks for that.
func (c *client) get(ctx context.Context) (object, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var sec corev1.Secret
	const retries = 2
	err := c.rest.Get().Namespace(c.namespace).Resource("secrets").Name(c.name).MaxRetries(retries).Do(ctx).Into(&sec)
	if err != nil {
		return object{}, c.failed("get", err)
	}
	return c.unwire(&sec), nil
}

// patch writes once.
func (c *client) patch(ctx context.Context, p patch) (object, error) {
	body, err := c.wire(p)
	if err != nil {
		return object{}, fmt.Errorf("encode a patch: %w", secretstore.ErrCorrupt)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var sec corev1.Secret
	err = c.rest.Patch(types.MergePatchType).Namespace(c.namespace).Resource("secrets").Name(c.name).
		Param("fieldManager", kubernetescluster.FieldManager).MaxRetries(0).Body(body).Do(ctx).Into(&sec)
	if err != nil {
		return object{}, c.failed("patch", unlessRepeated(err, p))
	}
	return c.unwire(&sec), nil
}

// create makes the Secret, without a value.
func (c *client) create(ctx context.Context, how Create) (object, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	blank := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: c.name, Namespace: c.namespace, Labels: how.Labels, Annotations: how.Annotations},
		Type:       corev1.SecretTypeOpaque,
	}
	var sec corev1.Secret
	err := c.rest.Post().Namespace(c.namespace).Resource("secrets").Param("fieldManager", kubernetescluster.FieldManager).
		MaxRetries(0).Body(blank).Do(ctx).Into(&sec)
	if err != nil {
		return object{}, c.failed("create", err)
	}
	return c.unwire(&sec), nil
}
