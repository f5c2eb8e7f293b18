// Package kubetest is a stand-in for the part of the Kubernetes API that keeps
// Secrets, for tests: it holds state and speaks the wire protocol, so that the
// real client is in the loop. It is strict: what the API server would let pass
// with a warning, such as a field that is not known, it refuses.
//
// It is pinned to the API server by a suite of requests that runs on either, see
// TestAnswersAsTheAPIServerDoes; what it does not do, it answers with 501.
package kubetest
