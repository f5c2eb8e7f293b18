package config

import (
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
)

// key checks one entry of keys, which has inherited the defaults already.
func (c *checker) key(k *keyForm, f *fileForm) Key {
	key := c.rotation(&k.rotationForm)
	key.Name = k.Name.v
	key.Workspace = c.workspaceOf(k, f)
	key.Scopes = c.scopes(k)
	key.AllowCriticalScopes = k.AllowCriticalScopes.v
	key.KnownTo = c.people(k.KnownTo)
	key.Stores = c.storesOf(k, f)
	key.Sinks = c.sinksOf(k, f)
	c.restartable(k)
	return key
}

// workspaceOf gives the key's workspace; the only one if it names none.
func (c *checker) workspaceOf(k *keyForm, f *fileForm) string {
	known := f.Workspaces.names()
	switch {
	case k.Workspace.ok:
		c.reference(k.Workspace, "workspace", known)
	case k.Workspace.written(): // reported
	case len(known) == 1:
		return known[0]
	case len(known) > 1:
		at := k.below("workspace")
		c.fail(at, knownAre(known), "is missing: there are several workspaces")
	}
	return k.Workspace.v
}

// storesOf gives the secrets that hold the key.
func (c *checker) storesOf(k *keyForm, f *fileForm) []StoreRef {
	if k.Stores.written() && len(k.Stores.Items) == 0 && !c.hasErrorWithin(k.Stores.path) {
		c.fail(k.Stores.mark, "write - {store: NAME}", "is empty: a key must be kept somewhere")
	}
	if len(k.Stores.Items) > 0 {
		c.primary(k.Stores.Items[0].Store)
	}
	var refs []StoreRef
	for _, s := range k.Stores.Items {
		if ref, ok := c.storeRef(k, s, f); ok {
			refs = append(refs, ref)
		}
	}
	return refs
}

// primary reports a primary of a kind that may only follow.
func (c *checker) primary(store text) {
	kind, why := c.cfg.Stores[store.v].Kind, ""
	var others []string
	for _, k := range all.Kinds() {
		if k.Name == kind {
			why = k.FollowerOnly
		}
		if k.FollowerOnly == "" {
			others = append(others, k.Name)
		}
	}
	if store.ok && why != "" {
		c.fail(store.mark, "list a store of another kind before it ("+strings.Join(others, ", ")+"), which this one then follows",
			"a store of kind %s cannot be the first: %s", kind, why)
	}
}

// storeRef gives one secret that holds the key; ok is false if it is not known.
func (c *checker) storeRef(k *keyForm, s storeRefForm, f *fileForm) (ref StoreRef, ok bool) {
	if !s.Store.ok || !c.reference(s.Store, "store", f.Stores.names()) {
		return StoreRef{}, false
	}
	ref = StoreRef{Store: s.Store.v, Secret: s.Secret.v}
	at := s.Secret.mark
	if !s.Secret.written() {
		ref.Secret, at = k.Name.v, s.mark
		if !k.Name.ok {
			return StoreRef{}, false
		}
	} else if !s.Secret.ok {
		return StoreRef{}, false
	}
	c.secretName(ref, at)
	return ref, true
}

// distinctNames reports two targets of one name.
func (c *checker) distinctNames(keys []keyForm) {
	first := map[string]mark{}
	for _, k := range keys {
		if !k.Name.ok {
			continue
		}
		if at, taken := first[k.Name.v]; taken {
			c.clash(k.Name.mark, "give each target its own name", at.inLine(), "another target is named %q", k.Name.v)
			continue
		}
		first[k.Name.v] = k.Name.mark
	}
}

