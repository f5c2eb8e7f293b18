package doctor_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/doctor"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

// account is one at the sandbox, and what the last answer said of its budget.
type account struct {
	*testing.T
	box  *sandbox.Server
	rate instantly.RateLimit
	slow time.Duration // until a create has its effect
}

// RoundTrip is the way to the API, which goes on with a create when nobody waits for its
// answer any more.
func (a *account) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.slow == 0 || r.Method != http.MethodPost {
		return sandbox.Transport(a.box).RoundTrip(r)
	}
	type answer struct {
		res *http.Response
		err error
	}
	answered := make(chan answer, 1)
	go func() {
		time.Sleep(a.slow)
		res, err := sandbox.Transport(a.box).RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
		answered <- answer{res, err}
	}()
	select {
	case got := <-answered:
		return got.res, got.err
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func newAccount(t *testing.T) *account { return &account{T: t, box: sandbox.New(sandbox.Options{})} }

func (a *account) client(agent string) *instantly.Client {
	c, err := instantly.NewClient(instantly.Options{
		AdminKey: a.box.Workspaces()[0].AdminKey, Transport: a, UserAgent: agent, RetryBudget: -1,
		Pacer: instantly.NewPacer(100), Observe: func(c instantly.Call) {
			if c.RateLimit.Known {
				a.rate = c.RateLimit
			}
		},
	})
	if err != nil {
		a.Fatal(err)
	}
	return c
}

func (a *account) probe(ctx context.Context, waiting func(string)) doctor.ProbeReport {
	return doctor.Probe(ctx, doctor.ProbeOptions{
		Owner: "growth", Client: a.client(""), AsGo: a.client("Go-http-client/1.1"), Wait: 30 * time.Second, Pause: 100 * time.Millisecond,
		Rate: func() instantly.RateLimit { return a.rate }, Waiting: waiting,
	})
}

// alive counts the keys beside the admin key.
func (a *account) alive() int {
	n := -1
	for _, k := range a.box.Keys(sandbox.DefaultWorkspaceID) {
		if k.Alive(time.Now()) {
			n++
		}
	}
	return n
}

// TestProbeReportsWhatTheSwitchSays sets each switch of the sandbox that stands for
// something the vendor does not say.
func TestProbeReportsWhatTheSwitchSays(t *testing.T) {
	for _, c := range []struct {
		faults  sandbox.Faults
		id      string
		want    string // a regular expression
		unknown bool
	}{
		{sandbox.Faults{}, "activation", `^at the first look`, false},
		{sandbox.Faults{ActivationDelay: 5 * time.Second}, "activation", `^about 5(\.\d)?s after`, false},
		{sandbox.Faults{ActivationDelay: time.Hour}, "activation", `^not within 30s`, true},
		{sandbox.Faults{}, "revocation", `^at the first look`, false},
		{sandbox.Faults{RevocationDelay: 12 * time.Second}, "revocation", `^about 12(\.\d)?s after`, false},
		{sandbox.Faults{RevocationDelay: time.Hour}, "revocation", `^not within 30s`, true},
		{sandbox.Faults{ListKey: sandbox.KeyFull}, "list-value", `^full`, false},
		{sandbox.Faults{ListKey: sandbox.KeyMasked}, "list-value", `^masked`, false},
		{sandbox.Faults{ListKey: sandbox.KeyEmpty}, "list-value", `^empty`, false},
		{sandbox.Faults{}, "list-id", `^yes$`, false},
		{sandbox.Faults{CreateAnswerID: sandbox.OtherID}, "list-id", `^no`, false},
		{sandbox.Faults{}, "dead-key", `HTTP 401, .*"Invalid API key"`, false},
		{sandbox.Faults{DeadKeyText: "Key was revoked"}, "dead-key", `HTTP 401, .*"Key was revoked"`, false},
		{sandbox.Faults{}, "default-agent", `^no: HTTP 403`, false},
		{sandbox.Faults{AnyAgent: true}, "default-agent", `^yes$`, false},
		{sandbox.Faults{}, "name-length", `^1000 characters at least$`, false},
		{sandbox.Faults{LongestName: 255}, "name-length", `^255 characters are accepted, 512 are not: HTTP 400, .*more than 255`, false},
		{sandbox.Faults{}, "unlisted-scope", `^yes`, false},
		{sandbox.Faults{StrictScopes: true}, "unlisted-scope", `^no .*HTTP 400`, false},
		{sandbox.Faults{}, "rate-headers", `^no$`, false},
		{sandbox.Faults{RateLimitHeaders: true}, "rate-headers", `^yes: of 6000$`, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t)
			a.box.SetFaults(c.faults)
			r := a.probe(t.Context(), func(string) {})
			found := false
			for _, got := range r.Answers {
				if got.ID == c.id {
					found = true
					if !regexp.MustCompile(c.want).MatchString(got.Answer) || got.Known == c.unknown {
						t.Errorf("%+v: %s: %q, known: %v", c.faults, c.id, got.Answer, got.Known)
					}
				}
			}
			if !found || r.Error != "" || r.Left != "" || r.Settled() == c.unknown {
				t.Errorf("%+v: %s told: %v; %+v", c.faults, c.id, found, r)
			}
			time.Sleep(2 * time.Hour) // for slow revocations
			if n := a.alive(); n != 0 {
				t.Errorf("%+v: %d keys are alive", c.faults, n)
			}
		})
	}
}

