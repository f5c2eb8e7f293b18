// Command plant shows that the safety tests can fail: it plants one bug at a
// time in a copy of a source file, runs the tests that must find it, and fails
// if they stay green. The tree itself is not touched: the go command's -overlay
// puts the copy in place.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A bug is a few edits of the source, and the tests that must find it.
type bug struct {
	name  string
	test  string // package, then -run pattern
	edits []edit
}

// An edit replaces old by planted, once, in file.
type edit struct{ file, old, planted string }

func bugs() []bug {
	const (
		engine = "./rotator ."
		client = "./instantly ."
		folder = "./secretstore/filestore ."
		aws    = "./secretstore/awssecretsmanager Contract$|Writers|Killed|Paused|Lost|Promotion|AnotherOwners|NoError|Reservations"
	)
	return append(slices.Concat(gcpBugs(), kubernetesBugs(), leaderBugs(), consumersBugs(), notifyBugs()), []bug{
		{"402 taken for a dead key", client, []edit{{"instantly/classify.go", "return ErrPlan\n", "return ErrUnauthorized\n"}}},
		{"any 401 taken for a dead key", client, []edit{{"instantly/classify.go", "case said.isInvalidScope():\n\t\treturn ErrScope", "case said.isInvalidScope():\n\t\treturn ErrUnauthorized"}}},
		{"retry of the POST", client, []edit{{"instantly/keys.go", "c.attempt(ctx, c.admin(request{op: op, method: http.MethodPost, route: routeKeys, body: body}))", "c.repeat(ctx, c.admin(request{op: op, method: http.MethodPost, route: routeKeys, body: body}), c.options.RetryBudget)"}}},
		{"a POST on a connection that was used before", client, []edit{{"instantly/send.go", "if method == http.MethodPost {", "if method == \"\" {"}}},
		{"writes without the lock", folder, []edit{{"secretstore/filestore/write.go", "_, err = l.TryLockContext(ctx, lockPoll)", "_ = l"}}},
		{"writes without comparing", folder, []edit{{"secretstore/filestore/write.go", "if now := st.snapshot(); now.Identity != seen.Identity || now.Revision != seen.Revision {", "if now := st.snapshot(); now.Identity != seen.Identity {"}}},
		{"the state renamed before the value is on disk", folder, []edit{{"secretstore/filestore/write.go", "\tif err := s.putValue(c); err != nil {\n\t\treturn state{}, err\n\t}\n\tif err := s.putState(raw); err != nil {\n\t\treturn state{}, err\n\t}\n", "\tif err := s.putState(raw); err != nil {\n\t\treturn state{}, err\n\t}\n\tif err := s.putValue(c); err != nil {\n\t\treturn state{}, err\n\t}\n"}}},
		{"no grace", engine, []edit{{"rotator/rules_old.go", "return !known || v.now.Before(end)", "_, _ = end, known\n\treturn false"}}},
		{"grace counted from creation", engine, []edit{{"rotator/decide.go", "e := cur.Promoted.Add(grace)", "e := cur.Intent.At.Add(grace)"}}},
		{"grace counted from promotion in the first store", engine, []edit{{"rotator/decide.go", "for i := range v.Stores {\n\t\tcur, ok := v.current(i)", "for i := range v.Stores[:1] {\n\t\tcur, ok := v.current(i)"}}},
		{"no sweep", engine, []edit{{"rotator/decide.go", "(*view).sweep,\n", ""}}},
		{"sweep without the store's fingerprint", engine, []edit{{"rotator/rules_old.go", "for _, id := range v.Named[fingerprint(st.Identity)] {", "_ = st\n\t\tfor id := range v.Keys {"}}},
		{"sweep of a foreign key", engine, []edit{{"rotator/rules_old.go", "if !ok || name.Owner != v.policy.Owner || (v", "_ = ok\n\tif (v"}, {"rotator/rules_old.go", "for _, id := range v.Named[fingerprint(st.Identity)] {", "_ = st\n\t\tfor id := range v.Keys {"}}},
		{"a look made beside the list counts as newer", engine, []edit{{"rotator/observations.go", "beside.Go(func() { w.lookAsOf(ctx, at) })", "beside.Go(func() { w.lookAsOf(ctx, at+100) })"}}},
		{"sweep on a look older than the list", engine, []edit{{"rotator/rules_old.go", "if !v.seenSince(v.Listed) {", "if false {"}}},
		{"revoke at promotion", engine, []edit{{"rotator/effects.go", "\tif s.Store == 0 {\n\t\tw.Rotated = true\n\t}\n", "\tif s.Store == 0 {\n\t\tw.Rotated = true\n\t\tif old, ok := w.primary().Versions[secretstore.Previous]; ok {\n\t\t\treturn w.deleteKey(ctx, old.ID)\n\t\t}\n\t}\n"}}},
		{"revoke without a last verification", engine, []edit{{"rotator/rules_old.go", "if step, ok := v.confirmCurrent(old); ok {", "if step, ok := v.confirmCurrent(old); ok && false {"}}},
		{"revoke while current in a follower", engine, []edit{{"rotator/rules_old.go", "\t\tif v.inUse(old.ID) {\n\t\t\tcontinue // rule deliver moves the store on\n\t\t}\n", ""}}},
		{"promote without verify", engine, []edit{{"rotator/rules_fresh.go", "case !ok:\n\t\treturn Step{Verb: Verify, Store: i, ID: ver.ID, Reason: \"read the pending", "case !ok:\n\t\treturn Step{Verb: Promote, Store: i, ID: ver.ID, Reason: \"read the pending"}}},
		{"stage untested", engine, []edit{{"rotator/rules_fresh.go", "return Step{Verb: Try, Store: inMemory,", "return Step{Verb: Stage, Store: 0,"}}},
		{"indeterminate taken for invalid", engine, []edit{{"rotator/decide.go", "return t.Verdict == instantly.Invalid }", "return t.Verdict != instantly.Valid }"}}},
		{"issue without reserve", engine, []edit{{"rotator/effects.go", "if err := w.annotate(ctx, notes); err != nil {\n\t\tw.Vain = notes.Intent.Nonce\n\t\treturn err\n\t}\n\tw.Reserved", "w.Stores[0].Notes = notes\n\tw.Reserved"}}},
		{"promote forgets the living current key", engine, []edit{{"rotator/rules_fresh.go", "return !ok || v.dead()", "return !ok || true"}}},
		{"discard revokes before the store lets go", engine, []edit{{"rotator/effects.go", "\tif s.Store != inMemory {\n\t\tif err := w.destroyVersion(ctx, s)", "\t_ = w.deleteKey(ctx, s.ID)\n\tif s.Store != inMemory {\n\t\tif err := w.destroyVersion(ctx, s)"}}},
		{"the organization is not looked at", engine, []edit{{"rotator/workspace.go", "if w.organization == \"\" || org == w.organization {", "if true {"}}},
		{"destroy before the proof", engine, []edit{{"rotator/rules_old.go", "case !ok:\n\t\treturn Step{Verb: Prove, Store: i,", "case !ok:\n\t\treturn Step{Verb: Destroy, Store: i,"}}},
		{"sweep of a key that a version of unknown origin may hold", engine, []edit{{"rotator/rules_old.go", " && !v.mayBeHeld(k.Created)", ""}}},
		{"what cannot be compared with a hand-made value is revoked", engine, []edit{{"rotator/rules_old.go", "gone := errors.Is(t.Err", "gone := false && errors.Is(t.Err"}}},
		{"a key that a hand pushed out is swept in its grace", engine, []edit{{"rotator/rules_old.go", " && !v.mayBeCached(k)", ""}}},
		{"a key in hand that a store may have without a record is given up", engine, []edit{{"rotator/rules_fresh.go", "if v.mayBeHeld(h.Issued) {", "if false && v.mayBeHeld(h.Issued) {"}}},
		{"a key that a clock ahead made is never young", engine, []edit{{"rotator/rules_fresh.go", "v.now.After(made.Add(-handMargin))", "v.now.After(made)"}}},
		{"a dead key in a store that follows a hand-made one is left there", engine, []edit{{"rotator/rules_due.go", "case v.hasStranded():", "case false && v.hasStranded():"}}},
		{"the time of a late promotion stands if its answer is lost", engine, []edit{{"rotator/effects.go", "if w.wallClock().Sub(begun) > bound {", "if err == nil && w.wallClock().Sub(begun) > bound {"}}},
		{"a failed reservation is a reason to rotate later", engine, []edit{{"rotator/reconcile.go", "if w.Vain != \"\" &&", "if w.Vain == \"-\" &&"}}},
		{"a hand-made value is forgotten for the dead key over it", engine, []edit{{"rotator/rules_fresh.go", "step, ok := v.testUnlisted(i); ok {", "step, ok := v.testUnlisted(i); ok && false {"}}},
		{"an intent begun in vain stands", engine, []edit{{"rotator/decide.go", "if v.Vain != \"\" &&", "if v.Vain == \"-\" &&"}}},
		{"a dead key in a follower and an old one wait for each other", engine, []edit{{"rotator/rules_old.go", "case isInvalid(t) && v.byHand(0) &&", "case false && v.byHand(0) &&"}}},
		{"a follower without a current version has no readers", engine, []edit{{"rotator/rules_old.go", "(holds(old.ID)(v.Stores[i]) || !v.hasPending(i))", "(true || !v.hasPending(i))"}}},
		{"a hold set after the intent is not obeyed", engine, []edit{{"rotator/rules_due.go", "Nonce == nonce && !v.heldBack() {", "Nonce == nonce {"}}},
		{"a key made current again by hand is retired", engine, []edit{{"rotator/rules_old.go", "case v.Twins[old.ID]:", "case v.Twins[old.ID] && false:"}}},
		{"a store that follows is looked at after the primary", engine, []edit{{"rotator/observations.go", "\tvar wg sync.WaitGroup\n\tfor i := 1; i < len(w.Stores); i++ {", "\tw.lookAt(ctx, 0, at)\n\tvar wg sync.WaitGroup\n\tfor i := 1; i < len(w.Stores); i++ {"}, {"rotator/observations.go", "\twg.Wait()\n\tw.lookAt(ctx, 0, at)\n", "\twg.Wait()\n"}}},
		{"one refusal is enough to call a key dead", engine, []edit{{"rotator/decide.go", "const enough = 3", "const enough = 1"}}},
		{"an undeletable orphan stops everything", engine, []edit{{"rotator/reconcile.go", "w.carried = errors.Join(w.carried, err)\n\t\treturn nil", "w.carried = errors.Join(w.carried, err)\n\t\treturn err"}, {"rotator/decide.go", "\t\t(*view).urgent,\n", ""}}},
		{"another instance's intent is cancelled", engine, []edit{{"rotator/rules_due.go", "!in.IsZero() && !in.At.After(f.At)", "!in.IsZero()"}}},
		{"a promotion is written down as of its beginning", engine, []edit{{"rotator/effects.go", "s.ID, begun.Add(bound))", "s.ID, begun)"}}},
		{"a change of time zone rotates", engine, []edit{{"rotator/rules_due.go", "min(zoneShift, second.Sub(first)/2)", "0"}}},
		{"a shortened grace cuts a key that is in its grace", engine, []edit{{"rotator/effects.go", "grace = max(grace, cur.Intent.Grace)", "_ = cur"}}},
		{"AWS: written without looking afterwards", aws, []edit{{"secretstore/awssecretsmanager/write.go", "if !w.same(st, ignored) {", "if w.same(st, ignored) && false {"}}},
		{"AWS: an announced promotion is not referred to", aws, []edit{{"secretstore/awssecretsmanager/reading.go", "case r.isAnnounced(version):", "case false:"}}},
		{"AWS: an announced promotion may be given up", aws, []edit{{"secretstore/awssecretsmanager/stage.go", "w.now().Before(at.Add(lull)) && !at.IsZero()", "false && !at.IsZero()"}}},
		{"AWS: a put takes AWSPENDING along", aws, []edit{{"secretstore/awssecretsmanager/stage.go", "labels := append([]string{key.text(version)}, p.more...)", "labels := append([]string{key.text(version), labelPending}, p.more...)"}}},
		{"AWS: a put without labels", aws, []edit{{"secretstore/awssecretsmanager/client.go", "ClientRequestToken: &version, VersionStages: labels}", "ClientRequestToken: &version}\n\t_ = labels"}}},
		{"AWS: staged although the intent was dropped", aws, []edit{{"secretstore/awssecretsmanager/write.go", "from := w.labels[label]\n\tif from == to {\n\t\treturn nil\n\t}\n\tif err := w.move(w.ctx, w.arn, label, from, to); err != nil {", "from := w.labels[label]\n\tif from == to {\n\t\treturn nil\n\t}\n\terr := w.move(w.ctx, w.arn, label, from, to)\n\tif err != nil && label != labelCurrent && to != \"\" {\n\t\terr = w.move(w.ctx, w.arn, label, \"\", to)\n\t}\n\tif err != nil {"}}},
		{"AWS: AWSCURRENT moved from wherever it is", aws, []edit{{"secretstore/awssecretsmanager/promote.go", "\tif a.version != a.displaced {\n\t\treturn w.shift(labelCurrent, a.version)", "\tif a.version != a.displaced {\n\t\tst, err := w.look(w.ctx)\n\t\tif err != nil {\n\t\t\treturn err\n\t\t}\n\t\tw.labels[labelCurrent] = st.labels[labelCurrent]\n\t\treturn w.shift(labelCurrent, a.version)"}}},
		{"AWS: a move whose answer was lost is repeated", aws, []edit{{"secretstore/awssecretsmanager/client.go", "MoveToVersionId: optional(to),\n\t}, onlyThrottled)", "MoveToVersionId: optional(to),\n\t})"}}},
		{"AWS: a standing previous version is not kept", aws, []edit{{"secretstore/awssecretsmanager/promote.go", "if a.standing != \"\" {\n\t\tif err := w.attach(", "if a.standing != \"\" && a.version == \"\" {\n\t\tif err := w.attach("}}},
		{"AWS: the first version is taken for promoted", aws, []edit{{"secretstore/awssecretsmanager/reading.go", "return r.holder() != \"\" && r.first[r.holder()]", "return false"}}},
		{"AWS: two reservations, one of them hidden", aws, []edit{{"secretstore/awssecretsmanager/reading.go", "if len(r.reserved) < 2 {", "if r.reserved != nil || len(r.reserved) < 2 {"}}},
		{"AWS: promotion times cut down", aws, []edit{{"secretstore/awssecretsmanager/mark.go", "at = at.Add(time.Millisecond)", "at = at.Add(0)"}}},
		{"AWS: another owner's secret taken over", aws, []edit{{"secretstore/awssecretsmanager/client.go", "marked && s.owner != \"\" && owner != s.owner", "marked && s.owner == owner+\"!\""}}},
		{"AWS: AWS's words on a call with a value in it", aws, []edit{{"secretstore/awssecretsmanager/errors.go", "if !carriesValue(action) {", "if action != \"\" {"}}},
		{"AWS: an unreadable answer in an error", aws, []edit{{"secretstore/awssecretsmanager/errors.go", "the answer cannot be read\", secretstore.ErrUnavailable, action)", "%w\", secretstore.ErrUnavailable, action, err)"}}},
		{"a panic of one target ends all", engine, []edit{{"rotator/reconcile.go", "if p := recover(); p != nil {", "if p := any(nil); p != nil {"}}},
		{"a key is issued that the admin key cannot revoke", engine, []edit{{"rotator/rules_due.go", "if !v.Checked {", "if !v.Checked && false {"}}},
		{"orders: a hold does not stop a revocation", engine, []edit{{"rotator/rules_old.go", "if v.heldBack() {", "if v.heldBack() && false {"}}},
		{"orders: a hold does not stop a promotion", engine, []edit{{"rotator/rules_fresh.go", "ver.Foreign || v.heldBack()", "ver.Foreign"}}},
		{"orders: a hold does not stop a rotation", engine, []edit{{"rotator/rules_orders.go", "v.waiting = true\n\tif !v.request.RotateSince.IsZero() {\n\t\treturn stop(&HoldError{h})", "if !v.request.RotateSince.IsZero() {\n\t\treturn stop(&HoldError{h})"}}},
		{"orders: an incident is acted on before it is noted", engine, []edit{{"rotator/effects.go", "if err := w.annotate(ctx, notes); err != nil {\n\t\treturn err\n\t}\n\tw.Declared", "w.Stores[0].Notes = notes\n\tw.Declared"}}},
		{"orders: a key staged before the incident is promoted", engine, []edit{{"rotator/rules_fresh.go", "if v.suspect(ver) {", "if v.suspect(ver) && false {"}}},
		{"orders: an incident is closed while an old key lives", engine, []edit{{"rotator/rules_orders.go", " || len(v.old()) > 0", ""}}},
		{"orders: an incident gives the old key its grace", engine, []edit{{"rotator/rules_old.go", "if v.emergency() || (v.request", "if (v.request"}}},
		{"orders: an incident trusts a key list of before the old key", engine, []edit{{"rotator/effects.go", "w.relist() // the old key", "_ = 0 // the old key"}}},
		{"orders: a lease is not looked at", engine, []edit{{"rotator/rules_orders.go", "in.Holder == v.Instance || ", "in.Holder != \"\" || "}}},
		{"orders: a freeze is not looked at", engine, []edit{{"rotator/rules_orders.go", "if until.IsZero() {", "if !until.IsZero() {"}}},
		{"orders: a freeze stops what has begun", engine, []edit{{"rotator/rules_orders.go", "|| !v.primary().Notes.Intent.IsZero() ||\n\t\t(!ok", "||\n\t\t(!ok"}}},
		{"orders: an open gate does not keep the old key alive", engine, []edit{{"rotator/rules_old.go", "step, ok := v.gateOpen(); ok {", "step, ok := v.gateOpen(); ok && false {"}}},
		{"orders: an incident waits for consumers", engine, []edit{{"rotator/rules_consumers.go", " && !v.emergency()", ""}}},
		{"orders: related keys are not kept apart", engine, []edit{{"rotator/rules_consumers.go", "|| !v.now.Before(until)", "|| true"}}},
		{"orders: related keys of one process are not kept apart", engine, []edit{{"rotator/consumers.go", "taken && by != w {", "taken && by == nil {"}}},
		{"orders: failures of the same kind stop nobody", engine, []edit{{"rotator/breaker.go", "n >= sameWay", "n >= 1000*sameWay"}}},
		{"orders: every target asks again in an outage", engine, []edit{{"rotator/workspace.go", "w.reach.trip(now, err)", "_ = now"}}},
		{"orders: all targets probe at once", engine, []edit{{"rotator/breaker.go", "b.until = now.Add(b.wait)\n\treturn nil", "return nil"}}},
		{"daemon: targets are looked at before they are due", "./cmd/instantly-rotator/daemon Reason", []edit{{"cmd/instantly-rotator/daemon/wake.go", "return roundUp(at)", "return at.Add(-300 * time.Millisecond)"}}},
		{"daemon: a stop before the first look hangs", "./cmd/instantly-rotator/daemon Stop", []edit{{"cmd/instantly-rotator/daemon/daemon.go", "\tif ctx.Err() != nil {\n\t\treturn\n\t}\n\tvar batch", "\tvar batch"}}},
		{"daemon: a fleet is closed while it runs", "./cmd/instantly-rotator/daemon Fleet", []edit{{"cmd/instantly-rotator/daemon/daemon.go", "f.hold(len(batch))", "f.hold(0)"}}},
		{"daemon: a store that hangs holds up its workspace", "./cmd/instantly-rotator/daemon Hanging", []edit{{"rotator/rotator.go", "strings.Join(names, \"\\n\")}", "strings.Join(names[:0], \"\\n\")}"}}},
		{"an intent is taken up that a rotation has overtaken", engine, []edit{{"rotator/rules_due.go", "!v.primary().Notes.Intent.IsZero() && !v.outdone():", "!v.primary().Notes.Intent.IsZero():"}}},
		{"a sweep that failed is told as one that succeeded", engine, []edit{{"rotator/effects.go", "\tif err := w.deleteKey(ctx, s.ID); err != nil {\n\t\treturn err\n\t}\n\tw.result.Swept", "\tif err := w.deleteKey(ctx, s.ID); err != nil {\n\t\tw.Unswept[s.ID] = true\n\t\tw.carried = err\n\t\treturn nil\n\t}\n\tw.result.Swept"}}},
		{"orders: a key is issued before the incident by the clock", engine, []edit{{"rotator/effects.go", "!at.After(incident) {", "at.IsZero() {"}}},
		{"orders: an incident is put before keys by the clock", engine, []edit{{"rotator/effects.go", "if b := born(ver); !at.After(b) {", "if b := born(ver); at.IsZero() {"}}},
		{"a promotion that was stopped midway keeps its time", engine, []edit{{"rotator/effects.go", "w.wallClock().Sub(begun) > bound {", "w.wallClock().Sub(begun) > 1_000_000*bound {"}}},
		{"an interrupt drops the key in hand", engine, []edit{{"rotator/reconcile.go", "if w.InHand == nil || w.now().Sub(interrupted) >= handOver {", "if true {"}}},
	}...)
}

