package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// permissionsIn lists the permissions of a file in deploy/iam. Both clouds write
// them as quoted or listed words that begin with the service's name.
func permissionsIn(t *testing.T, file, pattern string) (permissions []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "iam", file))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
		permissions = append(permissions, m[1])
	}
	if len(permissions) < 5 {
		t.Fatalf("%s has the permissions %q only", file, permissions)
	}
	return permissions
}

// A guard is a cloud that permissions are taken away in.
type guard struct {
	target string
	// secret as messages name it.
	secret      string
	deny        func(l *cloudLab, permission string)
	allow       func(l *cloudLab)
	permissions []string
	// begin is what the secret may hold before there is a key.
	begin []func(l *cloudLab)
}

func guards(t *testing.T) []guard {
	t.Helper()
	return []guard{
		{
			target: onlyAWS, secret: onlyAWS,
			deny: func(l *cloudLab, permission string) {
				l.amazon.Deny(strings.TrimPrefix(permission, "secretsmanager:"))
			},
			allow:       func(l *cloudLab) { l.amazon.Allow() },
			permissions: permissionsIn(t, "aws-policy.json", `"Action": "(secretsmanager:\w+)"`),
			begin:       []func(*cloudLab){func(*cloudLab) {}, (*cloudLab).putByHand},
		},
		{
			target: onlyGCP, secret: "projects/acme-prod/secrets/" + onlyGCP,
			deny:        func(l *cloudLab, permission string) { l.google.Deny(permission) },
			allow:       func(l *cloudLab) { l.google.Allow() },
			permissions: permissionsIn(t, "gcp-role.yaml", `- (secretmanager\.\S+)`),
			begin:       []func(*cloudLab){func(*cloudLab) {}},
		},
	}
}

// TestEachPermissionTakenAwayIsNamedToTheUser takes one permission away at a time,
// before each run of a key's life: if the run fails it is with exit code 1 and a
// message that names the permission and the secret, and the keys that consumers
// had live on. Once the permission is back, the next run goes on.
func TestEachPermissionTakenAwayIsNamedToTheUser(t *testing.T) {
	for _, g := range guards(t) {
		for _, permission := range g.permissions {
			t.Run(permission, func(t *testing.T) {
				t.Parallel()
				failed := 0
				for _, begin := range g.begin {
					l := newCloudLab(t, newAmazon(t), "grace_period: 1h, activation_timeout: 300ms")
					begin(l)
					failed += l.liveWithout(g, permission)
				}
				if failed == 0 {
					t.Errorf("without %s nothing failed", permission)
				}
			})
		}
	}
}

// liveWithout gives how many runs failed for want of the permission.
func (l *cloudLab) liveWithout(g guard, permission string) (failed int) {
	for i, args := range [][]string{
		{"rotate", g.target},                         // the first key, over what stands there
		{"rotate", g.target},                         // a rotation
		{"rotate", "--due", "--end-grace", g.target}, // the end of the old key
	} {
		isFirst := i == 0
		held := ""
		if !isFirst { // what stands there at first is no key
			held = l.readBy(g)
		}
		if len(args) == 2 {
			l.run("rotate", "--end-grace", g.target) // of what stood there
		}
		g.deny(l, permission)
		code, said := l.run(args...)
		g.allow(l)
		switch {
		case code == 1 && strings.Contains(said, "needs "+permission+" on "+g.secret):
			failed++
		case code != 0:
			l.Errorf("%v without %s: exit code %d\n%s", args, permission, code, said)
		}
		if !isFirst {
			l.wantBothAlive(held, l.readBy(g))
		}
		l.wantRun(0, []string{"rotate", "--due", "--force", g.target})
		l.wantBothAlive(l.readBy(g))
	}
	return failed
}

// putByHand stores in AWS what somebody writes who has no key yet.
func (l *cloudLab) putByHand() {
	l.amazon.call(l.T, "PutSecretValue", map[string]any{
		"SecretId": onlyAWS, "ClientRequestToken": strings.Repeat("by-hand-", 4), "SecretString": "changeme",
	})
}

// readBy is the key that consumers of a cloud have.
func (l *cloudLab) readBy(g guard) string {
	l.Helper()
	if g.target == onlyAWS {
		return l.inAWS(onlyAWS, "AWSCURRENT")
	}
	return l.inGCP(onlyGCP, "latest")
}
