package kubernetessecret

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// Options say which Secret of a cluster it is.
type Options struct {
	// Namespace of the Secret; empty for the cluster's default.
	Namespace string
	// Secret is the Secret's name.
	Secret string
	// Key is the data key of the current value; [DefaultKey] if empty. At most
	// [MaxKey] characters.
	Key string
	// CreateMissing makes the Secret at the first write if it is not there; nil:
	// its absence is ErrNotFound.
	CreateMissing *Create
	// Owner is the deployment that the Secret belongs to. One that bears the
	// mark of another is refused. "instantly-rotator" if empty.
	Owner string
	// Now tells the time; time.Now if nil.
	Now func() time.Time
}

// Create says what a Secret that is made bears besides its name.
type Create struct {
	Labels, Annotations map[string]string
}

const (
	// DefaultKey is the data key of the current value where none is configured.
	DefaultKey = "api-key"
	// MaxKey is the most characters that a data key may have: an annotation is
	// named after it, and those have at most 63.
	MaxKey = 63

	defaultOwner = "instantly-rotator"
)

// Open gives the store of a Secret of a cluster. It makes no call: what is wrong with the
// Secret, Describe finds out.
func Open(c *kubernetescluster.Client, o Options) (*Store, error) {
	o = o.withDefaults()
	if o.Namespace == "" {
		o.Namespace = c.Namespace()
	}
	if o.Secret == "" || o.Namespace == "" || len(o.Key) > MaxKey {
		return nil, fmt.Errorf("kubernetessecret: open: a store needs a namespace, a secret and a key of at most %d characters: %w",
			MaxKey, secretstore.ErrNotFound)
	}
	return &Store{o: o, client: newClient(c.Core(), o), cluster: c}, nil
}

func (o Options) withDefaults() Options {
	if o.Key == "" {
		o.Key = DefaultKey
	}
	if o.Owner == "" {
		o.Owner = defaultOwner
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
