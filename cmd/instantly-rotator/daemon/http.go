package daemon

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/loopback"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Site is what the daemon answers over HTTP. Nothing in it changes anything, and
// no answer carries a secret.
type Site struct {
	// Alive tells whether the process works: nil if so. Anybody is told the error, as that
	// of Ready: it names nothing.
	Alive func() error
	// Ready tells whether it does what it is for: nil if so.
	Ready func() error
	// StandsBy tells whether it is ready to take over from another instance, which
	// works; nil if it never does that.
	StandsBy func() bool
	// Report gives what "status -o json" prints.
	Report func() status.Report
	// Audit answers with the last audit; nil: there are none.
	Audit http.Handler
	// Page answers a person's browser on all other paths, and asks for the token by itself;
	// nil: there is none.
	Page http.Handler
	// Metrics answers in Prometheus's format.
	Metrics http.Handler
	// Gate asks for the token on all but the health checks.
	Gate *Gate
}

// Handler serves /healthz, /readyz, /metrics, /api/v1/targets and /api/v1/audit, and the
// page on everything else.
func (s Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", probe(s.Alive, nil))
	mux.Handle("GET /readyz", probe(s.Ready, s.StandsBy))
	mux.Handle("GET /metrics", s.guarded(s.Metrics))
	mux.Handle("GET /api/v1/targets", s.guarded(http.HandlerFunc(s.targets)))
	if s.Audit != nil {
		mux.Handle("GET /api/v1/audit", s.guarded(s.Audit))
	}
	if s.Page != nil {
		mux.Handle("/", s.Page)
	}
	return mux
}

func probe(check func() error, standsBy func() bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := check(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(err.Error() + "\n"))
			return
		}
		if standsBy != nil && standsBy() {
			_, _ = w.Write([]byte("ok: standing by\n"))
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
}

func (s Site) targets(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s.Report()) // the caller has gone away
}

// NotOwnName says why a request is not answered: see [OwnName].
const NotOwnName = "asked for under a name that is not this machine's: use localhost, or run the daemon with --token-file"

// guarded asks for the bearer token (RFC 6750, section 2.1).
func (s Site) guarded(h http.Handler) http.Handler {
	if s.Gate.Open() {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !OwnName(r.Host) {
				http.Error(w, NotOwnName, http.StatusMisdirectedRequest)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		var wait time.Duration
		if ok {
			ok, wait = s.Gate.Passes(r, secret.New(given))
		}
		if wait > 0 {
			http.Error(w, TellWait(w, wait), http.StatusTooManyRequests)
			return
		}
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="instantly-rotator"`)
			http.Error(w, "a bearer token is needed: the one in --token-file", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Server serves the site with limits that keep a slow client from holding it up.
func (s Site) Server() *http.Server {
	c := newCrowd(mostConnections)
	return &http.Server{
		Handler: c.serving(s.Handler()), ConnContext: c.enter, ConnState: c.state,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
}

// Loopback tells whether an address to listen on can be reached from this machine
// only.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopback.Host(host)
}

// OwnName tells whether a request is for this machine by an address or as localhost, so that
// it may be answered without a token. A page elsewhere can have its own name point to this
// machine, and read what its visitor may read here; but it cannot ask for another name.
func OwnName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	_, err = netip.ParseAddr(name)
	return err == nil
}
