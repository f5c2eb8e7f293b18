// Package e2e tells, on a real Kubernetes, the stories that the rest of the tests
// tell in miniature: what deploy/ ships is applied, a sandbox runs as a pod in
// Instantly's place, and a consumer pod uses the mounted key all the time while
// leaders are deleted, suspended, cut off and killed. A story has gone well if none
// of the consumer's requests failed and no key is left over.
//
// The suite takes any cluster, but for stories that reach into the node it also
// needs E2E_NODE_EXEC. On kind, from the root of the repository, with two images
// loaded (see -rotator-image and -consumer-image):
//
//	kind create cluster --config deploy/e2e/kind.yaml
//	docker build -f deploy/Dockerfile -t ghcr.io/instantly-rotator/instantly-rotator:v0.1.0 .
//	docker build -f deploy/e2e/consumer/Dockerfile -t ghcr.io/instantly-rotator/consumer:e2e .
//	kind load docker-image ghcr.io/instantly-rotator/instantly-rotator:v0.1.0 ghcr.io/instantly-rotator/consumer:e2e
//	E2E_NODE_EXEC='docker exec kind-control-plane' go test -tags e2e -count 1 -parallel 16 -v ./deploy/e2e
//
// It needs kubectl and helm. It makes namespaces of its own, refuses to begin if
// one of them is there already, and deletes them when it is done.
package e2e
