package main_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheBinaryNeedsNothingAroundIt: in an empty root, without a time zone database,
// certificates, names of users, a home or any environment, such as in an image made
// from scratch by a user id that has no name.
func TestTheBinaryNeedsNothingAroundIt(t *testing.T) {
	if testing.Short() || os.Getuid() != 0 {
		t.Skip("takes a build of its own, and root")
	}
	box, stop, err := startSandbox()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	const user = 64999
	root := t.TempDir()
	for dir := root; dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o001 == 0 {
			_ = os.Chmod(dir, info.Mode().Perm()|0o011) // for that user to pass
		}
	}
	build := exec.Command("go", "build", "-o", filepath.Join(root, "instantly-rotator"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	home := filepath.Join(root, "srv")
	for name, text := range map[string]string{"admin-key": box.adminKey, "config.yaml": `
workspaces: {main: {admin_key: {file: admin-key}, base_url: ` + box.url + `, requests_per_second: 100}}
stores: {local: {kind: file, path: ./store}}
keys: [{name: sending, scopes: [campaigns:read], stores: [{store: local}], schedule: "0 3 * * *", timezone: Europe/Berlin}]
`} {
		if err := os.MkdirAll(home, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = os.Chown(filepath.Join(home, name), user, user)
	}
	if err := os.Chown(home, user, user); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"validate", "rotate", "status", "verify", "get sending"} {
		cmd := exec.Command("/instantly-rotator", append([]string{"-c", "/srv/config.yaml"}, strings.Fields(args)...)...)
		cmd.Dir, cmd.Env = "/", []string{}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user}}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", args, err, out)
		}
	}
}

// TestTheReadmesWaitsEnd: with the ports taken, the README's commands that wait for a
// server end by themselves and do not fill the screen.
func TestTheReadmesWaitsEnd(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	waits := regexp.MustCompile(`(?m)^instantly-rotator .* &\nuntil .*$`).FindAllString(string(readme), -1)
	if len(waits) != 2 {
		t.Fatalf("%d commands of the README wait for a server, want 2: %q", len(waits), waits)
	}
	for _, wait := range waits {
		address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(wait)
		if l, err := net.Listen("tcp", address); err == nil { // else it is taken already
			defer l.Close()
		}
		shell := exec.Command("bash", "-c", wait)
		shell.Dir, shell.SysProcAttr = t.TempDir(), childAttributes()
		var out bytes.Buffer
		shell.Stdout, shell.Stderr, shell.WaitDelay = &out, &out, time.Second
		if err := shell.Start(); err != nil {
			t.Fatal(err)
		}
		giveUp := time.AfterFunc(waitLimit, func() { _ = shell.Process.Kill() })
		_ = shell.Wait()
		if !giveUp.Stop() {
			t.Errorf("it goes on for ever: %s", wait)
		}
		if n := strings.Count(out.String(), "\n"); n > 10 {
			t.Errorf("%d lines are printed by %s: %.500s", n, wait, out.String())
		}
	}
}
