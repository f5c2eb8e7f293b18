package kubetest

import (
	"encoding/json"
	"net/http"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// review answers whether a verb is allowed: all are that are not denied.
func (s *Server) review(body []byte) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var r authorizationv1.SelfSubjectAccessReview
	if err := json.Unmarshal(body, &r); err != nil || r.Spec.ResourceAttributes == nil {
		return *badRequest("this is no SelfSubjectAccessReview")
	}
	if s.Denied["review"] {
		return failure(http.StatusForbidden, metav1.StatusReasonForbidden, "selfsubjectaccessreviews.authorization.k8s.io is forbidden")
	}
	r.Kind, r.APIVersion = "SelfSubjectAccessReview", "authorization.k8s.io/v1"
	r.Status.Allowed = !s.Denied[r.Spec.ResourceAttributes.Verb]
	return answer{http.StatusCreated, &r}
}
