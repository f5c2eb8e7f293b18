package page_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/page"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const day = 24 * time.Hour

// now is when all pages of these tests are drawn.
func now() time.Time { return time.Date(2026, 11, 28, 3, 12, 0, 0, time.UTC) }

const configFile = "/etc/instantly-rotator/config.yaml"

// A scene is a daemon in some state, as the page is told of it.
type scene struct {
	board    *status.Board
	process  page.Process
	policies []page.Policy
	audit    *audit.Report
	trail    page.Trail
	token    string
}

// newScene has targets of these names that are in order, as read a moment ago.
func newScene(names ...string) *scene {
	s := &scene{board: status.NewBoard(), trail: page.Trail{Missing: "no trail is configured"}, process: page.Process{
		Version: "1.0.0", Instance: "web-1/4711", Leads: true, Resync: 10 * time.Minute, Reloaded: now().Add(-3 * day),
	}}
	s.board.Keep(names)
	for i, name := range names {
		s.policies = append(s.policies, page.Policy{
			Target: name, Workspace: "main", Scopes: []string{"campaigns:read", "leads:all"}, Risk: "high", Schedule: "0 3 1 * * (UTC)",
			MaxAge: 45 * day, Grace: day, Places: []page.Place{{Name: "aws", Secret: "prod/" + name}, {Name: "local", Secret: name}},
		})
		s.put(name, now().Add(-time.Duration(i%9)*time.Minute), healthy(name), nil)
	}
	return s
}

// put shows how a run of a target ended.
func (s *scene) put(name string, at time.Time, o rotator.TargetStatus, err error) {
	s.board.Put(rotator.Result{Target: name, Status: o, Err: err}, at)
}

// keyOf gives the id of a target's first or second key.
func keyOf(target string, n int) string { return fmt.Sprintf("0192f3a%d-7c44-7000-%s", n, target) }

// inGrace is one whose old key works beside the new one, until then.
func inGrace(name string, promoted, until time.Time) rotator.TargetStatus {
	o := healthy(name)
	o.Current.Promoted, o.Since, o.Current.Intent.At = promoted, promoted, promoted.Add(-time.Minute)
	o.NextDue = promoted.Add(30 * day)
	o.Old = []rotator.OldKey{{ID: keyOf(name, 1), Until: until}}
	o.Next = rotator.Step{Verb: rotator.Settled, Reason: "the old key is in its grace period", At: until}
	for i := range o.Stores {
		o.Stores[i].Versions[secretstore.Current] = *o.Current
		o.Stores[i].Versions[secretstore.Previous] = secretstore.Version{
			ID: keyOf(name, 1), Promoted: promoted.Add(-30 * day),
			Intent: secretstore.Intent{Nonce: "n1", At: promoted.Add(-30*day - time.Minute), Spec: "campaigns:read,leads:all"},
		}
	}
	return o
}

// healthy is a target that is in order.
func healthy(name string) rotator.TargetStatus {
	current := secretstore.Version{
		ID: keyOf(name, 2), Promoted: now().Add(-12 * day),
		Intent: secretstore.Intent{Nonce: "n2", At: now().Add(-12*day - time.Minute), Spec: "campaigns:read,leads:all"},
	}
	o := rotator.TargetStatus{
		Target: name, Workspace: "main", Current: &current, Since: current.Promoted, NextDue: now().Add(3*day + 4*time.Hour),
		Next: rotator.Step{Verb: rotator.Settled, Reason: "nothing to do", At: now().Add(3*day + 4*time.Hour)},
	}
	for _, store := range []string{"aws", "local"} {
		o.Stores = append(o.Stores, rotator.StoreState{Name: store, Snapshot: secretstore.Snapshot{
			Versions: map[secretstore.Stage]secretstore.Version{secretstore.Current: current},
		}})
	}
	return o
}

func with(o rotator.TargetStatus, change func(*rotator.TargetStatus)) rotator.TargetStatus {
	change(&o)
	return o
}

