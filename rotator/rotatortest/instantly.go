package rotatortest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Organization is the one that keys are issued in.
const Organization = "0193a7c2-0000-7000-8000-0000000000ff"

// ErrDead is the refusal of a key that does not work.
var ErrDead = errors.New("invalid API key")

// Instantly is one workspace, as far as its keys go. Set its fields while no
// call is under way.
type Instantly struct {
	// Keys ever made, by id.
	Keys map[string]*Key
	// Creates counts the create calls.
	Creates int
	// Activation and Revocation are how long a new key does not work yet, and a
	// deleted one still does.
	Activation, Revocation time.Duration
	// ProbeErr is what every test call gets instead of an answer.
	ProbeErr error
	// Refuses, if set, tells which living keys fail their test calls.
	Refuses func(Key) bool
	// Misnames, if set, tells of which new keys the answer to the create has another id
	// than the key list.
	Misnames func(Key) bool
	// Shows: the key list gives values. Mute: nobody says what a value may do.
	Shows, Mute bool
	// MovedTo is the organization, once it is no longer [Organization].
	MovedTo string

	mu     sync.Mutex
	proven map[string]time.Time // value → when it last was found valid
}

// Key is a key at Instantly.
type Key struct {
	rotator.Key
	Value     string
	Foreign   bool // made by somebody else
	Adopted   bool // and shown to be what a store had, when that was taken over
	ByHand    bool // revoked by a person
	LiveFrom  time.Time
	DeadFrom  time.Time // zero: lives
	DeletedAt time.Time
}

// KeyID is the id of the nth key that is made, counted from 1.
func KeyID(n int) string { return fmt.Sprintf("0193a7c2-5a10-7c3e-9b1f-%012d", n) }

// ValueOf is the value of the key with that id.
func ValueOf(id string) secret.Value { return secret.New("value of " + id) }

// Listed tells whether the key is in the workspace's list.
func (k *Key) Listed() bool { return k.DeletedAt.IsZero() }

func (k *Key) live(now time.Time) bool {
	return !now.Before(k.LiveFrom) && (k.DeadFrom.IsZero() || now.Before(k.DeadFrom))
}

// All lists all keys ever made, in no order.
func (c *Instantly) All() []*Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*Key
	for _, k := range c.Keys {
		out = append(out, k)
	}
	return out
}

// ListedKeys lists those that are not deleted.
func (c *Instantly) ListedKeys() []*Key {
	return slices.DeleteFunc(c.All(), func(k *Key) bool { return !k.Listed() })
}

// Alive tells whether the value is that of a key that works.
func (c *Instantly) Alive(value string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.find(value)
	return k != nil && k.live(time.Now())
}

func (c *Instantly) revokedByHand(value string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.find(value)
	return k != nil && k.ByHand
}

// listedAs tells whether the key of that id has that value.
func (c *Instantly) listedAs(id, value string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.Keys[id]
	return k != nil && k.Value == value
}

func (c *Instantly) provenAt(value string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.proven[value]
}

// Add makes a key as somebody else would.
func (c *Instantly) Add(name string) *Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.create(name, "campaigns:read")
	k.Foreign = true
	return k
}

// RevokeByHand deletes a key in the vendor's user interface.
func (c *Instantly) RevokeByHand(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.Keys[id]
	k.ByHand, k.DeletedAt, k.DeadFrom = true, time.Now(), time.Now()
}

// adopted notes that somebody took a key over, and whether it was shown to be his.
func (c *Instantly) adopted(id string, shown bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Keys[id].Adopted = shown
}

// The rest is for callers that hold the lock.

func (c *Instantly) find(value string) *Key {
	for _, k := range c.Keys {
		if k.Value == value {
			return k
		}
	}
	return nil
}

func (c *Instantly) create(name string, spec secretstore.Spec) *Key {
	id := KeyID(len(c.Keys) + 1)
	k := &Key{Value: ValueOf(id).Reveal(), LiveFrom: time.Now().Add(c.Activation)}
	k.Key = rotator.Key{
		ID: id, Name: name, Spec: spec, Account: c.organization(),
		Value: secret.New(k.Value), Created: time.Now(),
	}
	c.Keys[id] = k
	return k
}

func (c *Instantly) organization() string {
	if c.MovedTo != "" {
		return c.MovedTo
	}
	return Organization
}

func (c *Instantly) test(value string) (rotator.TestCall, error) {
	if c.ProbeErr != nil {
		return rotator.TestCall{}, c.ProbeErr
	}
	k, now := c.find(value), time.Now()
	if k == nil || !k.live(now) || c.Refuses != nil && c.Refuses(*k) {
		return rotator.TestCall{Verdict: rotator.Invalid, Err: ErrDead}, nil
	}
	c.proven[value] = now
	return rotator.TestCall{Verdict: rotator.Valid}, nil
}

func (c *Instantly) identify(value string) (told rotator.Identity) {
	k := c.find(value)
	if k == nil || !k.live(time.Now()) {
		return told
	}
	if c.Shows {
		told.KeyID = k.ID
	}
	if !c.Mute {
		told.Spec, told.Attested = k.Spec, true
	}
	return told
}
