package fleet

import (
	"context"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Notifier starts telling the configuration's receivers; whoever calls it closes
// it, before the connections. It opens the stores that keep URLs, within ctx, but
// reads no URL yet, and so cannot fail: a receiver that cannot be reached fails its
// own messages. What becomes of each is logged, and told to observe,
// which may be nil and must not block.
func (c *Connections) Notifier(ctx context.Context, observe func(notify.Outcome)) *notify.Notifier {
	logged := logOutcomes(c.Log)
	o := notify.Options{From: c.Config.Owner, Observe: func(out notify.Outcome) {
		logged(out)
		if observe != nil {
			observe(out)
		}
	}}
	for _, r := range c.Config.Notify {
		o.Receivers = append(o.Receivers, c.Receiver(ctx, r))
	}
	return notify.New(o)
}

// Receiver binds a receiver to where its URL is. A store is opened here and now:
// connections are not for several goroutines.
func (c *Connections) Receiver(ctx context.Context, r config.Receiver) notify.Receiver {
	read := c.Secret
	if r.URL.Store != "" {
		st := c.Store(ctx, config.StoreRef{Store: r.URL.Store, Secret: r.URL.Secret})
		read = func(ctx context.Context, ref config.SecretRef) (secret.Value, error) {
			return c.storedSecret(ctx, ref, st)
		}
	}
	return notify.Receiver{
		Name: r.Name, On: r.On,
		URL: func(ctx context.Context) (secret.Value, error) { return read(ctx, r.URL) },
	}
}

// logOutcomes tells the log what became of each notification: a lost one as a
// warning, since nobody else tells of it.
func logOutcomes(log *zap.Logger) func(notify.Outcome) {
	return func(o notify.Outcome) {
		level := zapcore.DebugLevel
		if o.Result == notify.Undelivered || o.Result == notify.Dropped {
			level = zapcore.WarnLevel
		}
		fields := []zap.Field{
			zap.String("receiver", o.Receiver), zap.String("kind", string(o.Kind)), zap.String("outcome", string(o.Result)), zap.Int("attempts", o.Attempts),
		}
		if o.Err != nil {
			fields = append(fields, zap.String("error", o.Err.Error()))
		}
		log.Log(level, "notification", fields...)
	}
}
