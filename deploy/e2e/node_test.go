//go:build e2e

package e2e_test

import (
	"context"
	"os"
	"strings"
	"testing"
)

// The stories that stop, kill and cut off processes reach into the node, with
// the command in E2E_NODE_EXEC, such as "docker exec kind-control-plane".

// needNode says so where a story cannot be told.
func needNode(t *testing.T) {
	t.Helper()
	if os.Getenv("E2E_NODE_EXEC") == "" {
		t.Skip("NOT RUN: E2E_NODE_EXEC is not set: a command that runs its arguments on the node")
	}
}

// onNode runs a command on the node.
func onNode(ctx context.Context, args ...string) (string, error) {
	all := append(strings.Fields(os.Getenv("E2E_NODE_EXEC")), args...)
	return command(ctx, "", all[0], all[1:]...)
}

// process gives the process id, on the node, of the rotator in a pod.
func (s *scene) process(of pod) string {
	s.Helper()
	// The pod's UID is in the names of its cgroups, with _ for - where systemd made them.
	uid := strings.ReplaceAll(of.Metadata.UID, "-", "[-_]")
	out, err := onNode(s.Context(), "sh", "-c",
		`for f in $(grep -lsE '`+uid+`' /proc/[0-9]*/cgroup); do d=${f%/cgroup}; grep -qs '^instantly-rotat' "$d/comm" && echo "${d#/proc/}"; done; true`)
	s.must(err)
	ids := strings.Fields(out)
	if len(ids) != 1 {
		s.Fatalf("pod %s has the processes %q on the node, want one", of.Metadata.Name, ids)
	}
	return ids[0]
}

// signal sends a signal to a process on the node.
func (s *scene) signal(name, process string) {
	s.Helper()
	_, err := onNode(s.Context(), "kill", "-"+name, process)
	s.must(err)
}

// cutOff drops what a pod sends to the API server, and nothing else: it still
// reaches the sandbox, and could revoke a key there. heal takes it back.
func (s *scene) cutOff(of pod) (heal func()) {
	s.Helper()
	var api struct {
		Spec struct {
			ClusterIP string `json:"clusterIP"`
		} `json:"spec"`
	}
	s.must(kube.read("/api/v1/namespaces/default/services/kubernetes", &api))
	rule := func(ctx context.Context, verb string) error {
		// Before the Service's address is translated: connections that stand are cut, too.
		_, err := onNode(ctx, "iptables", "-w", "-t", "raw", verb, "PREROUTING", "-s", of.Status.PodIP, "-d", api.Spec.ClusterIP, "-j", "DROP")
		return err
	}
	s.must(rule(s.Context(), "-I"))
	healed := false
	heal = func() {
		if healed {
			return
		}
		healed = true
		if err := rule(context.Background(), "-D"); err != nil {
			s.Error(err)
		}
	}
	s.Cleanup(heal)
	return heal
}
