package rotator_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// cloud is Instantly, as far as one workspace's keys go.
type cloud struct {
	mu      sync.Mutex
	keys    map[string]*cloudKey
	n       int
	creates int
	probes  map[string]time.Time // value → when it last was found valid
	judge   *world

	activation, revocation time.Duration
	probeErr               error // what every test call gets instead of an answer
	org                    string
}

type cloudKey struct {
	instantly.Key
	value     string
	foreign   bool
	byHand    bool // revoked by a person
	liveFrom  time.Time
	deadFrom  time.Time // zero: lives
	deletedAt time.Time
}

func (k *cloudKey) listed() bool { return k.deletedAt.IsZero() }

func (c *cloud) all() []*cloudKey {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*cloudKey
	for _, k := range c.keys {
		out = append(out, k)
	}
	return out
}

func (c *cloud) listedKeys() []*cloudKey {
	return slices.DeleteFunc(c.all(), func(k *cloudKey) bool { return !k.listed() })
}

func (c *cloud) find(value string) *cloudKey {
	for _, k := range c.keys {
		if k.value == value {
			return k
		}
	}
	return nil
}

func (c *cloud) alive(value string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.find(value)
	return k != nil && k.live(time.Now())
}

func (k *cloudKey) live(now time.Time) bool {
	return !now.Before(k.liveFrom) && (k.deadFrom.IsZero() || now.Before(k.deadFrom))
}

func (c *cloud) revokedByHand(value string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.find(value)
	return k != nil && k.byHand
}

func (c *cloud) provenAt(value string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.probes[value]
}

// add makes a key as somebody else would.
func (c *cloud) add(name string) *cloudKey {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.create(name, []string{"campaigns:read"})
	k.foreign = true
	return k
}

func (c *cloud) create(name string, scopes []string) *cloudKey {
	c.n++
	k := &cloudKey{value: fmt.Sprintf("value-%d", c.n), liveFrom: time.Now().Add(c.activation)}
	k.Key = instantly.Key{ID: fmt.Sprintf("key-%d", c.n), Name: name, Scopes: scopes, Organization: c.organization(), Secret: secret.New(k.value), Created: time.Now()}
	c.keys[k.ID] = k
	return k
}

func (c *cloud) organization() string {
	if c.org != "" {
		return c.org
	}
	return orgID
}

// revokeByHand deletes a key in the vendor's user interface.
func (c *cloud) revokeByHand(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.keys[id]
	k.byHand, k.deletedAt, k.deadFrom = true, time.Now(), time.Now()
}

var errDead = errors.New("invalid API key")
