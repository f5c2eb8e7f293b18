package rotatortest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Judge checks what must be true at every instant. Every effect of a rotator is
// followed by it; call it after what somebody else does.
func (w *World) Judge(after string) {
	w.judgeReceipt(after)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for i, s := range w.secrets {
		value := s.Current()
		if was := w.current[i]; was != value && was != "" {
			w.displaced[was] = now
		}
		w.current[i] = value
		w.judgeServed(value, "current", i, after)
		if s.Latest == nil {
			continue
		}
		latest := s.Latest()
		w.judgeServed(latest, "latest", i, after)
		if latest == "" && value != "" {
			w.violate("rule 1: after %s store %d has a current version, but latest gives nothing", after, i)
		}
	}
	w.judgeSinks(after, now)
}

func (w *World) judgeServed(value, how string, store int, after string) {
	if value != "" && !w.Instantly.Alive(value) && !w.Instantly.revokedByHand(value) {
		w.violate("rule 1: after %s store %d gives its consumers a dead key as %s", after, store, how)
	}
}

// violate notes a violation; the caller holds the lock.
func (w *World) violate(format string, args ...any) {
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
}

// Forgive forgets the violations so far: a story that is about one.
func (w *World) Forgive() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = nil
}

// judgeDelete checks the rules about revoking, at the moment of a delete.
func (w *World) judgeDelete(k *Key) {
	stages := w.stagesOf(k)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if _, wasCurrent := w.displaced[k.Value]; k.Foreign && (!k.Adopted || !wasCurrent) {
		w.violate("rule 4: the foreign key %s was revoked", k.ID)
	}
	if slices.Contains(w.current, k.Value) {
		w.violate("rule 3: key %s was revoked while current in a store", k.ID)
	}
	w.judgeSinkless(k)
	referred := false
	for i, stage := range stages {
		referred = referred || stage != ""
		if stage == secretstore.Pending {
			w.violate("rule 1: key %s was revoked while store %d may still promote it", k.ID, i)
		}
	}
	at, wasCurrent := w.displaced[k.Value]
	if wasCurrent && !w.GraceEnded && now.Before(at.Add(Grace)) {
		w.violate("rule 3: key %s was revoked %s before its grace was over", k.ID, at.Add(Grace).Sub(now))
	}
	for i, value := range w.current {
		// One that no store refers to any more, since somebody pushed it out by
		// hand, is swept as an orphan; and where a person revoked the current key
		// there is nothing to verify.
		if wasCurrent && referred && !w.Instantly.revokedByHand(value) && value != "" && now.Sub(w.Instantly.provenAt(value)) > time.Minute {
			w.violate("rule 3: key %s was revoked, but the current key of store %d was not verified just before", k.ID, i)
		}
	}
}

// judgeActing checks that an admin key which consumers may have is revoked by its
// successor: never by itself, nor by one that is not current.
func (in *Instance) judgeActing(k *Key) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if _, wasCurrent := in.displaced[k.Value]; !wasCurrent || in.Credential == "" {
		return
	}
	if in.acting == k.Value {
		in.violate("rule 3: admin key %s revoked itself", k.ID)
	} else if !slices.Contains(in.current, in.acting) {
		in.violate("rule 3: admin key %s was revoked by one that is not its successor", k.ID)
	}
}

// stagesOf gives the stage of the key's version in each store, "" where it has
// none. The version may have been staged under another id than the key list has.
func (w *World) stagesOf(k *Key) []secretstore.Stage {
	stages := make([]secretstore.Stage, len(w.secrets))
	for i := range stages {
		for stage, v := range w.Snapshot(i).Versions {
			if v.ID == k.ID || v.Intent.Nonce != "" && strings.HasSuffix(k.Name, "/"+v.Intent.Nonce) {
				stages[i] = stage
			}
		}
	}
	return stages
}

// JudgeEnd checks what must be true of a settled world.
func (w *World) JudgeEnd() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, value := range w.current {
		if value == "" || !w.Instantly.Alive(value) {
			w.violate("settled, but store %d has no living key", i)
		}
		if ver := w.Snapshot(i).Versions[secretstore.Current]; !ver.Foreign && !w.Instantly.listedAs(ver.ID, value) {
			w.violate("settled, but what store %d has as key %s is not the key of that id", i, ver.ID)
		}
		if value != w.current[0] {
			w.violate("settled, but store %d has another key than the primary", i)
		}
		if s := w.secrets[i]; s.Latest != nil && s.Latest() != value {
			w.violate("settled, but the latest version of store %d is not the current one", i)
		}
		if s := w.secrets[i]; s.Settled != nil {
			if err := s.Settled(w.t); err != nil {
				w.violate("settled, but in store %d %v", i, err)
			}
		}
	}
	w.judgeSinksEnd()
	for _, k := range w.Instantly.All() {
		if !k.Foreign && k.Listed() && k.Value != w.current[0] {
			w.violate("rule 2: settled, but key %s (%s) lives and nothing refers to it", k.ID, k.Name)
		}
	}
}

// Check fails the test if a rule was violated.
func (w *World) Check(story string) {
	w.t.Helper()
	if v := w.verdict(); v != "" {
		w.t.Fatalf("%s:\n  %s", story, v)
	}
}

func (w *World) verdict() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(slices.Compact(slices.Clone(w.violations)), "\n  ")
}
