package audit_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// A fault is planted where nothing is to be found, and is to be found as one line.
type fault struct {
	check    string
	name     string
	plant    func(*world)
	severity audit.Severity
	says     string // subject, text and what to do: a regular expression
	// besides are other checks that it concerns.
	besides []string
}

const day = 24 * time.Hour

func faults() []fault {
	return []fault{
		{"KEY-01", "a key that may do all", func(w *world) { w.addKey(time.Hour, "zapier", "all:all") }, audit.High, `^key zapier \(.*\): it has all:all \| do: a key's scopes cannot be changed: add a target`, []string{"KEY-02"}},
		{"KEY-01", "a key that may read all", func(w *world) { w.addKey(time.Hour, "warehouse", "all:read", "leads:update") }, audit.High, `^key warehouse .*: it has all:read \|`, []string{"KEY-02"}},
		{"KEY-01", "a target that may read all, for a reason", func(w *world) {
			w.reporting = `scopes: [all:read], allow_critical_scopes: "it copies everything", stores: [{store: local}]`
			w.rotate("reporting")
		}, audit.Note, `^key .*reporting.*: it has all:read, as target reporting says: it copies everything`, nil},
		{"KEY-02", "a key that is a quarter old", func(w *world) { w.addKey(100*day, "n8n", "leads:read") }, audit.Medium, `^key n8n .*: nobody rotates it; it is 100d`, nil},
		{"KEY-02", "a key that is years old", func(w *world) { w.addKey(1000*day, "crm", "leads:read") }, audit.High, `^key crm .*: nobody rotates it; it is 1000d`, nil},
		{"KEY-02", "a young key that nobody rotates", func(w *world) { w.addKey(time.Hour, "new", "leads:read") }, audit.Low, `^key new .*: nobody rotates it; it is 1h old \| do: add a target for it, and take it over: instantly-rotator adopt TARGET;`, nil},
		{"KEY-03", "one key for two targets", func(w *world) { w.put("reporting", w.value("sending")) }, audit.Medium, `^target (sending .*|reporting): its key is that of target (reporting|sending), too \| do: instantly-rotator rotate`, nil},
		{"KEY-03", "a consumer that has the admin key", func(w *world) {
			admin := w.addKey(time.Hour, "admin", adminScopes()...)
			w.env["ADMIN"], w.adminKey = admin.Value.Reveal(), "{env: ADMIN}"
			w.put("reporting", admin.Value)
		}, audit.High, `^target reporting: its key is that of the admin key of workspace main, too`, []string{"KEY-02", "KEY-05", "KEY-07"}},
		{"KEY-04", "a key of leads that may make keys", func(w *world) { w.addKey(time.Hour, "sync", "leads:read", "api_keys:create") }, audit.High, `^key sync .*: it has api_keys:create beside leads:read \|`, []string{"KEY-02"}},
		{"KEY-04", "a scope that nobody knows", func(w *world) { w.addKey(time.Hour, "odd", "inbox_tests:read") }, audit.Low, `^key odd .*: scopes that the vendor does not name: inbox_tests:read`, []string{"KEY-02"}},
		{"KEY-04", "a key that may do more than its target says", func(w *world) {
			w.reporting = "scopes: [accounts:update], stores: [{store: local}]"
		}, audit.Medium, `^key .*reporting.*: it has scopes that target reporting does not name: accounts:read \| do: instantly-rotator rotate reporting`, nil},
		{"KEY-05", "a key of a store that is not configured", func(w *world) {
			w.addKey(time.Hour, "instantly-rotator/sending/0123456789ab/abcdef", "campaigns:read")
		}, audit.Medium, `^key instantly-rotator/sending/0123456789ab/abcdef .*: it is named as ours, after a store that is not configured`, nil},
		{"KEY-05", "a key whose store is lost", func(w *world) { w.must(os.RemoveAll(filepath.Join(w.dir, "store", "reporting"))) },
			audit.Medium, `^key instantly-rotator/reporting/.*: it is ours, and its target's store, .* holds nothing: .*\| do: bring the store back: .* Do not delete`, nil},
		{"KEY-05", "two keys are current", func(w *world) { w.put("sending", w.addKey(time.Hour, "n", "campaigns:read", "leads:update").Value) }, audit.Medium, `^target sending: two keys are current: store local: .*, store second: .*\| do: instantly-rotator rotate --due`, []string{"KEY-02"}},
		{"KEY-05", "an orphan", func(w *world) {
			name := ""
			for _, k := range w.api.Keys(sandbox.DefaultWorkspaceID) {
				if strings.Contains(k.Name, "/reporting/") {
					name = k.Name
				}
			}
			w.addKey(time.Hour, name[:strings.LastIndex(name, "/")]+"/abcdefabcdef", "accounts:read")
		}, audit.Low, `^key .*/abcdefabcdef .*: a key of target reporting that nothing refers to \| do: instantly-rotator rotate --due`, nil},
		{"KEY-06", "a schedule of once a year", func(w *world) { w.sending += `, schedule: "@yearly", max_age: 366d` }, audit.Medium, `^target sending: its key may become 366d old`, nil},
		{"KEY-06", "a grace period longer than the schedule's gap", func(w *world) { w.reporting += `, schedule: "@weekly", grace_period: 8d` }, audit.Medium, `^target reporting: its grace period of 8d is no shorter than the time between two rotations, 7d`, nil},
		{"KEY-06", "a schedule that nothing here keeps", func(w *world) { w.sending += `, schedule: never` }, audit.Low, `^target sending: it is rotated only when asked \(schedule: never\)`, nil},
		{"KEY-06", "no max_age to speak of", func(w *world) { w.reporting += `, max_age: 3000d` }, audit.Low, `^target reporting: its max_age is 3000d`, nil},
		{"KEY-07", "an admin key in the environment", func(w *world) { w.adminWith(adminScopes()...) }, audit.Medium, `^workspace main: its admin key is in the environment variable ADMIN, .* \| do: keep it in a store, and rotate it`, []string{"KEY-05"}},
		{"KEY-07", "an admin key that may do harm", func(w *world) {
			w.adminKey = "{store: local, secret: admin, rotate: {scopes: [" + strings.Join(append(adminScopes(), "leads:all"), ", ") + "]}}"
			w.rotate("main-admin-key")
		}, audit.Medium, `^workspace main: its admin key may do more than it must: leads:all`, nil},
		{"KEY-07", "an admin key that may do all", func(w *world) { w.adminWith("all:all") }, audit.High, `^workspace main: its admin key may read whatever was tried`, []string{"KEY-01", "KEY-02", "KEY-05", "KEY-07"}},
		{"HOOK-01", "a webhook without a secret", func(w *world) { w.hook("open", "https://hooks.example.com/x", "X-Campaign", "1") }, audit.High, `^webhook open \(.*\): its events carry no secret: https://hooks.example.com \| do: set a header`, nil},
		{"HOOK-01", "a webhook that does not encrypt", func(w *world) { w.hook("plain", "http://hooks.example.com/x", "Authorization", "Bearer x") }, audit.High, `^webhook plain .*: its events and its secret can be read on the way: http://hooks.example.com \|`, nil},
		{"HOOK-01", "a host that is gone", func(w *world) { w.hook("gone", "https://gone.example.org/x", "X-Api-Token", "x") }, audit.Medium, `^webhook gone .*: its host is not known: https://gone.example.org \|`, nil},
		{"HOOK-02", "a webhook that was given up", func(w *world) {
			w.must(w.api.ChangeWebhook(w.api.Webhooks(sandbox.DefaultWorkspaceID)[0].ID, func(h *sandbox.Webhook) { h.Disabled = time.Now().Add(-time.Hour) }))
		}, audit.Medium, `^webhook events .*: it is disabled since 20.*, after deliveries that failed: http://127.0.0.1:\d+ \| do: mend the receiver`, nil},
		{"HOOK-02", "a receiver with another secret", func(w *world) {
			w.must(w.api.ChangeWebhook(w.api.Webhooks(sandbox.DefaultWorkspaceID)[0].ID, func(h *sandbox.Webhook) { h.Headers["X-Webhook-Secret"] = secret.New("another") }))
			w.emit()
		}, audit.Medium, `^webhook events .*: its receiver refused \d+ delivery attempts? \(401 or 403\), the last at 20.*: it has another secret`, nil},
		{"HOOK-03", "a receiver that takes everything", func(w *world) {
			w.probe = true
			w.receiver.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		}, audit.High, `^webhook events .*: its receiver takes a request without a secret \(200\): http://127.0.0.1:\d+ \| do: have the receiver compare`, nil},
		{"HOOK-03", "a receiver that takes any secret", func(w *world) {
			w.probe = true
			w.receiver.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Webhook-Secret") == "" {
					rw.WriteHeader(http.StatusForbidden)
				}
			})
		}, audit.High, `^webhook events .*: its receiver takes a request with a wrong secret \(200\)`, nil},
		{"MEM-01", "too many admins", func(w *world) {
			w.workspace, w.more = "organization_id: "+sandbox.DefaultWorkspaceID, "audit: {max_admins: 1}"
			w.member(day, "ann@acme.example", "admin", false)
		}, audit.Medium, `^workspace main: 2 owners and admins, want 1 at most: owner@acme.example, ann@acme.example`, nil},
		{"MEM-01", "somebody who is not on the list", func(w *world) { w.member(day, "eve@acme.example", "view", false) }, audit.Medium, `^member eve@acme.example \(.*\): is view, and not among the members of the workspace in the configuration`, nil},
		{"MEM-01", "an invitation of three weeks ago", func(w *world) {
			w.workspace = "members: [owner@acme.example, bob@acme.example]"
			w.member(21*day, "bob@acme.example", "editor", true)
		}, audit.Low, `^member bob@acme.example .*: the invitation as editor has been open for 21d`, nil},
		{"LOG-01", "a plan without an audit log", func(w *world) { w.api.SetFaults(sandbox.Faults{AuditLog: sandbox.AuditRefused}) }, audit.NotKnown, `^workspace main: the plan does not have an audit log: .*\| do: what depends on it is not known`, []string{"LOG-02", "LOG-03"}},
		{"LOG-01", "an empty audit log", func(w *world) { w.api.SetFaults(sandbox.Faults{AuditLog: sandbox.AuditEmpty}) }, audit.NotKnown, `^workspace main: the audit log is empty`, []string{"LOG-02", "LOG-03"}},
		{"LOG-02", "a key that somebody made", func(w *world) {
			k := w.addKey(time.Minute, "quick", "leads:read")
			w.must(w.api.DeleteKey(k.ID))
		}, audit.Medium, `^audit log entry .*: API key created, not by the rotator: 20.* by owner@acme.example from 127.0.0.1`, nil},
		{"LOG-02", "a login without a second factor", func(w *world) {
			w.logged(time.Minute, sandbox.AuditEntry{Activity: 1, UserName: "owner@acme.example", IP: "203.0.113.9"})
			w.logged(20*time.Minute, sandbox.AuditEntry{Activity: 1, UserName: "ann@acme.example"})
			w.logged(19*time.Minute, sandbox.AuditEntry{Activity: 31, UserName: "ann@acme.example"})
		}, audit.Medium, `^member owner@acme.example: logged in once without a second factor, last 20.* by owner@acme.example from 203.0.113.9`, nil},
		{"LOG-02", "a second factor that failed and failed", func(w *world) { w.logged(time.Minute, sandbox.AuditEntry{Activity: 30, UserName: "ann@acme.example"}) }, audit.High, `^member ann@acme.example: failed the second factor too many times`, nil},
		{"LOG-02", "leads that were exported", func(w *world) {
			w.logged(time.Minute, sandbox.AuditEntry{Activity: 34, UserName: "ann@acme.example", Affected: 5000})
		}, audit.Medium, `^member ann@acme.example: exported leads once, 5000 in all`, nil},
		{"LOG-03", "a consumer that has the old key", func(w *world) { w.straggler("campaigns") }, audit.Medium, `^target sending: its previous key .* acted once since the new one was promoted at 20.*, last Campaign pause: .* from 198.51.100.7 \(python-requests/2\) \| do: restart what runs there`, nil},
		{"LOG-03", "a consumer that has the old key all the time", func(w *world) { w.straggler("a"); w.straggler("b") }, audit.Medium, `^target sending: its previous key .* acted 2 times since the new one was promoted`, nil},
		{"BLK-01", "a domain that is not blocked", func(w *world) { w.more = "audit: {block_list: [friend.example.org]}" }, audit.Medium, `^block list entry friend.example.org: it is not on the block list \| do: add friend.example.org`, nil},
		{"BLK-01", "an address that is not blocked", func(w *world) {
			w.more = `audit: {block_list: ["boss@friend.example.org", "ann@customer.example.com"]}`
		}, audit.Medium, `^block list entry boss@friend.example.org: it is not on the block list`, nil},
		{"SRC-01", "a key in a file", func(w *world) {
			w.source(false)
			w.write("source/app/settings.py", "a\nKEY = '"+w.value("sending").Reveal()+"'\n")
		}, audit.High, `^file app/settings.py \(.*\): line 2 has the current key of target sending \| do: instantly-rotator rotate --compromised sending --incident leaked-2\d{3}-\d\d-\d\d$`, nil},
		{"SRC-01", "a key in git's history", func(w *world) {
			w.source(true)
			w.write("source/old.env.txt", w.value("admin").Reveal())
			w.git("init", "-q")
			w.git("add", ".")
			w.git("commit", "-qm", "begin")
			w.git("rm", "-q", "old.env.txt")
			w.git("commit", "-qm", "take it out")
		}, audit.High, `^file old.env.txt in commit [0-9a-f]{12} \(.*\): line 1 has the current key of target main-admin-key \| do: instantly-rotator rotate --compromised main-admin-key --incident leaked-.*; rewriting the history`, nil},
		{"SRC-01", "a file with secrets that git would take up", func(w *world) {
			w.source(false)
			w.write("source/.env", "X=1\n")
			w.git("init", "-q")
		}, audit.Medium, `^file .env: it looks like a file with secrets, and git does not ignore it \| do: echo '.env' >> .gitignore`, nil},
	}
}

