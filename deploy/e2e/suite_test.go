//go:build e2e

package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// What the suite is given.
var (
	rotatorImage  = flag.String("rotator-image", "ghcr.io/instantly-rotator/instantly-rotator:v0.1.0", "the rotator's `image`, loaded beforehand")
	consumerImage = flag.String("consumer-image", "ghcr.io/instantly-rotator/consumer:e2e", "the `image` of deploy/e2e/consumer, loaded beforehand")
	kubectlPath   = flag.String("kubectl", "kubectl", "the `program` kubectl")
	helmPath      = flag.String("helm", "helm", "the `program` helm, version 3")
	// Shorter than a kubelet takes to bring a changed Secret into a pod, and the
	// consumer is right to fail.
	grace = flag.Duration("grace", 25*time.Second, "`grace period` of old keys; longer than mounted Secrets take to follow")
	keep  = flag.Bool("keep", false, "leave the namespaces there, to be inspected")
)

// kube is the cluster that KUBECONFIG names.
var kube *cluster

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var stop func()
	var err error
	if kube, stop, err = connect(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer stop()
	code := m.Run()
	fmt.Print(verdicts.table())
	return code
}

// command runs a program and gives its standard output.
func command(ctx context.Context, stdin, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		err = fmt.Errorf("%w: %s", err, ended.Stderr)
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
	}
	return string(out), err
}

// clusterTimeout bounds waits for what the cluster brings about.
const clusterTimeout = 90 * time.Second

// eventually waits until try gives true.
func eventually(t *testing.T, within time.Duration, what string, try func() (bool, error)) {
	t.Helper()
	var last error
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		ok, err := try()
		if ok && err == nil {
			return
		}
		last = err
	}
	t.Fatalf("not within %s: %s (last error: %v)", within, what, last)
}
