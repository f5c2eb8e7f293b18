package fleet

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
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

// ReconcileAll is the engine's. When the run of an admin key ends, this process acts with
// the one that the store has, also if another instance put it there: the one of before
// ends with its grace period.
func (f *Fleet) ReconcileAll(ctx context.Context, ts []rotator.Target, req rotator.Request, done func(rotator.Result)) []rotator.Result {
	byName := map[string]rotator.Target{}
	for _, t := range ts {
		if t.Credential {
			byName[t.Name] = t
		}
	}
	return f.Rotator.ReconcileAll(ctx, ts, req, func(r rotator.Result) {
		if t, ok := byName[r.Target]; ok {
			f.takeUp(ctx, t, r)
		}
		if done != nil {
			done(r)
		}
	})
}

// takeUp acts with the current admin key. One of unknown origin is tried when the one in
// use is refused, not before: nobody has tested it.
func (f *Fleet) takeUp(ctx context.Context, t rotator.Target, r rotator.Result) {
	key, cur := f.adminKeyOf(t.Name), r.Status.Current
	if key == nil || key.Credential == nil || cur == nil || cur.Foreign || r.Status.Dead || r.Status.Refused {
		return
	}
	if acted, _ := f.actsWith.Load(t.Name); acted == cur.ID {
		return
	}
	if !r.Rotated { // else the engine has
		value, err := t.Stores[0].Read(ctx, cur.ID)
		if err != nil {
			f.Log.Warn("the admin key could not be read again: the next run tries", zap.String("target", t.Name), zap.Error(err))
			return
		}
		if !value.Equal(key.Value()) {
			key.Replace(value)
			f.Log.Info("acting with the admin key that another instance made", zap.String("target", t.Name), zap.String("key_id", cur.ID))
		}
	}
	f.actsWith.Store(t.Name, cur.ID)
}

// adminKeyOf gives what the workspaces of an admin key's target act with; nil if none was
// opened.
func (f *Fleet) adminKeyOf(target string) *adminKey {
	for _, ws := range f.Config.Workspaces {
		if ws.AdminTarget == target {
			return f.admins[f.placeOf(ws.AdminKey)]
		}
	}
	return nil
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