// distinctSecrets reports two uses of one secret: keys would take each other's
// place, or that of an admin key or a receiver's URL.
func (c *checker) distinctSecrets(f *fileForm) {
	first := map[string]mark{}
	for _, e := range f.Notify.Entries {
		c.occupy(e.Value.URL.Store, e.Value.URL.Secret, e.Value.URL.mark, first)
	}
	for _, e := range f.Sinks.Entries {
		for _, credential := range e.Value.credentials {
			c.occupy(credential.ref.Store, credential.ref.Secret, credential.at(), first)
		}
	}
	for _, e := range f.Workspaces.Entries {
		c.occupy(e.Value.AdminKey.Store, e.Value.AdminKey.Secret, e.Value.AdminKey.mark, first)
	}
	for _, e := range f.Workspaces.Entries {
		name := text{value[string]{v: e.Name.v + "-admin-key", ok: true}}
		for _, s := range e.Value.AdminKey.Rotate.Followers.Items {
			c.distinctSecret(name, s, first)
		}
	}
	for _, k := range f.targets() {
		for _, s := range k.Stores.Items {
			c.distinctSecret(k.Name, s, first)
		}
	}
}

// occupy notes a secret that no key may be kept in.
func (c *checker) occupy(store, secret text, at mark, first map[string]mark) {
	if s, ok := c.cfg.Stores[store.v]; ok && secret.ok {
		first[s.place(secret.v)] = at
	}
}

// distinctSecret reports a secret of a target that is in use already.
func (c *checker) distinctSecret(target text, s storeRefForm, first map[string]mark) {
	store, ok := c.cfg.Stores[s.Store.v]
	secret := s.Secret
	if !secret.written() {
		secret.v, secret.ok = target.v, target.ok
	}
	if !ok || !secret.ok {
		return
	}
	place := store.place(secret.v)
	if at, taken := first[place]; taken {
		c.clash(s.mark, "give each its own secret", at.byPath(), "the secret is in use already")
		return
	}
	first[place] = s.mark
}

// rotation checks the options that keys inherit. It gives a Key with nothing
// but these.
func (c *checker) rotation(f *rotationForm) Key {
	zone := c.zone(f)
	group, apart := c.keepApart(f.KeepApart)
	c.quietWithinGrace(f)
	return Key{
		Schedule:          c.schedule(f, zone),
		Jitter:            f.Jitter.v,
		Freeze:            c.freeze(f.Freeze, zone),
		Group:             group,
		Apart:             apart,
		Grace:             c.grace(f.GracePeriod),
		MaxAge:            c.positive(f.MaxAge),
		ActivationTimeout: c.upToAnHour(f.ActivationTimeout),
		RevocationTimeout: c.upToAnHour(f.RevocationTimeout),
		AfterPromote:      c.afterPromote(f.AfterPromote),
	}
}

// zone gives the time zone; UTC if it cannot be read, to check the rest all the
// same.
func (c *checker) zone(f *rotationForm) *time.Location {
	if !f.Timezone.ok {
		return time.UTC
	}
	zone, err := ParseTimezone(f.Timezone.v)
	if err != nil {
		c.failErr(f.Timezone.mark, err)
		return time.UTC
	}
	return zone
}

// schedule reads the schedule in its time zone.
func (c *checker) schedule(f *rotationForm, zone *time.Location) Schedule {
	if !f.Schedule.ok {
		return nil
	}
	s, err := ParseSchedule(f.Schedule.v, zone)
	if err != nil {
		c.failErr(f.Schedule.mark, err)
		return nil
	}
	if ticks, ok := s.(fieldSchedule); ok && ticks.onEitherDay() {
		c.warn(f.Schedule.mark, "leave one of the two at *", "day and weekday are both given: it ticks on each of these days and on each of these weekdays, as in cron")
	}
	if !Never(s) {
		c.compareWithSchedule(f, s)
	}
	return s
}