// Ended by a person at any moment, it revokes what it has made.
func TestProbeThatIsInterruptedLeavesNoKey(t *testing.T) {
	moments := 0
	for at := 0; at <= moments; at++ { // first not at all
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			step := 0
			r := a.probe(ctx, func(string) {
				if step++; step == at {
					cancel()
				}
			})
			moments = max(moments, step)
			if n := a.alive(); n != 0 || r.Left != "" {
				t.Errorf("interrupted at step %d: %d keys are alive; %+v", at, n, r)
			}
		})
	}
	if moments < 5 {
		t.Errorf("only %d moments", moments)
	}
}

func TestProbeThatIsInterruptedWaitsForTheKeyThatIsBeingMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.slow = time.Second
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(a.slow/2, cancel)
		r := a.probe(ctx, func(string) {})
		time.Sleep(time.Minute)
		if n := a.alive(); n != 0 || r.Left != "" {
			t.Errorf("%d keys are alive; %+v", n, r)
		}
	})
}

// Killed, it leaves keys: the next probe revokes them first, and no other's.
func TestProbeRevokesWhatOneBeforeHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		for _, name := range []string{"growth doctor-probe abcd", "growth doctor-probe abcd scope", "sales doctor-probe abcd", "growth/x/y/z"} {
			if _, err := a.box.AddKey(sandbox.DefaultWorkspaceID, name, "leads:read"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Minute)
		if r := a.probe(t.Context(), func(string) {}); r.Before != 2 || a.alive() != 2 {
			t.Errorf("%d of before, %d keys are alive", r.Before, a.alive())
		}
	})
}

// Two people probe at once: nobody revokes the keys of the other.
func TestProbeLeavesAloneOneThatIsRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.box.SetFaults(sandbox.Faults{ActivationDelay: 20 * time.Second})
		first := make(chan doctor.ProbeReport)
		go func() { first <- a.probe(t.Context(), func(string) {}) }()
		time.Sleep(2 * time.Second)
		second := a.probe(t.Context(), func(string) {})
		for _, r := range []doctor.ProbeReport{<-first, second} {
			if !r.Settled() || r.Before != 0 {
				t.Errorf("disturbed: %+v", r)
			}
		}
		if second.Alone != 1 || len(second.Running) != 1 {
			t.Errorf("the second one says of the first: %d keys of %v", second.Alone, second.Running)
		}
		if n := a.alive(); n != 0 {
			t.Errorf("%d keys are alive", n)
		}
	})
}

// A create whose answer is lost leaves a key that only its name tells of.
func TestProbeRevokesAKeyWhoseCreateWasNeverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.box.SetFaults(sandbox.Faults{LostCreateResponse: true})
		if r := a.probe(t.Context(), func(string) {}); r.Error == "" || a.alive() != 0 {
			t.Errorf("%d keys are alive; %+v", a.alive(), r)
		}
	})
}

func TestProbeReportHasNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.box.SetFaults(sandbox.Faults{ListKey: sandbox.KeyMasked})
		text := fmt.Sprintf("%+v", a.probe(t.Context(), func(string) {}))
		for _, k := range a.box.Keys(sandbox.DefaultWorkspaceID) {
			if value := k.Value.Reveal(); strings.Contains(text, value) || strings.Contains(text, value[len(value)-4:]) || strings.Contains(text, k.WorkspaceID) {
				t.Errorf("the report has a value, a part of one, or whose it is: %s", text)
			}
		}
	})
}