// scenes are the states that a person on call may find, by name.
func scenes() map[string]*scene {
	all := map[string]*scene{"empty": newScene()}

	s := newScene("sending", "reporting", "zapier")
	s.put("reporting", now(), inGrace("reporting", now().Add(-17*time.Hour), now().Add(7*time.Hour)), nil)
	all["healthy"] = s

	s = newScene("sending", "reporting", "zapier")
	down := error(&rotator.CircuitOpenError{Where: "workspace main", Cause: instantly.ErrUnavailable, Until: now().Add(3 * time.Minute)})
	for _, name := range []string{"sending", "reporting", "zapier"} {
		s.put(name, now().Add(-17*time.Minute), healthy(name), nil)
		s.put(name, now().Add(-2*time.Minute), rotator.TargetStatus{Target: name, Workspace: "main", Err: down, Next: rotator.Step{Verb: rotator.Stop, Err: down}}, down)
	}
	s.process.CircuitOpen = map[string]bool{"main": true}
	all["API down"] = s

	s = newScene("sending", "reporting", "zapier")
	alive := fmt.Errorf("key %s: %w", keyOf("sending", 1), rotator.ErrStillAlive)
	s.put("sending", now().Add(-time.Minute), with(inGrace("sending", now().Add(-16*time.Minute), time.Time{}), func(o *rotator.TargetStatus) {
		o.Incident = secretstore.Incident{ID: "INC-204 laptop stolen", At: now().Add(-21 * time.Minute)}
		o.Old = []rotator.OldKey{{ID: keyOf("sending", 1), Unlisted: true}}
		o.Failure = secretstore.Failure{Count: 3, At: now().Add(-time.Minute), Step: "prove", Reason: "the old key still answers"}
		o.Because = "the old key still answers"
		o.Due, o.Next = true, rotator.Step{Verb: rotator.Prove, ID: keyOf("sending", 1), Reason: "the old key still answers; asked again", At: now().Add(4 * time.Minute)}
	}), alive)
	all["incident with slow revocation"] = s

	s = newScene("sending", "reporting", "zapier")
	s.put("reporting", now(), with(healthy("reporting"), func(o *rotator.TargetStatus) {
		o.Hold = secretstore.Hold{Since: now().Add(-2 * day), Until: now().Add(5 * day), Reason: "month-end close"}
	}), nil)
	all["hold"] = s

	s = newScene("sending", "reporting", "zapier")
	s.put("zapier", now(), with(healthy("zapier"), func(o *rotator.TargetStatus) {
		foreign := secretstore.Version{ID: "v7", Foreign: true}
		o.Current, o.Since = &foreign, time.Time{}
		o.Stores[0].Versions[secretstore.Current] = foreign
		o.Quarantine = "store aws holds a value of unknown origin as current: nothing of this target is revoked"
	}), nil)
	all["quarantine"] = s

	s = newScene("sending", "reporting", "zapier")
	stuck := fmt.Errorf("restart of deployment/web: %w", rotator.ErrGateOpen)
	s.put("sending", now(), with(inGrace("sending", now().Add(-2*day), now().Add(-day)), func(o *rotator.TargetStatus) {
		o.Gates = []string{"restart of deployment/web"}
		o.Due, o.Next = true, rotator.Step{Verb: rotator.Converge, Reason: "waits for its consumers", Err: stuck}
	}), stuck)
	all["consumer stuck"] = s

	s = newScene("sending", "reporting", "zapier")
	away := errors.New("dial tcp 10.0.0.7:443: connection refused")
	for _, name := range []string{"reporting", "sending"} {
		err := fmt.Errorf("store aws: %w: %w", secretstore.ErrUnavailable, away)
		s.put(name, now().Add(-time.Minute), with(healthy(name), func(o *rotator.TargetStatus) {
			o.Stores[0] = rotator.StoreState{Name: "aws", Err: err}
			o.Next = rotator.Step{Verb: rotator.Stop, Err: err, Reason: err.Error()}
		}), err)
	}
	all["store away"] = s

	s = newScene("sending", "reporting", "zapier")
	for _, name := range []string{"sending", "reporting", "zapier"} {
		s.put(name, now().Add(-3*time.Hour), healthy(name), nil)
	}
	s.process.Hung = "the loop hangs"
	all["stale"] = s

	s = many(500)
	for i := range 500 {
		if i%50 != 7 {
			continue
		}
		name := fmt.Sprintf("customer-%05d", i)
		s.put(name, now(), with(healthy(name), func(o *rotator.TargetStatus) { o.Dead = i == 57 }), nil)
	}
	all["500 targets"] = s
	return all
}

// many has so many targets that are in order.
func many(n int) *scene {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("customer-%05d", i))
	}
	return newScene(names...)
}

