package storekind

import (
	"errors"
	"io"
	"time"
)

// Environment is what the stores of one configuration have in common. It is not
// for several goroutines; the stores that were opened in it are.
type Environment struct {
	// Owner is the deployment that the secrets belong to.
	Owner string
	// Now tells the time.
	Now func() time.Time
	// ReadOnly: opening a store changes nothing; what is not there is not made.
	ReadOnly bool

	shared map[any]any
	open   []io.Closer
}

// Close closes what the stores share. They fail from then on.
func (e *Environment) Close() error {
	var errs []error
	for _, c := range e.open {
		errs = append(errs, c.Close())
	}
	e.open = nil
	return errors.Join(errs...)
}

// outcome is what was made, or why it could not be.
type outcome[V any] struct {
	v   V
	err error
}

// Share gives what the stores of an environment share under a key: a client for
// each account, say. It is made at most once, since to search for credentials may
// take long, and that it failed is remembered too. What has a method Close is
// closed with the environment. The key's type is the package's own, so that keys
// of two packages are never the same.
func Share[K comparable, V any](e *Environment, key K, create func() (V, error)) (V, error) {
	if known, ok := e.shared[key].(outcome[V]); ok {
		return known.v, known.err
	}
	var made outcome[V]
	made.v, made.err = create()
	if e.shared == nil {
		e.shared = map[any]any{}
	}
	e.shared[key] = made
	if c, ok := any(made.v).(io.Closer); ok && made.err == nil {
		e.open = append(e.open, c)
	}
	return made.v, made.err
}
