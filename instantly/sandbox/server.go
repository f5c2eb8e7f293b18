package sandbox

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// maxBody is the longest request body in bytes, Fastify's default.
const maxBody = 1 << 20

// unknownRoute is what calls outside the table are counted under.
const unknownRoute = "(unknown route)"

// Server is the sandbox. It serves the API below /api/v2/ and its own switches
// below /_sandbox/. It is safe for concurrent use.
type Server struct {
	now          func() time.Time
	rateLimit    RateLimit
	controlToken secret.Value
	stateFile    string
	routes       routeTable
	control      http.Handler
	gates        []gate
	published    map[string]bool // scopes
	courier      *courier

	mu       sync.Mutex // guards what follows
	registry *registry
	faults   Faults
	rules    []*armedRule
	injected int
	calls    map[string]int
}

// New makes a sandbox. It panics where [Open] gives an error; without a
// StateFile that is only for workspaces that contradict each other.
func New(o Options) *Server {
	s, err := Open(o)
	if err != nil {
		panic(err)
	}
	return s
}

// Open makes a sandbox, from its StateFile if there is one. It fails if that
// cannot be read or written, or if the workspaces contradict each other.
func Open(o Options) (*Server, error) {
	o = o.withDefaults()
	if err := checkWorkspaces(o.Workspaces); err != nil {
		return nil, fmt.Errorf("open sandbox: %w", err)
	}
	s := &Server{
		now:          o.Now,
		rateLimit:    o.RateLimit,
		controlToken: o.ControlToken,
		stateFile:    o.StateFile,
		routes:       newRouteTable(Routes()),
		published:    publishedScopes(),
		courier:      newCourier(o.Deliver),
		registry:     newRegistry(),
		faults:       Faults{}.withDefaults(),
		calls:        map[string]int{},
	}
	s.control = s.newControl()
	s.gates = s.newGates()
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("open sandbox: %w", err)
	}
	for _, w := range o.Workspaces {
		if err := s.addWorkspace(w); err != nil {
			return nil, fmt.Errorf("open sandbox: %w", err)
		}
	}
	if err := s.save(); err != nil {
		return nil, fmt.Errorf("open sandbox: %w", err)
	}
	return s, nil
}

// addWorkspace adds a workspace with its admin key, unless it is known already.
func (s *Server) addWorkspace(w Workspace) error {
	if _, known := s.registry.byID[w.ID]; known {
		return nil
	}
	if k, taken := s.registry.keysByText[digestOf(w.AdminKey)]; taken {
		return fmt.Errorf("workspace %s has the admin key that workspace %s has in the state file", w.ID, k.WorkspaceID)
	}
	now := s.now()
	added := s.registry.open(w, now)
	added.adminKey = s.registry.add(KeyRecord{
		ID: newID(now), Name: "admin", WorkspaceID: w.ID, Scopes: w.AdminScopes,
		Value: w.AdminKey, Created: now, ActiveFrom: now,
	})
	return nil
}

// ServeHTTP implements [http.Handler]. Where a fault wants the connection
// closed it panics with [http.ErrAbortHandler], as net/http has it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control.ServeHTTP(w, r)
		return
	}
	s.serveAPI(r).deliver(w)
}

// serveAPI takes a call through its faults to its reply.
func (s *Server) serveAPI(r *http.Request) reply {
	route, id := s.routes.find(r.Method, r.URL.Path)
	body, err := carried(r)
	if err != nil {
		return reply{dropped: true}
	}
	latency, rule := s.arrive(r.Method, route)
	if latency > 0 && !pause(r.Context(), latency) {
		return reply{dropped: true}
	}
	if rule != nil && rule.When == Before {
		blank := success(listBody{Items: []string{}}).spoiltBy(r.Context(), *rule)
		if rule.Kind != KindDelay || blank.dropped {
			return blank
		}
	}
	answer := s.answer(r, route, id, body).finished(r.Context())
	if rule != nil && rule.When == After {
		return answer.spoiltBy(r.Context(), *rule)
	}
	return answer
}

// carried reads what a call carries; most carry nothing.
func carried(r *http.Request) ([]byte, error) {
	if r.Body == http.NoBody {
		return nil, nil
	}
	return io.ReadAll(io.LimitReader(r.Body, maxBody+1))
}

