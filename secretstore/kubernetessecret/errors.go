package kubernetessecret

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// failed maps what a call to the cluster ended with to the sentinels of package
// secretstore, and says what was tried, on what, and what to do.
func (c *client) failed(verb string, err error) error {
	what, sentinel := c.judged(verb, err)
	if what == "" {
		return fmt.Errorf("%s: %w: %w", verb, sentinel, err)
	}
	return fmt.Errorf("%s: %w: %s: %w", verb, sentinel, what, err)
}

func (c *client) judged(verb string, err error) (what string, sentinel error) {
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return "", secretstore.ErrUnavailable
	case apierrors.IsNotFound(err) && verb == "create":
		return "there is no such namespace; make it with: kubectl create namespace " + c.namespace, secretstore.ErrNotFound
	case apierrors.IsNotFound(err):
		return "", secretstore.ErrNotFound
	case apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err):
		return "", secretstore.ErrConflict
	case apierrors.IsUnauthorized(err):
		return "the cluster does not accept the credentials; check the service account's token or the kubeconfig", secretstore.ErrDenied
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return fmt.Sprintf("namespace %s is being deleted", c.namespace), secretstore.ErrDenied
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "cannot "+verb):
		return fmt.Sprintf("needs the verb %s on the secret %s in namespace %s", verb, c.name, c.namespace), secretstore.ErrDenied
	case apierrors.IsInvalid(err) && strings.Contains(err.Error(), "immutable"):
		return c.isImmutable(), secretstore.ErrDenied
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsRequestEntityTooLargeError(err), apierrors.IsBadRequest(err):
		return "the cluster refuses it", secretstore.ErrDenied
	default:
		return "", secretstore.ErrUnavailable
	}
}

func (c *client) isImmutable() string {
	return fmt.Sprintf("the Secret is immutable, and that cannot be undone; delete it and make it anew without immutable: true: "+
		"kubectl --namespace %s delete secret %s", c.namespace, c.name)
}

// unlessRepeated keeps an answer that repeats a value out of every message: an
// admission webhook may say anything.
func unlessRepeated(err error, p patch) error {
	repeats := false
	for _, value := range p.values {
		repeats = repeats || value.IsIn(err.Error())
	}
	if !repeats {
		return err
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return errors.New("(an error that repeats the value, not shown)")
	}
	kept := &apierrors.StatusError{ErrStatus: status.Status()}
	kept.ErrStatus.Message, kept.ErrStatus.Details = "(an answer that repeats the value, not shown)", nil
	if kept.ErrStatus.Code == 0 {
		kept.ErrStatus.Code = http.StatusInternalServerError
	}
	return kept
}
