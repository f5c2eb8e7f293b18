package kubernetessecret

import (
	"cmp"
	"context"
	"fmt"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// discover asks the cluster that is found here which API groups it has: whoever it
// knows may ask that, and nobody else.
func discover(ctx context.Context) (storekind.Discovery, error) {
	cluster, err := kubernetescluster.Connect(kubernetescluster.Location{})
	if err != nil {
		return storekind.Discovery{}, fmt.Errorf("kubernetessecret: %w", err)
	}
	if _, err := cluster.Core().Get().AbsPath("/apis").MaxRetries(0).DoRaw(ctx); err != nil {
		return storekind.Discovery{}, fmt.Errorf("kubernetessecret: %w", err)
	}
	namespace := cmp.Or(cluster.Namespace(), "default")
	return storekind.Discovery{
		As:       fmt.Sprintf("%s, namespace %s", cluster.Host(), namespace),
		Settings: map[string]string{"namespace": namespace},
	}, nil
}
