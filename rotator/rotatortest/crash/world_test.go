//go:build linux && amd64

package crash

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// Times in the configuration: as short as it allows. A promotion is written down
// as of a second later than it began, see rotator.promotionBound.
const (
	grace   = time.Second
	written = time.Second + 50*time.Millisecond
)

// A world is a deployment that meets one fault: Instantly, two stores of one kind,
// one target in both, and keys of somebody else in the workspace.
type world struct {
	*testing.T
	*shop
	kind        kind
	interceptor *interceptor
	judge       *judge
	box         *sandbox.Server
	space       sandbox.Workspace
	instantlyAt string // its URL
	site        service
	dir         string
	more        string                  // of the configuration
	faults      sandbox.Faults          // of the sandbox, all the while
	hosts       map[string]http.Handler // of webhooks
	runs        []*process
	sinks       *sinks   // of the target; nil: it has none
	byHand      []string // what a person's put leaves over, which is nobody else's to destroy
}

// A shop is what all worlds have in common.
type shop struct {
	bin   string
	slots chan struct{} // as many processes run at once
}

// A kind is a kind of store.
type kind = storetest.Fixture

// The secrets in the stores a and b.
const (
	inA = "sending"
	inB = "follower"
)

// A service is what both stores are at.
type service struct{ storetest.Service }

func places() []storetest.Place {
	return []storetest.Place{{Store: "a", Secret: inA}, {Store: "b", Secret: inB}}
}

// stores are those of the configuration.
func (s service) stores() string {
	var lines []string
	for _, p := range places() {
		lines = append(lines, "  "+p.Store+": "+s.Settings(p.Store))
	}
	return strings.Join(lines, "\n")
}

// serves gives the value that each kind of reader gets from each store; "" if there
// is none.
func (s service) serves() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, p := range places() {
		all[p.Store] = s.Serves(p)
	}
	return all
}

// remains lists what the stores hold beside the current values.
func (w *world) remains() (left []string) {
	for _, p := range places() {
		for _, what := range w.site.Remains(p) {
			if what += " in store " + p.Store; !slices.Contains(w.byHand, what) {
				left = append(left, what)
			}
		}
	}
	return left
}

func newWorld(t *testing.T, s *shop, k kind) *world {
	t.Helper()
	w := &world{T: t, shop: s, kind: k, interceptor: newInterceptor(), dir: t.TempDir(), hosts: map[string]http.Handler{}}
	w.box = sandbox.New(sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: -1, PerMinute: -1}, Deliver: w})
	w.space = w.box.Workspaces()[0]
	foreign := map[string]bool{}
	for _, name := range []string{"somebody else's", "instantly-rotator/sending/000000000000/0123456789abcdef", "instantly-rotator/sending"} {
		if _, err := w.box.AddKey(w.space.ID, name, "campaigns:read"); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range w.box.Keys(w.space.ID) { // and the admin's
		foreign[k.ID] = true
	}
	w.judge = newJudge(w.box, w.space.ID, foreign, w.serves)
	w.interceptor.witness = w.judge.check
	w.site = service{serve(t, k, storetest.Site{Folder: w.dir, Stores: places(), Interceptor: w.interceptor})}
	w.instantlyAt = storetest.HTTPService{
		Interceptor: w.interceptor, Label: labelOfInstantly, Service: http.HandlerFunc(w.instantly), Refuse: refuseAsInstantly,
	}.Serve(t)
	w.configure(keyInEnvironment, inBothStores())
	t.Cleanup(func() { close(w.interceptor.over) }) // before servers wait for their calls to end
	return w
}

// inBothStores is the target of most scenes.
func inBothStores() string {
	return fmt.Sprintf("{name: sending, scopes: [campaigns:read], stores: [{store: a, secret: %s}, {store: b, secret: %s}]}", inA, inB)
}

// keyInEnvironment is where a person keeps the admin key.
const keyInEnvironment = "{env: INSTANTLY_ADMIN_KEY}"

// configure writes the configuration: where the admin key is, and the targets.
func (w *world) configure(adminKey string, targets ...string) {
	w.Helper()
	keys := "keys: []"
	if len(targets) > 0 {
		keys = "keys:\n  - " + strings.Join(targets, "\n  - ")
	}
	text := fmt.Sprintf(`
lease: 0s
defaults: {schedule: "@yearly", max_age: 400d, grace_period: %s, activation_timeout: 3s}
workspaces:
  main: {admin_key: %s, base_url: %q, requests_per_second: 100}
stores:
%s
%s
`, grace, adminKey, w.instantlyAt, w.site.stores(), keys)
	w.write("config.yaml", text+w.more)
}

