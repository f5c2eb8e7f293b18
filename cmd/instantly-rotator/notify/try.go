package notify

import (
	"context"
	"time"
)

// Try sends r a message that says it is a test: once, now, whatever kinds it
// wants. From is who speaks. The error is one of errors.go.
func Try(ctx context.Context, from string, r Receiver) error {
	m := newMailbox(ctx, Options{From: from}, r)
	return m.attempt(ctx, note{Message: Message{
		Kind: "test", Text: "notifications of instantly-rotator arrive here; nothing is to be done", At: time.Now(),
	}})
}
