package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A replica is a daemon of a deployment with several.
type replica struct {
	*kubernetesFixture
	log  *lockedBuffer
	stop context.CancelFunc
	code chan int
}

// lockedBuffer may be written and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// replica starts a daemon that stands for election.
func (d *kubernetesFixture) replica() *replica {
	r := &replica{kubernetesFixture: d, log: &lockedBuffer{}, code: make(chan int, 1)}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(d.Context())
	a := &app{stdout: io.Discard, stderr: r.log, now: time.Now, getenv: func(name string) string {
		return map[string]string{"ADMIN_KEY": d.key, "INSTANTLY_ROTATOR_CONFIG": d.config, "POD_NAMESPACE": "growth"}[name]
	}}
	go func() {
		r.code <- a.run(ctx, []string{"daemon", "--listen", "127.0.0.1:0", "--leader-elect", "--log-format", "json"})
	}()
	return r
}

// wantLog waits until the log says something.
func (r *replica) wantLog(text string) {
	r.Helper()
	for range 1000 {
		if strings.Contains(r.log.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.Fatalf("the log never said %q:\n%s", text, r.log)
}

// ends wants the daemon to end well when it is told to.
func (r *replica) ends() {
	r.Helper()
	r.stop()
	if code := <-r.code; code != exitSettled {
		r.Errorf("exit %d:\n%s", code, r.log)
	}
}

// ask gives an answer of the daemon's.
func (r *replica) ask(path string) string {
	r.Helper()
	r.wantLog(`"listening"`)
	address := regexp.MustCompile(`"address":"([^"]+)"`).FindStringSubmatch(r.log.String())[1]
	res, err := http.Get("http://" + address + path)
	if err != nil {
		r.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

func (r *replica) wantAnswer(path, want string) {
	r.Helper()
	got := ""
	for range 500 {
		if got = r.ask(path); strings.Contains(got, want) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.Errorf("%s does not say %q:\n%s", path, want, got)
}

func TestSecondDaemonStandsByTakesChangesOverAndThenLeads(t *testing.T) {
	d := newKubernetesFixture(t, ", create_missing: true")
	t.Setenv("KUBECONFIG", d.kubeconfig)
	first := d.replica()
	first.wantLog(`"leading"`)
	first.wantAnswer("/readyz", "ok\n")
	first.wantAnswer("/metrics", "\ninstantly_rotator_leader 1\n")
	second := d.replica()
	second.wantLog(`"standing by"`)
	second.wantAnswer("/readyz", "ok: standing by\n")
	second.wantAnswer("/metrics", "\ninstantly_rotator_leader 0\n")
	if got := second.ask("/api/v1/targets"); strings.Contains(got, "sending") {
		t.Errorf("a daemon that stands by tells of targets: %s", got)
	}
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(d.config, string(text)+"  - {name: reporting, scopes: [leads:read], stores: [{store: cluster}]}\n")
	first.wantLog("the changed configuration is in force")
	second.wantLog("the changed configuration is in force")
	first.wantAnswer("/api/v1/targets", "reporting")
	first.ends()
	second.wantLog(`"leading","targets":2`)
	second.wantAnswer("/readyz", "ok\n")
	second.wantAnswer("/metrics", "\ninstantly_rotator_leader 1\n")
	second.wantAnswer("/healthz", "ok\n")
	second.ends()
	if s := first.log.String() + second.log.String(); strings.Contains(s, `"failed"`) || strings.Count(s, `"msg":"promote"`) != 2 {
		t.Errorf("two keys were to be made without a failure:\n%s", s)
	}
}

// A role that may not read leases, or an API server that is away: nobody works, and a
// deployment must not go on as if somebody did.
func TestDaemonThatCannotAskWhoLeadsIsAliveButNotReady(t *testing.T) {
	d := newKubernetesFixture(t, ", create_missing: true")
	t.Setenv("KUBECONFIG", d.kubeconfig)
	d.server.Denied = map[string]bool{"get": true}
	only := d.replica()
	only.wantLog(`"the election goes on"`)
	only.wantAnswer("/readyz", "it is not known which instance leads: the election cannot be asked (see the log)\n")
	if got := only.ask("/readyz"); strings.Contains(got, "growth") {
		t.Errorf("a probe that nobody signs in for tells of the cluster: %s", got)
	}
	only.wantAnswer("/healthz", "ok\n")
	only.wantAnswer("/", "the election cannot be asked")
	only.ends()
}

func TestElectionWithoutAClusterIsRefusedAtTheStart(t *testing.T) {
	d := newKubernetesFixture(t, "")
	t.Setenv("KUBECONFIG", d.config+".none")
	code, _, stderr := d.run("daemon", "--leader-elect", "--listen", "")
	if code == exitSettled || !strings.Contains(stderr, "run in one, or set kubeconfig, or KUBECONFIG") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
