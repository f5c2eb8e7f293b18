// Package kubetest is a stand-in for the parts of the Kubernetes API that keep
// Secrets, Leases, Deployments, StatefulSets and ConfigMaps, for tests: it holds state and
// speaks the wire protocol, so that the real client is in the loop. It is strict:
// what the API server would let pass with a warning, such as a field that is not
// known, it refuses.
//
// Secrets and Leases are pinned to the API server by requests that are sent to
// either, see TestAnswersAsTheAPIServerDoes; what it does not do, it answers with
// 501. No controllers run in it: a test says with [Change] what they did.
package kubetest
