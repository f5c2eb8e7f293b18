package main_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

var adminRotations = flag.Int("admin.rotations", 0, "how often the admin key is rotated on each kind of store; 0: a few times, on the local one")

// adminSite is a site of one workspace, whose admin key is kept where its targets are.
func adminSite(t *testing.T, kind string) *site {
	t.Helper()
	var vault string
	var put func(secretName, value string)
	switch kind {
	case "aws":
		a := newAmazon(t)
		vault = fmt.Sprintf("{kind: aws, region: %s, endpoint: %q}", awstest.Region, a.url)
		put = func(name, value string) {
			in := map[string]any{"Name": name}
			if value != "" {
				in["SecretString"], in["ClientRequestToken"] = value, strings.Repeat("by-hand-", 4)
			}
			a.call(t, "CreateSecret", in)
		}
	case "gcp":
		g := newGoogle(t)
		vault = fmt.Sprintf("{kind: gcp, project: %s, endpoint: %q}", gcptest.Project, g.address)
		put = func(name, value string) {
			if g.Make(name); value != "" {
				g.Put(name, value)
			}
		}
	default:
		vault = localVault
	}
	s := newSite(t, 1, vault)
	s.adminSchedule = "@every 1s"
	s.configure("@every 2s")
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		if kind == "aws" {
			t.Setenv(name, value)
		}
	}
	byHand := s.box.Workspaces()[0].AdminKey.Reveal()
	if put == nil {
		l := &lab{T: t, dir: s.dir, box: &sandboxProcess{}}
		c := l.command("put", "space-0-admin-key")
		c.Stdin = strings.NewReader(byHand)
		if err := c.Run(); err != nil {
			t.Fatalf("put: %v: %s", err, &c.stderr)
		}
	} else {
		put("admin-0", byHand)
		for i := range siteTargets {
			put(fmt.Sprint("key-", i), "")
		}
	}
	s.open("key-", siteTargets)
	s.open("admin-", 1)
	return s
}

// adminKeys counts the admin keys of ours that there ever were.
func (s *site) adminKeys() (n int) {
	for _, k := range s.box.Keys(s.box.Workspaces()[0].ID) {
		if strings.Contains(k.Name, "/space-0-admin-key/") {
			n++
		}
	}
	return n
}

// TestAdminKeyRotatedWhileTheDaemonIsKilled: the admin key is rotated again and again
// while twenty targets rotate and the daemon dies at random instants. It is never
// locked out, no target fails for want of an admin key, no key revokes itself, and in
// the end none is left over.
func TestAdminKeyRotatedWhileTheDaemonIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while: a daemon rotates and is killed for many seconds")
	}
	kinds, rotations := []string{"local", "aws", "gcp"}, *adminRotations
	if rotations == 0 {
		kinds, rotations = kinds[:1], 3
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			if kind == "local" && *adminRotations == 0 {
				t.Parallel()
			}
			rotateAdminKey(t, kind, rotations)
		})
	}
}

func rotateAdminKey(t *testing.T, kind string, rotations int) {
	t.Helper()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	s, begun := adminSite(t, kind), time.Now()
	refused := 0 // runs that failed for want of an admin key
	ended := func(d *daemonProcess) {
		d.kill()
		for _, reason := range []string{`"reason":"unauthorized"`, `"reason":"admin_key_scope"`, "no admin key"} {
			if n := strings.Count(d.log.String(), reason); n > 0 {
				refused += n
				t.Errorf("%d runs failed: %s:\n%s", n, reason, firstMatch(d.log.String(), "(.*"+reason+".*)"))
			}
		}
	}
	first := s.daemon()
	s.await("every target has a key", func() bool {
		for i := range siteTargets {
			if _, err := s.value(i); err != nil {
				return false
			}
		}
		return true
	})
	ended(first)

	consuming, stop := context.WithCancel(t.Context())
	var consumers sync.WaitGroup
	for i := range s.stores {
		consumers.Go(func() { s.consume(consuming, i) })
	}
	kills, amid, swaps := 0, 0, 0
	for limit := begun.Add(time.Duration(rotations) * time.Minute); (s.adminKeys() < rotations || amid == 0) && time.Now().Before(limit); kills++ {
		d := s.daemon()
		if random.IntN(4) > 0 { // else it may be killed while it starts, too
			d.logged(`"msg":"(started)"`)
		}
		time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second))))
		ended(d)
		if s.midway() > 0 {
			amid++
		}
		if snap, err := s.stores[siteTargets].Describe(t.Context()); err == nil && (!snap.Notes.Intent.IsZero() || snap.Versions[secretstore.Pending].ID != "") {
			swaps++
		}
	}
	s.configure("@yearly") // what was begun is finished, and no more is begun
	last := s.daemon()
	defer func() {
		if left, _ := s.orphans(); t.Failed() {
			t.Logf("seed %d: %d admin keys issued; %d rotations under way, keys left over: %v; the last daemon said:\n%s", seed, s.adminKeys(), s.midway(), left, last.log)
		}
	}()
	s.await("the rotations that were begun are finished, and the old keys gone", func() bool {
		left, _ := s.orphans()
		return len(left) == 0 && s.midway() == 0
	})
	ended(last)
	stop()
	consumers.Wait()
	_, ever := s.orphans()
	t.Logf("seed %d: %d admin keys and %d others issued, %d kills in %s, %d of them amid rotations and %d amid one of the admin key; keys used %d times, %d failed; runs without an admin key: %d; keys left over: 0",
		seed, s.adminKeys(), ever-s.adminKeys(), kills, time.Since(begun).Round(time.Second), amid, swaps, s.used.Load(), s.failed.Load(), refused)
	s.complaints.Range(func(complaint, _ any) bool {
		t.Error(complaint)
		return true
	})
	if s.adminKeys() < rotations || amid == 0 {
		t.Errorf("%d admin keys, and %d kills amid rotations: this shows nothing", s.adminKeys(), amid)
	}
	if !s.box.Alive(s.box.Workspaces()[0].AdminKey) {
		t.Error("the admin key that was made by hand was revoked, which is nobody's to do but a person's")
	}
}
