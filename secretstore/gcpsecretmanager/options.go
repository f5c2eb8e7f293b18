package gcpsecretmanager

import (
	"errors"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
)

// Options say which secret it is and how it is kept.
type Options struct {
	// Project is the project's id or number.
	Project string
	// Secret is the secret's id: 1 to 255 letters, digits, "-" and "_".
	Secret string
	// CreateMissing makes the secret at the first write if it is not there; nil:
	// its absence is ErrNotFound.
	CreateMissing *Create
	// Payload is how a key's value is written; [payload.Raw] if nil.
	Payload payload.Form
	// Owner is the deployment that the secret belongs to. One that bears the
	// mark of another is refused. "instantly-rotator" if empty.
	Owner string
	// KeepVersions is how many forgotten versions are kept, disabled, before
	// they are destroyed.
	KeepVersions int
	// Disable forgotten versions and destroy none.
	Disable bool
	// Now tells the time; time.Now if nil.
	Now func() time.Time
}

// Create says how a secret is made.
type Create struct {
	// Replication lists the locations that keep the values; empty for
	// automatic. A regional secret has none.
	Replication []string
	// KMSKey is the resource name of the Cloud KMS key that encrypts the values,
	// empty for Google's own. It must be where the values are, so that there is
	// one location at most.
	KMSKey string
	// Labels of the secret.
	Labels map[string]string
}

// defaultOwner is the owner where none is configured.
const defaultOwner = "instantly-rotator"

func (o Options) withDefaults() Options {
	if o.Owner == "" {
		o.Owner = defaultOwner
	}
	if o.Payload == nil {
		o.Payload = payload.Raw{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// blank is the secret that [Create] describes.
func (c Create) blank(site Site) (*secretmanagerpb.Secret, error) {
	if c.KMSKey != "" && len(c.Replication) > 1 {
		return nil, errors.New("one KMS key cannot serve several locations; create the secret yourself, with a key for each")
	}
	sec := &secretmanagerpb.Secret{Labels: c.Labels}
	var encryption *secretmanagerpb.CustomerManagedEncryption
	if c.KMSKey != "" {
		encryption = &secretmanagerpb.CustomerManagedEncryption{KmsKeyName: c.KMSKey}
	}
	switch {
	case site.Location != "":
		sec.CustomerManagedEncryption = encryption
	case len(c.Replication) == 0:
		sec.Replication = &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_Automatic_{
			Automatic: &secretmanagerpb.Replication_Automatic{CustomerManagedEncryption: encryption},
		}}
	default:
		sec.Replication = userManaged(c.Replication, encryption)
	}
	return sec, nil
}

func userManaged(locations []string, encryption *secretmanagerpb.CustomerManagedEncryption) *secretmanagerpb.Replication {
	var replicas []*secretmanagerpb.Replication_UserManaged_Replica
	for _, location := range locations {
		replicas = append(replicas, &secretmanagerpb.Replication_UserManaged_Replica{
			Location: location, CustomerManagedEncryption: encryption,
		})
	}
	return &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_UserManaged_{
		UserManaged: &secretmanagerpb.Replication_UserManaged{Replicas: replicas},
	}}
}
