package simulation

import (
	"net/http"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// slack is by how much the times of two processes may differ from the judge's:
// their clocks, and how long a call may take.
const slack = 2*MostSkew + 2*time.Minute

// judgeStore checks what consumers of a store read after a call, and whether
// it works. by is nil where people did it.
func (w *world) judgeStore(by *instance, target, store int, call string) {
	t := w.targets[target]
	if t.senders != nil {
		w.judgeGiven(by, t, store, call)
		return
	}
	s := t.stores[store]
	if by != nil && !isBlind(call) {
		by.lastRead[s.name] = w.calls
	}
	value := s.Current()
	if s.Latest != nil {
		latest := s.Latest()
		if latest == "" && value != "" {
			w.violate("rule 1: after %s of %s there is a current version, but latest gives nothing", call, s.name)
		}
		w.judgeServed(s, latest, "latest", call)
		if latest != s.latest {
			w.judgeNew(by, s, latest, call)
		}
		s.latest = latest
	}
	if value == s.value {
		return
	}
	w.log("%s gives %s instead of %s", s.name, w.keys.name(value), w.keys.name(s.value))
	if by != nil && store == 0 {
		w.judgeNeed(t, s)
	}
	if old := w.keys.of(s.value); old != nil {
		old.displaced = time.Now()
	}
	s.value = value
	s.history = append(s.history, reading{time.Now(), value})
	w.judgeServed(s, value, "current", call)
	w.judgeNew(by, s, value, call)
	if t == w.admin {
		w.judgeLockedOut(call)
	}
}

// judgeNew: a key that the rotator gives to consumers works already.
func (w *world) judgeNew(by *instance, s *store, value, call string) {
	k := w.keys.of(value)
	if by != nil && k != nil && !k.foreign && k.deleted.IsZero() && !w.box.Alive(secret.New(value)) {
		w.violate("rule 1: after %s %s is served by %s, but does not work yet", call, w.keys.name(value), s.name)
	}
}

// isBlind tells whether whoever makes the call does not see what was done by hand to the
// secret: a call that gives a value and nothing else, a write at AWS, or a call about
// the secret at GCP, which says nothing of versions that were added.
func isBlind(call string) bool {
	for _, name := range []string{
		"read", "GetSecretValue", "AccessSecretVersion",
		"PutSecretValue", "UpdateSecretVersionStage", "TagResource", "UntagResource",
		"GetSecret", "UpdateSecret", "AddSecretVersion", "DestroySecretVersion", "DisableSecretVersion",
	} {
		if strings.HasSuffix(call, " "+name) {
			return true
		}
	}
	return false
}

func (w *world) judgeServed(s *store, value, how, call string) {
	if k := w.keys.of(value); value != "" && (k == nil || !k.deleted.IsZero() && !k.byHand) {
		w.violate("rule 1: after %s %s serves a dead key (%s) as %s", call, s.name, w.keys.name(value), how)
	}
}

func (w *world) targetOf(k *key) *target { return w.named(k.target) }

func (w *world) named(name string) *target {
	for _, t := range w.targets {
		if t.name == name {
			return t
		}
	}
	return w.targets[0]
}

// judgeNeed: a key that works is displaced only when it is due, or when somebody
// asked for it (rule 7).
func (w *world) judgeNeed(t *target, s *store) {
	old := w.keys.of(s.value)
	if old == nil || old.foreign || !old.deleted.IsZero() || t.tainted {
		return
	}
	since := s.history[len(s.history)-1].from
	age := time.Since(since)
	switch {
	case age >= t.Interval-slack:
	case t.asked > 0:
		t.asked--
	default:
		w.violate("rule 7: %s was rotated after %s, although it falls due every %s", t.name, age, t.Interval)
	}
}

// knowledge is which call was an instance's last read of a store, by its name, when
// it decided on what is judged.
type knowledge map[string]int

// judgeAnswer takes up what a request did at Instantly.
func (w *world) judgeAnswer(by knowledge, r *http.Request, status int, t *pendingCall) {
	keyCall := strings.HasPrefix(r.URL.Path, "/api/v2/api-keys")
	switch {
	case strings.HasPrefix(r.URL.Path, "/api/v2/webhooks"):
		w.judgeWebhookCall(by, r, status)
	case keyCall && r.Method == http.MethodPost:
		for i := range w.plan.Workspaces {
			for _, k := range w.keys.learn(i) {
				w.log("key %d is made for %s", k.number, k.target)
				w.judgeMade(by, k)
				if t.late == 0 {
					w.judgeBegun(t.by, k)
				}
			}
		}
	case keyCall && r.Method == http.MethodDelete:
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		if k := w.keys.byID[id]; k != nil && status == http.StatusOK && k.deleted.IsZero() {
			w.judgeRevoked(by, k, t.sentAt())
			w.judgeActing(w.keys.of(bearer(r)), k)
			k.deleted = time.Now()
			w.judgeLockedOut("the end of a key")
		}
	default:
		if k := w.keys.of(bearer(r)); k != nil && t.reply == nil && w.box.Alive(secret.New(k.value)) {
			k.proven = time.Now() // unless its answer gets lost, which makes the judge milder
		}
	}
}

// judgeRevoked checks the rules about revoking, at the moment of a delete, which was sent at an
// instant that may be long ago.
func (w *world) judgeRevoked(by knowledge, k *key, sent time.Time) {
	w.log("key %d of %s is deleted", k.number, k.target)
	if k.foreign {
		w.violate("rule 4: key %d, which is not ours, was revoked", k.number)
		return
	}
	t := w.targetOf(k)
	referred := w.judgeReferences(by, t, k)
	if !k.displaced.IsZero() && !t.graceless {
		if left := time.Until(k.knownDisplaced(by).Add(t.Grace - slack)); left > 0 {
			w.violate("rule 3: key %d was revoked %s before its grace was over", k.number, left)
		}
		w.judgeConsumers(t, k)
	}
	if !k.displaced.IsZero() && referred {
		w.judgeVerified(t, k)
	}
	w.judgeSinkless(by, t, k, sent)
	w.judgeGates(by, t, k)
	if w.knewOfHold(by, t) && !k.displaced.IsZero() && referred {
		w.violate("rule 3: key %d was revoked although %s is held", k.number, t.name)
	}
}

// knownDisplaced is when the key was current for the last time, as far as who revoked it could know:
// a person may have set a sink back to it after the sinks were asked.
func (k *key) knownDisplaced(by knowledge) time.Time {
	if k.setBack.call > by[k.setBack.sink] {
		return k.setBack.displaced
	}
	return k.displaced
}

// judgeMade: no rotation begins while a hold is set.
func (w *world) judgeMade(by knowledge, k *key) {
	if t := w.targetOf(k); !k.foreign && w.knewOfHold(by, t) {
		w.violate("key %d was issued although %s is held", k.number, t.name)
	}
}

// knewOfHold tells whether a hold is in force that was set before the instance
// last lastRead.
func (w *world) knewOfHold(by knowledge, t *target) bool {
	return t.heldSince > 0 && time.Now().Before(t.heldUntil.Add(-slack)) && t.heldSince < by[t.stores[0].name]
}

// judgeReferences: a key goes only when no store gives it to consumers, or may
// come to do so.
func (w *world) judgeReferences(by knowledge, t *target, k *key) (referred bool) {
	for _, s := range t.stores {
		unseen := s.touched > 0 && s.touched >= by[s.name] // changed by hand meanwhile
		switch given := s.value == k.value; {
		case given && !unseen:
			w.violate("rule 3: key %d was revoked while %s gives it to consumers", k.number, s.name)
		case given || s.latest == k.value:
			k.byHand = unseen // it was not the rotator that made them meet
		}
		snap, err := s.observer.Describe(w.t.Context())
		if err != nil {
			continue
		}
		_, stage, held := snap.Find(k.id)
		referred = referred || held
		if stage == secretstore.Pending {
			w.violate("rule 1: key %d was revoked while %s may still promote it", k.number, s.name)
		}
	}
	return referred
}

// judgeVerified: the key that takes over was just found to work, in each store.
func (w *world) judgeVerified(t *target, k *key) {
	for _, s := range t.stores {
		current := w.keys.of(s.value)
		if current == nil || s.touched > 0 || current.byHand {
			continue
		}
		if age := time.Since(current.proven); age > slack {
			w.violate("rule 3: key %d was revoked, but the current key of %s was last verified %s before", k.number, s.name, age)
		}
	}
}

// judgeConsumers: none of those who read at their intervals, the grace period at
// most, still holds the key.
func (w *world) judgeConsumers(t *target, k *key) {
	ttl := t.Grace - slack
	for _, s := range t.stores {
		for i, phase := range s.consumers {
			read := time.Now().Add(-(time.Duration(time.Now().UnixNano()) + phase) % ttl)
			if s.at(read) == k.value {
				w.violate("consumer %d of %s holds key %d, which is revoked", i, s.name, k.number)
			}
		}
	}
}

// at gives what the store's consumers read at that time.
func (s *store) at(read time.Time) string {
	value := ""
	for _, r := range s.history {
		if r.from.After(read) {
			break
		}
		value = r.value
	}
	return value
}
