package daemon

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Site is what the daemon answers over HTTP. Nothing in it changes anything, and
// no answer carries a secret.
type Site struct {
	// Alive tells whether the process works: nil if so.
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
	// Metrics answers in Prometheus's format.
	Metrics http.Handler
	// Token is asked for on all but the health checks; none if it is empty.
	Token secret.Value
}

// Handler serves /healthz, /readyz, /metrics, /api/v1/targets and /api/v1/audit.
func (s Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", probe(s.Alive, nil))
	mux.Handle("GET /readyz", probe(s.Ready, s.StandsBy))
	mux.Handle("GET /metrics", s.guarded(s.Metrics))
	mux.Handle("GET /api/v1/targets", s.guarded(http.HandlerFunc(s.targets)))
	if s.Audit != nil {
		mux.Handle("GET /api/v1/audit", s.guarded(s.Audit))
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

// guarded asks for the bearer token (RFC 6750, section 2.1).
func (s Site) guarded(h http.Handler) http.Handler {
	if s.Token.IsZero() {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !s.Token.Equal(secret.New(given)) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="instantly-rotator"`)
			http.Error(w, "a bearer token is needed: the one in --token-file", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Server serves the site with limits that keep a slow client from holding it up.
func (s Site) Server() *http.Server {
	return &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
}

// Loopback tells whether an address to listen on can be reached from this machine
// only.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
