package notify

import (
	"context"
	"fmt"
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

// Check tells why r's URL could not be used, and calls nobody. The error is one of errors.go.
func Check(ctx context.Context, r Receiver) error {
	url, err := r.URL(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoURL, err)
	}
	return wellFormed(url)
}
