package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRotationInBothClouds(t *testing.T) {
	t.Parallel()
	rotateInBothClouds(newCloudLab(t, newAmazon(t), "grace_period: 1h, activation_timeout: 1s"))
}

func TestRotationInBothCloudsWithMoto(t *testing.T) {
	t.Parallel()
	rotateInBothClouds(newCloudLab(t, newMoto(t), "grace_period: 1h, activation_timeout: 1s"))
}

// rotateInBothClouds tells the life of three keys as a person goes through it, and
// checks at every point what their consumers have.
func rotateInBothClouds(l *cloudLab) {
	l.wantRun(2, []string{"plan"}, `^only-aws +main +yes +rotate +- +the store has no key yet$`, `^3 due; nothing was changed$`)
	l.wantRun(0, []string{"rotate", "--due"}, `^only-aws: rotated: key \S+ is current$`, `^3 targets: 3 rotated, 0 failed`)
	l.wantRun(0, []string{"plan"}, `^everywhere +main +no +nothing +- +due by schedule at `)
	l.wantRun(0, []string{"verify"}, `^everywhere +google +\S+ +valid$`, `^ *everywhere +amazon +\S+ +valid$`, `^everywhere +local +\S+ +valid$`)
	first := l.wantServed("with the first keys")
	const quarantined = "quarantined: store google has version gcp-version-1 of unknown origin, " +
		"nothing is revoked until a rotation has replaced it and its grace is over"
	ids := l.keyIDs("FIRST")
	l.wantStatus(ids,
		"TARGET WORKSPACE STORE PENDING CURRENT PREVIOUS AGE NEXT ROTATION OLD KEY ENDS STATE",
		"only-gcp main google - FIRST gcp-version-1 AGE DATE - quarantined",
		"everywhere main google - FIRST gcp-version-1 AGE DATE - quarantined",
		"amazon - FIRST -",
		"local - FIRST -",
		"only-aws main amazon - FIRST - AGE DATE - ok",
		"only-gcp, everywhere: "+quarantined,
		"workspace main: 4 keys, 1 admin key, 0 of others (never touched)",
	)

	// What stood in GCP before was no key: nobody needs its grace period.
	l.wantRun(0, []string{"rotate", "--end-grace", "only-aws", "only-gcp", "everywhere"}, `^everywhere: no grace period to end: `)
	l.wantRun(0, []string{"rotate"}, `^3 targets: 3 rotated, 0 failed`, `^everywhere: settled; next: revoke the old key `)
	second := l.wantServed("in the grace period")
	for target, key := range first {
		if second[target] == key {
			l.Errorf("%s was rotated and has the same key", target)
		}
		if err := l.box.works(key); err != nil {
			l.Errorf("the old key of %s died in its grace period: %v", target, err)
		}
	}
	if l.inAWS(onlyAWS, "AWSPREVIOUS") != first[onlyAWS] || l.inGCP(onlyGCP, "previous") != first[onlyGCP] {
		l.Error("AWSPREVIOUS and the alias previous are not the old keys")
	}
	for id, name := range l.keyIDs("SECOND") {
		ids[id] = name
	}
	l.wantStatus(ids,
		"TARGET WORKSPACE STORE PENDING CURRENT PREVIOUS AGE NEXT ROTATION OLD KEY ENDS STATE",
		"only-aws main amazon - SECOND FIRST AGE DATE DATE in grace",
		"only-gcp main google - SECOND FIRST AGE DATE DATE in grace",
		"everywhere main google - SECOND FIRST AGE DATE DATE in grace",
		"amazon - SECOND FIRST",
		"local - SECOND FIRST",
		"workspace main: 7 keys, 1 admin key, 0 of others (never touched)",
	)
	l.wantRun(1, []string{"rotate"}, `^only-gcp: failed: the old key is still in its grace period: key `)

	l.wantRun(0, []string{"rotate", "--due", "--end-grace"}, `^only-aws: revoked the old key \S+$`, `^everywhere: revoked the old key \S+$`)
	if diff := cmp.Diff(second, l.wantServed("after the old keys were revoked")); diff != "" {
		l.Error("consumers have other keys than before the old ones were revoked")
	}
	for target, key := range first {
		if l.box.works(key) == nil {
			l.Errorf("the old key of %s still works", target)
		}
	}
	l.wantStatus(ids,
		"TARGET WORKSPACE STORE PENDING CURRENT PREVIOUS AGE NEXT ROTATION OLD KEY ENDS STATE",
		"only-aws main amazon - SECOND - AGE DATE - ok",
		"only-gcp main google - SECOND - AGE DATE - ok",
		"everywhere main google - SECOND - AGE DATE - ok",
		"amazon - SECOND -",
		"local - SECOND -",
		"workspace main: 4 keys, 1 admin key, 0 of others (never touched)",
	)
	l.wantRun(0, []string{"verify"})
}

// keyIDs gives each target's current key a name.
func (l *cloudLab) keyIDs(name string) map[string]string {
	l.Helper()
	ids := map[string]string{}
	for _, target := range l.status().Targets {
		ids[target.KeyID] = name
	}
	return ids
}

