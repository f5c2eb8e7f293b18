package leader

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// errNoLease: the Lease is not there yet.
var errNoLease = errors.New("there is no Lease yet")

// record is a Lease as the election sees it.
type record struct {
	holder            string // empty if nobody holds it
	acquired, renewed time.Time
	lasts             time.Duration
	transitions       int32
	object            *coordinationv1.Lease // as it was read: what is not ours in it is kept
}

// sameTerm tells whether nobody renewed or took the Lease from one read to the
// other.
func (r record) sameTerm(other record) bool {
	return other.object != nil && r.holder == other.holder && r.renewed.Equal(other.renewed) && r.transitions == other.transitions
}

// calls makes the calls about one Lease, with the verbs get, create and update.
type calls struct {
	rest            rest.Interface
	namespace, name string
}

func newCalls(c *kubernetescluster.Client, namespace, name string) (calls, error) {
	client, err := c.Group(coordinationv1.SchemeGroupVersion, coordinationv1.AddToScheme)
	return calls{client, namespace, name}, err
}

func (c calls) get(ctx context.Context) (record, error) {
	r, err := c.do(ctx, "get", c.rest.Get().Name(c.name))
	if apierrors.IsNotFound(err) {
		return r, errNoLease
	}
	return r, err
}

func (c calls) create(ctx context.Context, r record) (record, error) {
	r.object = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: c.name, Namespace: c.namespace}}
	return c.do(ctx, "create", c.rest.Post().Body(r.lease()))
}

// update writes the Lease if it is as it was read.
func (c calls) update(ctx context.Context, r record) (record, error) {
	return c.do(ctx, "update", c.rest.Put().Name(c.name).Body(r.lease()))
}

// do sends a request once: what is wanted may be over when it is sent again.
func (c calls) do(ctx context.Context, verb string, r *rest.Request) (record, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var lease coordinationv1.Lease
	err := r.Namespace(c.namespace).Resource("leases").MaxRetries(0).Do(ctx).Into(&lease)
	switch {
	case err == nil:
		return recordOf(&lease), nil
	case apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err):
		return record{}, errTaken
	case apierrors.IsForbidden(err):
		return record{}, fmt.Errorf("%s the Lease %s in namespace %s: the role needs get, create and update on leases of coordination.k8s.io: %w",
			verb, c.name, c.namespace, err)
	default:
		return record{}, fmt.Errorf("%s the Lease %s in namespace %s: %w", verb, c.name, c.namespace, err)
	}
}

func recordOf(lease *coordinationv1.Lease) record {
	r := record{object: lease}
	spec := lease.Spec
	if spec.HolderIdentity != nil {
		r.holder = *spec.HolderIdentity
	}
	if spec.LeaseDurationSeconds != nil {
		r.lasts = time.Duration(*spec.LeaseDurationSeconds) * time.Second
	}
	if spec.AcquireTime != nil {
		r.acquired = spec.AcquireTime.Time
	}
	if spec.RenewTime != nil {
		r.renewed = spec.RenewTime.Time
	}
	if spec.LeaseTransitions != nil {
		r.transitions = *spec.LeaseTransitions
	}
	return r
}

// lease gives the object to be written.
func (r record) lease() *coordinationv1.Lease {
	lease := r.object.DeepCopy()
	seconds := int32(r.lasts / time.Second)
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds, lease.Spec.LeaseTransitions = &r.holder, &seconds, &r.transitions
	lease.Spec.AcquireTime, lease.Spec.RenewTime = &metav1.MicroTime{Time: r.acquired}, &metav1.MicroTime{Time: r.renewed}
	return lease
}