// site makes the pages of a scene.
func (s *scene) site() *page.Site { return s.siteAt(now) }

func (s *scene) siteAt(now func() time.Time) *page.Site {
	pasted := func(text string) string { return remedy.Pasted(text, configFile) }
	return page.New(page.Source{
		Now: now, Pasted: pasted, Process: func() page.Process { return s.process },
		Report: func() status.Report {
			targets := s.board.Targets(now())
			for _, t := range targets {
				for i, hint := range t.Hints {
					t.Hints[i] = pasted(hint)
				}
			}
			return status.Report{Targets: targets}
		},
		Policies: func() []page.Policy { return s.policies }, Audit: func() *audit.Report { return s.audit },
		Trail: func() page.Trail { return s.trail }, Gate: daemon.NewGate(secret.New(s.token), now, nil),
	})
}

// get asks for a page.
func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "http://localhost"+path, nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestAPersonOnCallIsToldAtOnceHowItIs: in each state, the headline says it, and what
// is to be done stands there to be pasted.
func TestAPersonOnCallIsToldAtOnceHowItIs(t *testing.T) {
	const head = "All consumers hold working keys: <strong>"
	c := remedy.Program + " -c " + configFile
	for name, want := range map[string][]string{
		"healthy":                       {head + "yes", "in 3d4h", "in use", "the old key works until 2026-11-28 10:12Z", "revoke the old key", "in 7h"},
		"empty":                         {head + "not known yet", "no target in the configuration"},
		"API down":                      {head + "not known since 2026-11-28 02:55Z", "Workspace main", "nothing is begun while calls fail"},
		"incident with slow revocation": {head + "yes", "INC-204 laptop stolen", "21m ago", "1 of 1", c + " rotate --due --force sending"},
		"hold":                          {head + "yes", "month-end close", c + " release reporting", "the hold ends"},
		"quarantine":                    {head + "yes", "value of unknown origin", c + " adopt zapier"},
		"consumer stuck":                {head + "yes", "restart of deployment/web", c + " rotate --due sending", c + " rotate --skip-gates REASON sending"},
		"store away":                    {head + "not known since 2026-11-28 03:1", "Store aws: ", "connection refused"},
		"stale":                         {head + "not known since 2026-11-28 00:12Z", "nothing here is to be trusted", "the loop hangs", `<td><span class="state warn">not known</span></td>`},
		"500 targets":                   {head + "no<", "customer-00057: consumers hold a key that is refused", c + " rotate customer-00057", "1 of 10"},
	} {
		s, ok := scenes()[name]
		if !ok {
			t.Fatalf("there is no scene %q", name)
		}
		code, body := get(t, s.site(), "/")
		if code != http.StatusOK {
			t.Errorf("%s: %d: %s", name, code, body)
			continue
		}
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s: the page does not say %q:\n%s", name, text, body)
			}
		}
	}
	if len(scenes()) != 10 {
		t.Errorf("there are %d scenes", len(scenes()))
	}
}

// TestNothingIsCalledSettledThatIsNot: a run that stopped, or waits, in an incident.
func TestNothingIsCalledSettledThatIsNot(t *testing.T) {
	for what, c := range map[string]struct {
		next rotator.Step
		want string
	}{
		"it stopped":              {rotator.Step{Verb: rotator.Stop, Err: rotator.ErrReceiverRefuses}, "<td>try again</td>"},
		"it failed, and waits":    {rotator.Step{Verb: rotator.Settled, Reason: "the last attempts failed", At: now().Add(time.Minute)}, "<td>try again</td>"},
		"it has a step to do yet": {rotator.Step{Verb: rotator.Revoke}, "<td>revoke</td>"},
	} {
		s := newScene("replies")
		s.put("replies", now(), with(healthy("replies"), func(o *rotator.TargetStatus) {
			o.Incident = secretstore.Incident{ID: "INC-1", At: now().Add(-time.Hour)}
			o.Failure = secretstore.Failure{Count: 1, At: now().Add(-time.Minute), Step: "switch-back", Reason: "a receiver refuses the secret"}
			o.Next = c.next
		}), c.next.Err)
		_, body := get(t, s.site(), "/")
		if !strings.Contains(body, c.want) || strings.Contains(body, "<td>settled") {
			t.Errorf("%s: the page does not say %q:\n%s", what, c.want, body)
		}
	}
}

// read gives the body of an answer.
func read(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
