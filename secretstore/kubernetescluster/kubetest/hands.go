package kubetest

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Make makes an empty Secret, as a person does.
func (s *Server) Make(namespace, name string) {
	s.mu.Lock()
	uid := s.newUID()
	s.mu.Unlock()
	s.Adopt(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: uid}, Type: corev1.SecretTypeOpaque})
}

// Freeze makes a Secret immutable.
func (s *Server) Freeze(namespace, name string) {
	sec, yes := s.Secret(namespace, name), true
	sec.Immutable = &yes
	s.Adopt(sec)
}

// Fill puts another value into a Secret, so that there is room for so many bytes more.
func (s *Server) Fill(namespace, name string, room int) {
	sec := s.Secret(namespace, name)
	held := 0
	for _, value := range sec.Data {
		held += len(value)
	}
	sec.Data["other"] = make([]byte, corev1.MaxSecretSize-held-room)
	s.Adopt(sec)
}

// Pause pauses a Deployment.
func (s *Server) Pause(namespace, name string) {
	Change(s, namespace, name, func(d *appsv1.Deployment) { d.Spec.Paused = true })
}
