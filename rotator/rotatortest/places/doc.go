// Package places proves that a key may live in many kinds of places at once: two kinds of
// followers behind a primary of a third, and two sinks that cannot be read back, while the
// process that rotates it is killed at random instants. A consumer behind each of them uses
// what it finds there all the time; none is ever refused. Vault may be its own KV engine,
// out of a module of its own. See the Makefile's places.
package places
