package instantly

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// A Credential is the admin key that clients act with. It may be replaced while
// they use it, and several may share it: an agency's admin key acts for many
// workspaces.
type Credential struct {
	value    atomic.Pointer[secret.Value]
	renew    func(context.Context) (secret.Value, error)
	renewing sync.Mutex
}

// NewCredential begins with an admin key. renew reads it again from where it is
// kept; nil if it is not kept where it may be replaced.
func NewCredential(value secret.Value, renew func(context.Context) (secret.Value, error)) *Credential {
	c := &Credential{renew: renew}
	c.Replace(value)
	return c
}

// Replace has all clients act with value from their next request on.
func (c *Credential) Replace(value secret.Value) { c.value.Store(&value) }

// Value is the admin key that clients act with now.
func (c *Credential) Value() secret.Value { return *c.value.Load() }

// renewed takes up what is kept by now in the place of the admin key that was
// refused. It tells whether that is another one: then somebody replaced it, and a
// request that was refused is worth another try.
func (c *Credential) renewed(ctx context.Context, refused secret.Value) bool {
	if c.renew == nil {
		return false
	}
	c.renewing.Lock()
	defer c.renewing.Unlock()
	if !c.Value().Equal(refused) {
		return true // by another call, meanwhile
	}
	now, err := c.renew(ctx)
	if err != nil || now.Equal(refused) || checkSendable(now) != nil {
		return false
	}
	c.Replace(now)
	return true
}
