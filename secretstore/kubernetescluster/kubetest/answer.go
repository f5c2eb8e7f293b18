package kubetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// answer is a status code and a Secret or a Status.
type answer struct {
	code int
	body any
}

func reply(w http.ResponseWriter, a answer) {
	switch body := a.body.(type) {
	case *corev1.Secret:
		body = body.DeepCopy()
		body.APIVersion, body.Kind = "v1", "Secret"
		a.body = body
	case *metav1.Status:
		body.APIVersion, body.Kind = "v1", "Status"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.code)
	_ = json.NewEncoder(w).Encode(a.body)
}

func failure(code int, reason metav1.StatusReason, message string) answer {
	return answer{code, &metav1.Status{Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message}}
}

func notFound(resource, name string) answer {
	a := failure(http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("%s %q not found", resource, name))
	a.body.(*metav1.Status).Details = &metav1.StatusDetails{Name: name, Kind: resource}
	return a
}

func conflict(name string) answer {
	return failure(http.StatusConflict, metav1.StatusReasonConflict, fmt.Sprintf("Operation cannot be fulfilled on secrets %q: "+
		"the object has been modified; please apply your changes to the latest version and try again", name))
}

func forbidden(verb string, n types.NamespacedName) answer {
	return failure(http.StatusForbidden, metav1.StatusReasonForbidden, fmt.Sprintf(`secrets %q is forbidden: User "system:serviceaccount:%s:rotator" `+
		`cannot %s resource "secrets" in API group "" in the namespace %q`, n.Name, n.Namespace, verb, n.Namespace))
}

func invalid(name string, problems []string) answer {
	return failure(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid,
		fmt.Sprintf("Secret %q is invalid: %s", name, strings.Join(problems, ", ")))
}

func badRequest(message string) *answer {
	a := failure(http.StatusBadRequest, metav1.StatusReasonBadRequest, message)
	return &a
}
