//go:build linux && amd64

package crash

import (
	"fmt"
	"slices"
	"strings"
)

// scenesOfTheAdminKey are the admin key's rotation, which it makes itself; its end, by its
// successor; and both in one run, since it is in wrong hands. Beside it is a target of
// consumers. Each target is kept in one store.
func scenesOfTheAdminKey() []scene {
	rotate := []string{"rotate", "main-admin-key", "--force"}
	replace := []string{"rotate", "--compromised", "--admin", "main", "--incident", "INC-1"}
	sc := scene{born: (*world).adminKeyBorn, row: "admin key", kinds: fewKinds(), chosen: withEffect, meets: fewFaults, meanwhile: [][]string{rotate, nil, dueNow()}}
	renewed, ended, leaked := sc, sc, sc
	renewed.name, renewed.args = "admin key", rotate
	ended.name, ended.args = "end of the old admin key", dueNow()
	ended.before = func(w *world) {
		w.mustRun(rotate...)
		w.passGrace()
	}
	leaked.name, leaked.args = "admin key in wrong hands", replace
	leaked.before = func(w *world) { w.judge.graceless = true }
	leaked.chosen = func(all []call) []call { return withEffect(fromPromoteOn(all)) }
	leaked.after = func(w *world) { w.repeat(replace...) }
	return []scene{renewed, ended, leaked}
}

// fewKinds of stores tell what is special in these scenes: the local one, and one cloud.
func fewKinds() []string { return []string{"file", "gcp"} }

// fewFaults tell it, too: a crash at every call; an error of those that are no mere
// reading of a store; and all there are of those that make or revoke a key.
func fewFaults(c call, col column) bool {
	switch col.name {
	case "killed after":
		return true
	case "error":
		return !strings.HasPrefix(c.label, "gcp Get") && !strings.HasPrefix(c.label, "gcp Access")
	default:
		return strings.HasPrefix(c.label, "instantly POST") || strings.HasPrefix(c.label, "instantly DELETE")
	}
}

// withEffect leaves out what a process does at the local disk before a file changes, and
// after it: a crash there is one just before the change, or just after it.
func withEffect(all []call) (kept []call) {
	for _, c := range all {
		local := !strings.HasPrefix(c.label, "instantly ") && strings.Contains(c.label, "/")
		if !local || strings.HasPrefix(c.label, "rename to ") {
			kept = append(kept, c)
		}
	}
	return kept
}

// fromPromoteOn leaves out what comes before: another scene has that.
func fromPromoteOn(all []call) []call {
	return all[max(slices.IndexFunc(all, func(c call) bool { return c.step == "promote" }), 0):]
}

// adminKeyBorn has a person's admin key make the first one of ours, in store a, and the
// key of a target in store b; and end: from then on, ours is the only one.
func (w *world) adminKeyBorn() {
	w.Helper()
	sending := fmt.Sprintf("{name: sending, scopes: [campaigns:read], stores: [{store: b, secret: %s}]}", inB)
	w.configure(keyInEnvironment, sending,
		fmt.Sprintf("{name: main-admin-key, scopes: [api_keys:all, workspaces:read], allow_critical_scopes: it is the admin key, stores: [{store: a, secret: %s}]}", inA))
	w.judge.adminIn = "a"
	w.mustRun("rotate", "--begin-anew", "main-admin-key", "sending")
	w.configure(fmt.Sprintf("{store: a, secret: %s, rotate: {}}", inA), sending)
	for _, k := range w.box.Keys(w.space.ID) {
		if k.Value == w.space.AdminKey {
			delete(w.judge.foreign, k.ID)
			if err := w.box.DeleteKey(k.ID); err != nil {
				w.Fatal(err)
			}
		}
	}
}