// compareWithSchedule warns of options that get in each other's way.
func (c *checker) compareWithSchedule(f *rotationForm, s Schedule) {
	between, seen := c.gaps[s.String()]
	if !seen {
		between = gapsOf(s)
		c.gaps[s.String()] = between
	}
	grace, age := f.GracePeriod, f.MaxAge
	if j := f.Jitter; j.ok && j.v >= between.shortest/2 {
		c.fail(closest(j.mark, f.Schedule.mark), "want less than half of the time between two ticks, which is "+formatDuration(between.shortest),
			"%s is too much", formatDuration(j.v))
	}
	if grace.ok && between.shortest <= grace.v {
		c.warn(closest(f.Schedule.mark, grace.mark), "schedule less often or shorten the grace period",
			"the schedule ticks every %s, but no rotation starts before the last one's grace period of %s is over",
			formatDuration(between.shortest), formatDuration(grace.v))
	}
	if grace.ok && age.ok && age.v > 0 && age.v <= grace.v {
		c.warn(closest(age.mark, grace.mark), "raise max_age or shorten the grace period",
			"a key is due at the age of %s, but no rotation starts before the last one's grace period of %s is over",
			formatDuration(age.v), formatDuration(grace.v))
	}
	if age.ok && age.v > 0 && age.v < between.longest {
		c.warn(closest(age.mark, f.Schedule.mark), "raise max_age or schedule more often",
			"max_age of %s comes before the schedule, which leaves up to %s between rotations",
			formatDuration(age.v), formatDuration(between.longest))
	}
}

// closest gives the mark that the user likely thinks of: the key's own rather
// than an inherited one, a written one rather than a default.
func closest(a, b mark) mark {
	inherited := strings.HasPrefix(a.path, "defaults.") && !strings.HasPrefix(b.path, "defaults.")
	if !a.written() || inherited {
		return b
	}
	return a
}

// Bounds outside of which a grace period is legal but seldom meant.
const (
	shortGrace = 5 * time.Minute
	longGrace  = 30 * 24 * time.Hour
)

func (c *checker) grace(d duration) time.Duration {
	switch {
	case !d.ok:
	case d.v == 0:
		c.fail(d.mark, "to end an old key's life at once, as when a key has leaked, use the command line, for that one rotation",
			"must be more than 0: consumers would hold a dead key until they read the new one")
	case d.v < shortGrace:
		c.warn(d.mark, "is that longer than any consumer caches its key?", "%s is short", formatDuration(d.v))
	case d.v > longGrace:
		c.warn(d.mark, "a key that leaked stays useful for that long", "%s is long", formatDuration(d.v))
	}
	return d.v
}

// freeze reads the windows in which no rotation starts by itself; nil if there are none.
func (c *checker) freeze(l list[text], zone *time.Location) *Freeze {
	f := Freeze{zone: zone}
	for _, t := range l.Items {
		if !t.ok {
			continue
		}
		w, err := parseFreeze(t.v)
		if err != nil {
			c.failErr(t.mark, err)
			continue
		}
		f.windows = append(f.windows, w)
	}
	if len(f.windows) == 0 {
		return nil
	}
	return &f
}

// keepApart reads "GROUP/DURATION".
func (c *checker) keepApart(t text) (group string, apart time.Duration) {
	if !t.ok {
		return "", 0
	}
	group, span, _ := strings.Cut(t.v, "/")
	apart, err := ParseDuration(span)
	if err == nil && apart == 0 {
		err = &hinted{"bad keep_apart " + quote(t.v), "want more than 0"}
	}
	if err != nil {
		c.failErr(t.mark, err)
		return "", 0
	}
	return group, apart
}

// The bounds of resync and lease.
const (
	leastResync = time.Second
	mostLease   = time.Hour
)

func (c *checker) resync(d duration) time.Duration {
	if d.ok && d.v < leastResync {
		c.fail(d.mark, "want at least 1s", "%s is out of range", formatDuration(d.v))
	}
	return d.v
}

func (c *checker) lease(d duration) time.Duration {
	if d.ok && d.v > mostLease {
		c.fail(d.mark, "want at most 1h", "%s is out of range", formatDuration(d.v))
	}
	return d.v
}

func (c *checker) positive(d duration) time.Duration {
	if d.ok && d.v == 0 {
		c.fail(d.mark, "leave the line out for the default", "must be more than 0")
	}
	return d.v
}

func (c *checker) upToAnHour(d duration) time.Duration {
	if d.ok && d.v > time.Hour {
		c.fail(d.mark, "want at most 1h", "%s is out of range", formatDuration(d.v))
	}
	return c.positive(d)
}
