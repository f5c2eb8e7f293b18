// Package places proves that a key may live in many kinds of places at once: two kinds of
// followers behind a primary of a third, and two sinks that cannot be read back, while the
// process that rotates it is killed at random instants. A consumer behind each of them uses
// what it finds there all the time; none is ever refused. See the Makefile's places.
package places
