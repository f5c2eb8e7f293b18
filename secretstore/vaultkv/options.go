package vaultkv

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
)

// Options say which secret of a server it is.
type Options struct {
	// Mount is the path of the secrets engine.
	Mount string
	// Path is what consumers read.
	Path string
	// Payload is how the key is written there, as a JSON object; a field api_key if nil.
	Payload payload.Form
	// Owner is the deployment that the secret belongs to. One that bears the mark of
	// another is refused. "instantly-rotator" if empty.
	Owner string
	// Now tells the time; time.Now if nil.
	Now func() time.Time
}

const (
	defaultOwner = "instantly-rotator"
	// stateSuffix is what the path beside the consumers' ends in.
	stateSuffix = "-rotator"
)

// Open gives the store of a secret. It makes no call: what is wrong with the secret,
// Describe finds out.
func (c *Client) Open(o Options) (*Store, error) {
	if o.Mount == "" || o.Path == "" {
		return nil, fmt.Errorf("vaultkv: open: a store needs a mount and a path: %w", secretstore.ErrNotFound)
	}
	if o.Payload == nil {
		form, err := payload.NewJSON(nil)
		if err != nil {
			return nil, err
		}
		o.Payload = form
	}
	if o.Owner == "" {
		o.Owner = defaultOwner
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{
		o: o, engine: engine{client: c, mount: o.Mount}, statePath: o.Path + stateSuffix,
		place: c.namespace + "/" + o.Mount + "/" + o.Path,
	}, nil
}
