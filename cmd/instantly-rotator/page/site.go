package page

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// Site serves the pages.
type Site struct {
	Source
	pages  *template.Template
	mux    *http.ServeMux
	origin *http.CrossOriginProtection

	mu      sync.Mutex
	drawn   *overview // as of its time
	drawing bool      // the next one is being drawn

	reading sync.Mutex
	read    map[string]readHistory // by target
	signed  signedTrail
}

const (
	// RedrawAfter is how long a picture is shown before it is drawn anew: less than a person
	// notices, and enough that many requests cost no more than one.
	RedrawAfter = 2 * time.Second
	// oldest is how old a picture may be that is shown while the next one is being drawn,
	// which takes a tenth of a second where there are thousands of targets.
	oldest = 15 * time.Second
)

// New makes the pages.
func New(from Source) *Site {
	s := &Site{Source: from, mux: http.NewServeMux(), origin: http.NewCrossOriginProtection(), read: map[string]readHistory{}}
	s.pages = template.Must(template.New("").Funcs(functions()).ParseFS(templateFiles, "templates/*.html"))
	assets, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		panic(err) // they are part of the program
	}
	s.mux.Handle("GET /assets/", asset(http.StripPrefix("/assets", http.FileServerFS(assets))))
	s.mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { s.login(w, r, http.StatusOK, "") })
	s.mux.HandleFunc("POST /login", s.signIn)
	s.mux.Handle("GET /{$}", s.guarded(s.overviewPage))
	s.mux.Handle("GET /target/{name}", s.guarded(s.targetPage))
	s.mux.Handle("GET /auditor", s.guarded(s.auditorPage))
	s.mux.Handle("GET /download/{file}", s.guarded(s.download))
	s.mux.Handle("GET /", s.guarded(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusNotFound, "There is no such page.")
	}))
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers() {
		w.Header().Set(name, value)
	}
	switch post := r.Method == http.MethodPost && r.URL.Path == "/login"; {
	case s.Gate.Open() && !daemon.OwnName(r.Host):
		http.Error(w, daemon.NotOwnName, http.StatusMisdirectedRequest)
	case !post && r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "these pages change nothing", http.StatusMethodNotAllowed)
	case post && s.origin.Check(r) != nil:
		http.Error(w, "sent from another site's page", http.StatusForbidden)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// headers keep what the pages do not need from being done with them.
func headers() map[string]string {
	return map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; " +
			"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
	}
}

// asset lets browsers keep what is the same for everybody for a while. There is nothing to
// list.
func asset(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "max-age=300")
		h.ServeHTTP(w, r)
	})
}

// guarded has those sign in who have not.
func (s *Site) guarded(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch ok, wait := s.allowed(r); {
		case wait > 0:
			s.tooMany(w, r, wait)
		case !ok:
			s.login(w, r, http.StatusUnauthorized, "")
		default:
			h(w, r)
		}
	})
}

// view is what every page has around its own.
type view struct {
	Title    string
	Here     string // the page in the navigation; empty: there is none
	Version  string
	Now      time.Time
	CanLeave bool // there is something to sign out of
	Refresh  bool // it shows what changes
	Body     any
}

func (s *Site) login(w http.ResponseWriter, r *http.Request, code int, said string) {
	s.render(w, r, code, "login.html", view{Title: "Sign in", Now: s.Now(), Body: said})
}

func (s *Site) fail(w http.ResponseWriter, r *http.Request, code int, said string) {
	s.render(w, r, code, "fail.html", view{Title: http.StatusText(code), Here: "none", Now: s.Now(), CanLeave: !s.Gate.Open(), Body: said})
}

// render answers with a page, whole or not at all.
func (s *Site) render(w http.ResponseWriter, r *http.Request, code int, name string, v view) {
	v.Version = s.Process().Version
	var page bytes.Buffer
	if err := s.pages.ExecuteTemplate(&page, name, v); err != nil {
		http.Error(w, "the page could not be drawn: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	reply(w, r, code, page.Bytes())
}

// reply sends a body, compressed if that is understood.
func reply(w http.ResponseWriter, r *http.Request, code int, body []byte) {
	w.Header().Add("Vary", "Accept-Encoding")
	if takesGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		body = packed(body)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // whoever asked has gone away
	}
}

// takesGzip tells whether an answer may be compressed: gzip is named, with a weight of more
// than 0 (RFC 9110, section 12.5.3).
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, weighed := strings.Cut(strings.ToLower(coding), ";")
		if strings.TrimSpace(name) == "gzip" {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return !weighed || err == nil && q > 0
		}
	}
	return false
}

func packed(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // there is that level
	_, _ = z.Write(body)                            // a buffer takes all
	_ = z.Close()
	return b.Bytes()
}
