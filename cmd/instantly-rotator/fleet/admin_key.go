package fleet

import (
	"context"
	"errors"
	"fmt"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// ErrNoAdminKey: a workspace's admin key is not where the configuration says.
var ErrNoAdminKey = errors.New("no admin key")

// An adminKey is one, as all workspaces share it that name the same place.
type adminKey struct {
	*instantly.Credential // nil if it could not be had
	err                   error
	stored                bool // in a store
	read                  func(context.Context) (secret.Value, error)
}

// adminKey reads the key from where the configuration refers to, once. When it is
// refused later, it is read again: somebody may have replaced it.
func (c *Connections) adminKey(ctx context.Context, ref config.SecretRef) *adminKey {
	place := c.placeOf(ref)
	if key, ok := c.admins[place]; ok {
		return key
	}
	key := &adminKey{stored: ref.Store != "", read: c.reader(ctx, ref)}
	c.admins[place] = key
	value, err := key.read(ctx)
	switch {
	case err != nil:
		key.err = fmt.Errorf("%w: %w", ErrNoAdminKey, err)
	case ref.Env != "": // it stays what it is while this process lives
		key.Credential = instantly.NewCredential(value, nil)
	default:
		key.Credential = instantly.NewCredential(value, key.read)
	}
	return key
}

// placeOf names where a secret is: two that are the same are one.
func (c *Connections) placeOf(ref config.SecretRef) string {
	if st, ok := c.Config.Stores[ref.Store]; ok {
		return st.Kind + " " + st.Settings.Place(ref.Secret)
	}
	return ref.Env + "\n" + ref.File
}

// reader gives what reads a secret, from any goroutine.
func (c *Connections) reader(ctx context.Context, ref config.SecretRef) func(context.Context) (secret.Value, error) {
	if ref.Store == "" {
		return func(ctx context.Context) (secret.Value, error) { return c.Secret(ctx, ref) }
	}
	st := c.Store(ctx, config.StoreRef{Store: ref.Store, Secret: ref.Secret})
	return func(ctx context.Context) (secret.Value, error) { return c.storedSecret(ctx, ref, st) }
}

// AdminKeyReplaced tells whether a store has another admin key by now than the one
// that is in use.
func (c *Connections) AdminKeyReplaced(ctx context.Context) bool {
	for _, key := range c.admins {
		if !key.stored {
			continue
		}
		now, err := key.read(ctx)
		if err == nil && (key.Credential == nil || !now.Equal(key.Value())) {
			return true
		}
	}
	return false
}

// NotRotated says of a workspace that its admin key is not kept fresh; empty if it is.
func NotRotated(ws config.Workspace) string {
	where := "environment variable " + ws.AdminKey.Env
	switch {
	case ws.AdminTarget != "":
		return ""
	case ws.AdminKey.File != "":
		where = "file " + ws.AdminKey.File
	case ws.AdminKey.Store != "":
		return fmt.Sprintf("the admin key of workspace %s is not rotated, since admin_key has no rotate", ws.Name)
	}
	return fmt.Sprintf("the admin key of workspace %s is not rotated, since it is in %s and not in a store", ws.Name, where)
}
