package kubetest

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Configure keeps a ConfigMap that is empty.
func (s *Server) Configure(namespace, name string) {
	s.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}})
}

// Configured gives what is in a ConfigMap.
func (s *Server) Configured(namespace, name string) (data map[string]string) {
	Change(s, namespace, name, func(m *corev1.ConfigMap) { data = maps.Clone(m.Data) })
	return data
}
