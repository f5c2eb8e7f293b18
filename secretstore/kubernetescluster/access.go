package kubernetescluster

import (
	"context"
	"fmt"
	"net/http"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Access is a right, in the words of RBAC.
type Access struct {
	Verb, Group, Resource, Namespace string
	// Name of the object; empty for all of them, or one that is to be made.
	Name string
}

// String says it as a role has it.
func (a Access) String() string {
	group := ""
	if a.Group != "" {
		group = " (API group " + a.Group + ")"
	}
	if a.Name == "" {
		return fmt.Sprintf("the verb %s on %s in namespace %s%s", a.Verb, a.Resource, a.Namespace, group)
	}
	return fmt.Sprintf("the verb %s on %s/%s in namespace %s%s", a.Verb, a.Resource, a.Name, a.Namespace, group)
}

// accessTimeout bounds one question.
const accessTimeout = 30 * time.Second

// Allowed asks the cluster whether the client has a right, by a SelfSubjectAccessReview,
// which everybody may make unless somebody took that away. It changes nothing.
func (c *Client) Allowed(ctx context.Context, a Access) (bool, error) {
	client, err := c.Group(authorizationv1.SchemeGroupVersion, authorizationv1.AddToScheme)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, accessTimeout)
	defer cancel()
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: a.Verb, Group: a.Group, Version: "v1", Resource: a.Resource, Namespace: a.Namespace, Name: a.Name,
		},
	}}
	var answer authorizationv1.SelfSubjectAccessReview
	err = client.Post().Resource("selfsubjectaccessreviews").MaxRetries(0).Body(review).Do(ctx).Into(&answer)
	if err != nil {
		return false, fmt.Errorf("ask for %s: %w: %w", a, secretstore.ErrUnavailable, err)
	}
	return answer.Status.Allowed, nil
}

// Clock is the cluster's as of its last answer, and ours at that time; zero if it does
// not tell.
func (c *Client) Clock() (theirs, ours time.Time) {
	if seen := c.clock.Load(); seen != nil {
		return seen.theirs, seen.ours
	}
	return time.Time{}, time.Time{}
}

// sighting of a clock.
type sighting struct{ theirs, ours time.Time }

// watchClock takes the date of each answer.
func (c *Client) watchClock(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
			c.clock.Store(&sighting{date, time.Now()})
		}
		return res, nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements [http.RoundTripper].
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