func (w *world) write(name, text string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// instantly is the sandbox, with the judge beside it.
func (w *world) instantly(answer http.ResponseWriter, r *http.Request) {
	if id, one := strings.CutPrefix(r.URL.Path, routeKeys+"/"); one && r.Method == http.MethodDelete {
		w.judge.revoke(id, bearer(r))
	}
	if r.URL.Path == routeKeys && r.Method == http.MethodPost {
		w.judge.issueRecorded()
	}
	w.box.ServeHTTP(answer, r)
	answered := answer.(*httptest.ResponseRecorder).Code == http.StatusOK
	if r.Method == http.MethodPost && answered {
		w.nameRightly()
	}
	if r.Method == http.MethodGet && answered {
		w.judge.prove(bearer(r))
	}
}

// bearer is the value of the key that a request is made with.
func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// misnameNext has the answer to the next create give another id than the key list.
func (w *world) misnameNext() { w.box.SetFaults(sandbox.Faults{CreateAnswerID: sandbox.OtherID}) }

func (w *world) nameRightly() { w.box.SetFaults(w.faults) }

const (
	routeKeys     = "/api/v2/api-keys"
	routeWebhooks = "/api/v2/webhooks"
)

func labelOfInstantly(r *http.Request, _ []byte) string {
	path := r.URL.Path
	for _, route := range []string{routeKeys, routeWebhooks} {
		if rest, one := strings.CutPrefix(path, route+"/"); one {
			_, action, acts := strings.Cut(rest, "/")
			if path = route + "/{id}"; acts {
				path += "/" + action
			}
		}
	}
	return "instantly " + r.Method + " " + path
}

// refusalsOfInstantly are the errors that its calls get.
func refusalsOfInstantly() []storetest.Refusal {
	return []storetest.Refusal{
		{Name: "403 of the edge", Code: http.StatusForbidden, Text: "error code: 1010"},
		{Name: "500", Code: http.StatusInternalServerError, Text: `{"statusCode":500,"error":"Internal Server Error","message":"injected"}`},
		{Name: "503", Code: http.StatusServiceUnavailable, Text: `{"statusCode":503,"error":"Service Unavailable","message":"injected"}`},
		{Name: "429", Code: http.StatusTooManyRequests, Text: `{"statusCode":429,"error":"Too Many Requests","message":"injected"}`},
		{Name: "connection reset", Code: storetest.Reset},
	}
}

func refuseAsInstantly(w http.ResponseWriter, r storetest.Refusal) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.Code == http.StatusForbidden {
		w.Header().Set("Content-Type", "text/plain")
	}
	w.WriteHeader(r.Code)
	_, _ = w.Write([]byte(r.Text))
}

// nextSaid is the file that the next process writes to.
func (w *world) nextSaid() string { return filepath.Join(w.dir, fmt.Sprintf("said-%d", len(w.runs))) }

// start starts the binary, under a tracer if faults are to be injected into its system calls.
func (w *world) start(traced bool, args ...string) *process {
	w.Helper()
	// A process that lives for a moment collects no garbage: that is cheaper.
	l := launch{
		bin: w.bin, dir: w.dir, said: w.nextSaid(),
		args: append(args, "--log-level", "debug"),
		env:  slices.Concat(w.site.Env(), []string{"HOME=" + w.dir, "GOGC=off", "INSTANTLY_ADMIN_KEY=" + w.space.AdminKey.Reveal()}),
	}
	if traced && w.kind.SystemCalls {
		folder, err := filepath.EvalSymlinks(w.dir)
		if err != nil {
			w.Fatal(err)
		}
		l.tracer = &tracer{interceptor: w.interceptor, folder: filepath.Join(folder, "stores")}
	}
	p := l.start(w.T)
	w.runs = append(w.runs, p)
	return p
}

// acquire waits for one of the slots of running processes; release gives it back.
func (w *world) acquire() { w.slots <- struct{}{} }

func (w *world) release() { <-w.slots }

// run runs the binary to its end and gives its exit code.
func (w *world) run(args ...string) int {
	w.Helper()
	w.acquire()
	defer w.release()
	return w.runAside(args...)
}

// runAside is run for a process that will mostly wait.
func (w *world) runAside(args ...string) int {
	w.Helper()
	p := w.start(false, args...)
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case <-p.ended:
			tick.Stop()
			w.judge.check(p.args)
			return p.wait()
		case <-tick.C:
			w.judge.check("an instant of " + p.args)
		}
	}
}

// mustRun is run for what must end well.
func (w *world) mustRun(args ...string) {
	w.Helper()
	if code := w.run(args...); code != 0 {
		w.Fatalf("%s ends with %d: %s", strings.Join(args, " "), code, w.runs[len(w.runs)-1].text())
	}
}

// firstKey has the stores take their first key. A key of another deployment that is
// named alike must not make new stores lost ones.
func (w *world) firstKey() {
	w.Helper()
	w.mustRun("rotate", "--begin-anew", "sending")
}

// passGrace waits until no old key has a right to live any longer.
func (w *world) passGrace() { time.Sleep(w.judge.untilGraceIsOver()) }

// settle runs the binary until nothing is left to do. That may take a while: a
// store may keep others off for some time after a crash.
func (w *world) settle() {
	w.Helper()
	const settleTimeout = 5 * time.Minute // most of it waiting for a slot
	pause := 50 * time.Millisecond
	for begun := time.Now(); time.Since(begun) < settleTimeout; {
		code := w.run("rotate", "--due", "--force")
		if code == 0 && w.judge.atRest() {
			return
		}
		if w.judge.untilGraceIsOver() > 0 {
			w.run("rotate", "--due", "--force") // too early for the old key
			w.passGrace()
		}
		if code != 0 {
			time.Sleep(pause)
			pause = min(2*pause, 5*time.Second)
		}
	}
	w.Errorf("does not settle in %s", settleTimeout)
}

// inspect judges a settled world.
func (w *world) inspect() {
	w.Helper()
	w.judge.end()
	w.inspectTrail()
	if len(w.remains()) > 0 {
		// What a crash has left over goes with the next write.
		w.mustRun("rotate", "--force")
		w.passGrace()
		w.settle()
	}
	for _, what := range w.remains() {
		w.Errorf("left over: %s", what)
	}
	for _, p := range w.runs {
		text := p.text()
		w.judge.leaks(func(value string) bool { return strings.Contains(text, value) })
	}
}
