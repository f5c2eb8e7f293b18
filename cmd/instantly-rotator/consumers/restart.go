package consumers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// A target's name and these prefixes make the annotations of a pod template that have the id
// of the key its pods were restarted for, and since when every store had it: a pod may have
// found another one in a store that was set back by hand. Each target has its own: with one
// for all, two targets of one Deployment would restart it in turn, for good.
const (
	annotationPrefix = "key-id.instantly-rotator.dev/"
	sincePrefix      = "since.instantly-rotator.dev/"
)

// callTimeout bounds one call to the cluster.
const callTimeout = 30 * time.Second

// Restart restarts the pods of a Deployment or StatefulSet, as kubectl rollout
// restart does, and is passed when none of before is left. It needs the verbs get
// and patch on it.
type Restart struct {
	cluster   *kubernetescluster.Client
	rest      rest.Interface
	target    string
	kind      string // deployment or statefulset
	namespace string
	name      string
}

var _ rotator.Gate = (*Restart)(nil)

// NewRestart makes the gate of a target. The workload is KIND/NAME, of kind
// deployment or statefulset; an empty namespace is the cluster's default. It makes
// no call.
func NewRestart(c *kubernetescluster.Client, target, workload, namespace string) (*Restart, error) {
	if namespace == "" {
		namespace = c.Namespace()
	}
	kind, name, _ := strings.Cut(workload, "/")
	if kind != "deployment" && kind != "statefulset" || name == "" || namespace == "" {
		return nil, fmt.Errorf("restart %s in namespace %q: want a namespace, and deployment/NAME or statefulset/NAME", workload, namespace)
	}
	client, err := c.Group(appsv1.SchemeGroupVersion, appsv1.AddToScheme)
	if err != nil {
		return nil, err
	}
	return &Restart{cluster: c, rest: client, target: target, kind: kind, namespace: namespace, name: name}, nil
}

// Name implements [rotator.Gate].
func (r *Restart) Name() string { return "restart of " + r.kind + "/" + r.name }

// Pass implements [rotator.Gate].
func (r *Restart) Pass(ctx context.Context, m rotator.Move) error {
	w, err := r.get(ctx)
	if err != nil {
		return err
	}
	if !w.isFor(m) {
		if w, err = r.patch(ctx, m); err != nil {
			return err
		}
	}
	return w.done()
}

// workload is what the gate has to know of one.
type workload struct {
	rollout
	restartedFor string    // key id
	since        time.Time // zero if that is not known
}

// isFor tells whether the pods were restarted for the key since every store had it. By clocks
// that differ a move never goes back: two instances would restart the pods in turn.
func (w workload) isFor(m rotator.Move) bool {
	return w.restartedFor == m.KeyID && !m.Since.After(w.since)
}

func (r *Restart) workload(now rollout, annotations map[string]string) workload {
	since, err := time.Parse(time.RFC3339Nano, annotations[sincePrefix+r.target])
	if err != nil {
		since = time.Time{} // not ours, or not known then
	}
	return workload{now, annotations[annotationPrefix+r.target], since}
}

func (r *Restart) get(ctx context.Context) (workload, error) {
	const retries = 2
	return r.do(ctx, "get", r.rest.Get().MaxRetries(retries))
}

// patch restarts the pods. A second one for the same move changes nothing.
func (r *Restart) patch(ctx context.Context, m rotator.Move) (workload, error) {
	type object = map[string]any
	annotations := object{annotationPrefix + r.target: m.KeyID, sincePrefix + r.target: stamp(m)}
	body, err := json.Marshal(object{"spec": object{"template": object{"metadata": object{"annotations": annotations}}}})
	if err != nil {
		return workload{}, fmt.Errorf("encode a patch: %w", err)
	}
	return r.do(ctx, "patch", r.rest.Patch(types.MergePatchType).Param("fieldManager", kubernetescluster.FieldManager).MaxRetries(0).Body(body))
}

func (r *Restart) do(ctx context.Context, verb string, request *rest.Request) (workload, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request = request.Namespace(r.namespace).Resource(r.kind + "s").Name(r.name)
	if r.kind == "deployment" {
		var d appsv1.Deployment
		err := r.into(ctx, verb, request, &d)
		return r.workload(rolloutOfDeployment(&d), d.Spec.Template.Annotations), err
	}
	var s appsv1.StatefulSet
	err := r.into(ctx, verb, request, &s)
	return r.workload(rolloutOfStatefulSet(&s), s.Spec.Template.Annotations), err
}

func (r *Restart) into(ctx context.Context, verb string, request *rest.Request, o runtime.Object) error {
	switch err := request.Do(ctx).Into(o); {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err):
		return fmt.Errorf("there is no %s %s in namespace %s; put it right under after_promote: %w", r.kind, r.name, r.namespace, err)
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "cannot "+verb):
		return fmt.Errorf("the role needs the verb %s on the %s %s in namespace %s (API group apps): %w", verb, r.kind, r.name, r.namespace, err)
	default:
		return fmt.Errorf("%s %s %s in namespace %s: %w", verb, r.kind, r.name, r.namespace, err)
	}
}