// main plants the bugs whose names begin with the argument; without one, all.
// With -simulated it has the simulator find those that it must find.
func main() {
	bySimulator := flag.Bool("simulated", false, "have the simulator find them, and print a table")
	worlds := flag.Int("worlds", 10_000, "the most worlds that it takes")
	flag.Parse()
	if *bySimulator {
		if err := simulate(os.Stdout, *worlds, flag.Arg(0)); err != nil {
			fmt.Fprintln(os.Stderr, "plant:", err)
			os.Exit(1)
		}
		return
	}
	missed, planted := 0, 0
	for _, b := range bugs() {
		if !strings.HasPrefix(b.name, flag.Arg(0)) {
			continue
		}
		planted++
		found, err := plant(b)
		switch {
		case err != nil:
			fmt.Printf("ERROR   %s: %v\n", b.name, err)
			missed++
		case !found:
			fmt.Printf("MISSED  %s: the tests stay green\n", b.name)
			missed++
		default:
			fmt.Printf("found   %s\n", b.name)
		}
	}
	fmt.Printf("%d planted bugs, %d found\n", planted, planted-missed)
	if missed > 0 {
		os.Exit(1)
	}
}

// plant reports whether the tests turn red with the bug in place. A bug that
// does not compile is an error: it would be found for the wrong reason.
func plant(b bug) (found bool, err error) {
	dir, err := os.MkdirTemp("", "plant-")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := writeOverlay(dir, b)
	if err != nil {
		return false, err
	}
	pkg, run, _ := strings.Cut(b.test, " ")
	if out, err := exec.Command("go", "vet", "-overlay="+overlay, pkg).CombinedOutput(); err != nil {
		return false, fmt.Errorf("does not compile: %s", out)
	}
	test := exec.Command("go", "test", "-short", "-failfast", "-overlay="+overlay, "-run="+run, pkg)
	out, err := test.CombinedOutput()
	if err != nil && !strings.Contains(string(out), "FAIL") {
		return false, fmt.Errorf("%w: %s", err, out)
	}
	return err != nil, nil
}

// writeOverlay writes the edited copies, and the list that puts them in place.
func writeOverlay(dir string, b bug) (string, error) {
	sources := map[string]string{}
	for _, e := range b.edits {
		if sources[e.file] == "" {
			src, err := os.ReadFile(e.file)
			if err != nil {
				return "", err
			}
			sources[e.file] = string(src)
		}
		if n := strings.Count(sources[e.file], e.old); n != 1 {
			return "", fmt.Errorf("%s has the text to replace %d times, want once", e.file, n)
		}
		sources[e.file] = strings.Replace(sources[e.file], e.old, e.planted, 1)
	}
	replace := map[string]string{}
	for file, src := range sources {
		copied := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(copied, []byte(src), 0o600); err != nil {
			return "", err
		}
		abs, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		replace[abs] = copied
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, list, 0o600)
}