// arrive counts a call and tells what is in its way.
func (s *Server) arrive(method string, route *Route) (latency time.Duration, rule *Rule) {
	pattern := unknownRoute
	if route != nil {
		pattern = route.Pattern
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[method+" "+pattern]++
	rule, s.rules = due(s.rules, method, pattern)
	if rule != nil {
		s.injected++
	}
	return s.faults.Latency, rule
}

// call is one request on its way through the gates, which fill it in.
type call struct {
	now       time.Time
	request   *http.Request
	route     *Route
	id        string // the path's parameter
	raw       []byte // request body
	query     url.Values
	ip        string
	userAgent string
	body      any        // decoded JSON; nil without a body
	actor     *key       // whose value was sent
	workspace *workspace // that it acts in
}

// answer takes a call through the gates to its route. All of it is one step:
// calls do not interleave.
func (s *Server) answer(r *http.Request, route *Route, id string, body []byte) reply {
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{
		now: s.now(), request: r, route: route, id: id, raw: body,
		query: r.URL.Query(), ip: ip, userAgent: r.UserAgent(),
	}
	answer := s.pass(c)
	if s.faults.RateLimitHeaders && c.workspace != nil {
		answer.header = c.workspace.spent.headers(answer.header, s.rateLimit)
	}
	answer.cut = answer.cut || s.faults.Truncate
	return answer
}

func (s *Server) pass(c *call) reply {
	for _, g := range s.gates {
		if refusal := g(c); refusal != nil {
			return *refusal
		}
	}
	return c.route.answer(s, c)
}

// Workspaces gives the sandbox's workspaces, admin keys included, in the order
// they were added.
func (s *Server) Workspaces() []Workspace {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Workspace
	for _, w := range s.registry.workspaces {
		space := w.Workspace
		space.Members = slices.Clone(space.Members)
		all = append(all, space)
	}
	return all
}

// Keys gives all keys that a workspace ever had, in order of creation; nil for
// an unknown workspace.
func (s *Server) Keys(workspaceID string) []KeyRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.registry.byID[workspaceID]
	if !ok {
		return nil
	}
	records := make([]KeyRecord, 0, len(w.keys))
	for _, k := range w.keys {
		records = append(records, k.KeyRecord)
	}
	return records
}

// Alive tells whether a key with that value would open anything now.
func (s *Server) Alive(value secret.Value) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.registry.keysByText[digestOf(value)]
	return ok && k.Alive(s.now())
}

// AddKey creates a key by hand, as the workspace's owner does in the vendor's
// web application. An unknown workspace is ErrNotFound.
func (s *Server) AddKey(workspaceID, name string, scopes ...string) (KeyRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.registry.byID[workspaceID]
	if !ok {
		return KeyRecord{}, fmt.Errorf("add key to workspace %s: %w", workspaceID, ErrNotFound)
	}
	now := s.now()
	k := s.create(w, name, scopes, now)
	w.log(entryByHand(w, now, activityKeyCreated))
	return k.KeyRecord, s.save()
}

// DeleteKey deletes a key by hand, as the workspace's owner does in the
// vendor's web application. One that is not there is ErrNotFound.
func (s *Server) DeleteKey(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.registry.keysByID[id]
	if !ok {
		return fmt.Errorf("delete key %s: %w", id, ErrNotFound)
	}
	now, w := s.now(), s.registry.byID[k.WorkspaceID]
	if _, err := s.registry.remove(w, id, now, s.faults.RevocationDelay); err != nil {
		return fmt.Errorf("delete key: %w", err)
	}
	w.log(entryByHand(w, now, activityKeyDeleted))
	return s.save()
}

// Faults gives the switches as they stand, defaults by name.
func (s *Server) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// SetFaults sets all switches anew. Keys keep the delays of the time when they
// were created or deleted. It panics if f.Check fails.
func (s *Server) SetFaults(f Faults) {
	if err := f.Check(); err != nil {
		panic(fmt.Errorf("set faults: %w", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f.withDefaults()
}

// Inject adds a rule. It panics if r.Check fails.
func (s *Server) Inject(r Rule) {
	if err := r.Check(); err != nil {
		panic(fmt.Errorf("inject rule: %w", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, &armedRule{Rule: r.withDefaults()})
}

// ClearRules removes all rules.
func (s *Server) ClearRules() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = slices.Delete(s.rules, 0, len(s.rules))
}

// Injected gives how many faults rules have injected.
func (s *Server) Injected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.injected
}

// Calls gives how many calls came in, refused and failed ones included, by
// method and route: "DELETE /api/v2/api-keys/{id}".
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}