// wantStatus compares what status prints, with one space between columns, the keys
// by their names, and the times left out.
func (l *cloudLab) wantStatus(ids map[string]string, want ...string) {
	l.Helper()
	said := l.mustRun("status", "-o", "wide")
	for id, name := range ids {
		said = strings.ReplaceAll(said, id, name)
	}
	said = regexp.MustCompile(`20\d\d-\d\d-\d\d \d\d:\d\dZ \(in [^)]+\)`).ReplaceAllString(said, "DATE")
	said = regexp.MustCompile(` \d+m?s +DATE`).ReplaceAllString(said, " AGE DATE")
	var got []string
	for line := range strings.Lines(said) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		l.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestShortGracePeriodEndsByItselfInBothClouds(t *testing.T) {
	t.Parallel()
	l := newCloudLab(t, newAmazon(t), "grace_period: 1s, activation_timeout: 1s")
	l.wantRun(0, []string{"rotate"})
	first := l.wantServed("with the first keys")
	l.wantRun(0, []string{"rotate", "--end-grace", "only-aws", "only-gcp", "everywhere"}) // of what stood there before
	l.wantRun(0, []string{"rotate"})
	for end := time.Now().Add(waitLimit); l.settledTargets() < 3; {
		if time.Now().After(end) {
			l.Fatal("the old keys are not revoked: " + l.mustRun("status"))
		}
		l.wantRun(0, []string{"rotate", "--due"})
		l.wantServed("at the end of the grace period")
	}
	for target, key := range first {
		if l.box.works(key) == nil {
			l.Errorf("the old key of %s still works", target)
		}
	}
	if labels, _, _ := l.amazon.Inspect(onlyAWS); len(labels) != 1 {
		l.Errorf("AWS still has labels on the old version: %v", labels)
	}
	for _, v := range l.google.Versions(onlyGCP)[1:2] {
		if v.Value != "" {
			l.Errorf("GCP still holds the old key, as version %d", v.Number)
		}
	}
}

// settledTargets counts the targets that have nothing left to do.
func (l *cloudLab) settledTargets() (n int) {
	l.Helper()
	for _, target := range l.status().Targets {
		if len(target.OldKeys) == 0 && !target.Due {
			n++
		}
	}
	return n
}

// An outage is a store that goes down amid a rotation, at the test of the new key
// as the primary store has it.
type outage struct {
	store string
	down  func(l *cloudLab, down bool)
	// moved: consumers of the primary store have the new key when the run failed.
	moved bool
}

func TestStoreThatFailsAmidARotationIsMadeGood(t *testing.T) {
	for _, o := range []outage{
		{"amazon", func(l *cloudLab, down bool) { l.amazon.down.Store(down) }, true},
		{"google", func(l *cloudLab, down bool) { l.google.down.Store(down) }, false},
		{"local", (*cloudLab).damageFolder, true},
	} {
		t.Run(o.store, func(t *testing.T) {
			t.Parallel()
			failAmidRotation(newCloudLab(t, newAmazon(t), "grace_period: 1h, activation_timeout: 1s"), o)
		})
	}
}

func failAmidRotation(l *cloudLab, o outage) {
	l.wantRun(0, []string{"rotate"})
	old, oldID := l.inGCP(everywhere, "latest"), l.idOf(everywhere)
	l.wantRun(0, []string{"rotate", "--end-grace", everywhere}) // of what stood there before
	held := l.gate.holdUp(routeProbe, 2, false)
	run := l.start("rotate", everywhere)
	l.await(held, run)
	o.down(l, true)
	held.release()
	if err := run.Wait(); err == nil || run.ProcessState.ExitCode() != 1 {
		l.Errorf("with %s down: %v\n%s", o.store, err, &run.stdout)
	}
	if !strings.Contains(run.stdout.String(), "everywhere: failed: store "+o.store+": ") {
		l.Errorf("it does not say that store %s failed:\n%s", o.store, &run.stdout)
	}
	if got := l.inGCP(everywhere, "current"); (got != old) != o.moved || l.box.works(got) != nil {
		l.Errorf("after the failure consumers of the primary store have a new key: %t, want %t", got != old, o.moved)
	}
	inAmazon, _ := l.amazon.Value(everywhere, "AWSCURRENT") // not by its door
	l.wantBothAlive(old, l.inGCP(everywhere, "latest"), inAmazon)
	if o.store != "google" { // the others cannot be told about without it
		if _, said := l.run("status", "-o", "wide", everywhere); !regexp.MustCompile(`(?m)^ +` + o.store + ` .* unreadable$`).MatchString(said) {
			l.Errorf("status does not say that store %s cannot be read:\n%s", o.store, said)
		}
	}

	o.down(l, false)
	l.wantRun(0, []string{"rotate", "--due", "--force", everywhere}, `^everywhere: settled; next: revoke the old key `+oldID)
	value := l.inGCP(everywhere, "latest")
	if value == old || l.inAWS(everywhere, "AWSCURRENT") != value || strings.TrimSpace(l.mustRun("get", everywhere, "--store", "local")) != value {
		l.Error("the stores do not have the new key all")
	}
	l.wantBothAlive(old, value)
}

// damageFolder takes the local store's state away, or puts it back.
func (l *cloudLab) damageFolder(down bool) {
	l.Helper()
	state := filepath.Join(l.dir, "local", everywhere, "state.json")
	from, to := state, state+".away"
	if !down {
		from, to = to, from
	}
	if err := os.Rename(from, to); err != nil {
		l.Fatal(err)
	}
}

// idOf gives the id of a target's current key.
func (l *cloudLab) idOf(target string) string {
	l.Helper()
	s := l.status()
	i := slices.IndexFunc(s.Targets, func(t labTarget) bool { return t.Target == target })
	return s.Targets[i].KeyID
}

func (l *cloudLab) wantBothAlive(values ...string) {
	l.Helper()
	for i, value := range values {
		if err := l.box.works(value); err != nil {
			l.Errorf("key %d of those that must live: %v", i, err)
		}
	}
}