// straggler has somebody act with the previous key, once there is one.
func (w *world) straggler(string) {
	w.Helper()
	seen, err := w.store("local", "sending").Describe(w.Context())
	w.must(err)
	if _, rotated := seen.Versions[secretstore.Previous]; !rotated {
		w.rotateGently("sending")
		seen, err = w.store("local", "sending").Describe(w.Context())
		w.must(err)
	}
	w.must(w.api.PlantEntry(sandbox.AuditEntry{Activity: 5, FromAPI: true, KeyID: seen.Versions[secretstore.Previous].ID,
		IP: "198.51.100.7", UserAgent: "python-requests/2", At: time.Now().Add(time.Minute)})) // promotions are written down a little late
}

func (w *world) git(args ...string) {
	w.Helper()
	c := exec.Command("git", append([]string{"-C", filepath.Join(w.dir, "source"), "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	if out, err := c.CombinedOutput(); err != nil {
		w.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestEachPlantedFaultIsFound(t *testing.T) {
	planted := map[string]int{}
	for _, f := range faults() {
		planted[f.check]++
		t.Run(f.check+" "+f.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f.plant(w)
			r := w.audit()
			found := false
			for i, line := range lines(r) {
				one := r.Findings[i]
				if one.Check != f.check && !slices.Contains(f.besides, one.Check) {
					t.Errorf("found besides: %s", line)
				}
				says := one.Named() + ": " + one.Said() + " | do: " + one.Remedy
				found = found || one.Check == f.check && one.Severity == f.severity && regexp.MustCompile(f.says).MatchString(says)
			}
			if !found {
				t.Errorf("not found; found was:\n%s", strings.Join(lines(r), "\n"))
			}
			if f.severity != audit.Note && !r.Failed(f.severity) {
				t.Errorf("--fail-on %s lets it pass", f.severity)
			}
		})
	}
	for _, c := range audit.Checks() {
		if planted[c.ID] < 2 {
			t.Errorf("%d faults are planted for %s, want two", planted[c.ID], c.ID)
		}
	}
}

func TestNothingIsFoundWhereNothingIs(t *testing.T) {
	w := newWorld(t)
	w.probe = true
	w.emit()
	w.source(true)
	w.write("source/.env.example", "INSTANTLY_API_KEY=\n")
	w.git("init", "-q")
	w.git("add", ".")
	w.git("commit", "-qm", "begin")
	r := w.audit()
	if len(r.Findings) > 0 || r.Failed(audit.Low) {
		t.Errorf("found:\n%s", strings.Join(lines(r), "\n"))
	}
	for _, c := range r.Checks {
		if c.State != audit.Passed {
			t.Errorf("%s: %s", c.ID, c.Text())
		}
	}
	if s := r.Scanned; s == nil || s.Values < 3 || s.Files < 2 || s.Objects < 2 {
		t.Errorf("searched was %+v", s)
	}
}

// What could not be looked at is not known, whatever it is, and never passed.
func TestWhatIsNotAnsweredIsNotKnown(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"an outage":                   func(w *world) { w.api.SetFaults(sandbox.Faults{Unavailable: true}) },
		"no admin key":                func(w *world) { w.adminKey = "{env: NOWHERE}" },
		"a store that cannot be read": func(w *world) { w.write("store/sending/state.json", "{") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			spoil(w)
			r, err := audit.Make(t.Context(), audit.Options{Options: w.options(), Timeout: time.Second, Lookup: w.lookup, Since: time.Now().Add(-30 * time.Minute)})
			w.must(err)
			if said := strings.Join(lines(r), "\n"); name == "no admin key" && !strings.Contains(said, "NOWHERE is empty or not set | do: put the admin key where the message says") {
				t.Errorf("it is not said what helps:\n%s", said)
			}
			if !r.Failed(audit.High) {
				t.Errorf("it passed:\n%s", strings.Join(lines(r), "\n"))
			}
			for _, c := range r.Checks {
				if about := fmt.Sprint(c.ID, " ", c.State); c.State == audit.Passed && (c.ID == "KEY-02" || c.ID == "KEY-05") {
					t.Errorf("%s, of which nothing is known:\n%s", about, strings.Join(lines(r), "\n"))
				}
			}
		})
	}
}
