package page_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

const token = "canary-of-the-token-5f1d0a"

// ask makes one request; body is that of a form.
func ask(h http.Handler, method, target string, form url.Values, change func(*http.Request)) *http.Response {
	r := httptest.NewRequestWithContext(context.Background(), method, target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func guardedScene() *scene {
	s := newScene("sending")
	s.token = token
	return s
}

// paths are those of all pages that show something.
func paths() []string {
	return []string{"/", "/target/sending", "/?q=sending", "/auditor", "/download/keys.csv", "/download/keys.json"}
}

// signIn gives the session of somebody who has the token.
func signIn(t *testing.T, h http.Handler) *http.Cookie {
	t.Helper()
	got := ask(h, http.MethodPost, "http://rotator.example/login", url.Values{"token": {token}}, nil)
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/" || len(got.Cookies()) != 1 {
		t.Fatalf("signing in came to %s, %v", got.Status, got.Header)
	}
	return got.Cookies()[0]
}

func TestOnlyWhoHasTheTokenSeesThePage(t *testing.T) {
	h := guardedScene().site()
	session := signIn(t, h)
	if !session.HttpOnly || session.SameSite != http.SameSiteStrictMode || strings.Contains(session.Value, token) {
		t.Errorf("the cookie is %+v", session)
	}
	end, mac, _ := strings.Cut(session.Value, ".")
	for _, path := range paths() {
		for what, c := range map[string]struct {
			change func(*http.Request)
			want   int
		}{
			"nothing":              {nil, 401},
			"the token in the URL": {func(r *http.Request) { r.URL.RawQuery = "token=" + token }, 401},
			"another token":        {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"x") }, 401},
			"the token itself":     {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }, 200},
			"the token as session": {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: session.Name, Value: token}) }, 401},
			"a longer session":     {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: session.Name, Value: "9" + end + "." + mac}) }, 401},
			"a session without":    {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: session.Name, Value: end + "."}) }, 401},
			"a session":            {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: session.Name, Value: session.Value}) }, 200},
		} {
			got := ask(h, http.MethodGet, "http://rotator.example"+path, nil, c.change)
			body := read(t, got)
			if got.StatusCode != c.want {
				t.Errorf("%s with %s: %s", path, what, got.Status)
			}
			if shown := strings.Contains(body, keyOf("sending", 2)); shown != (c.want == 200) {
				t.Errorf("%s with %s shows keys: %t", path, what, shown)
			}
			if strings.Contains(body, token) {
				t.Errorf("%s with %s shows the token", path, what)
			}
		}
	}
	if got := ask(h, http.MethodPost, "http://rotator.example/login", url.Values{"token": {"wrong"}}, nil); got.StatusCode != http.StatusUnauthorized || len(got.Cookies()) != 0 {
		t.Errorf("a wrong token: %s, %v", got.Status, got.Cookies())
	}
	left := ask(h, http.MethodPost, "http://rotator.example/login", url.Values{"leave": {"1"}}, nil)
	if c := left.Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("signing out leaves %v", c)
	}
}

// TestASessionEnds: after its time, and for another token.
func TestASessionEnds(t *testing.T) {
	s := guardedScene()
	session := signIn(t, s.site())
	s.token = "another"
	if got := ask(s.site(), http.MethodGet, "http://rotator.example/", nil, func(r *http.Request) { r.AddCookie(session) }); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("with another token: %s", got.Status)
	}
	at := now()
	h := guardedScene().siteAt(func() time.Time { return at })
	session = signIn(t, h)
	lasts := time.Duration(session.MaxAge) * time.Second
	for after, want := range map[time.Duration]int{
		0: http.StatusOK, lasts - time.Second: http.StatusOK,
		lasts: http.StatusUnauthorized, lasts + time.Hour: http.StatusUnauthorized,
		-time.Hour: http.StatusUnauthorized, // of a time to come: made for longer than one lasts
	} {
		at = now().Add(after)
		got := ask(h, http.MethodGet, "http://rotator.example/target/sending", nil, func(r *http.Request) { r.AddCookie(session) })
		if body := read(t, got); got.StatusCode != want || strings.Contains(body, keyOf("sending", 2)) != (want == http.StatusOK) {
			t.Errorf("%s after signing in: %s, want %d", after, got.Status, want)
		}
	}
	if session.MaxAge <= 0 || session.MaxAge > int((24*time.Hour).Seconds()) {
		t.Errorf("a session lasts %ds", session.MaxAge)
	}
}

// TestATokenIsNotFoundByTrying: of 10,000 guesses, by the form and as a bearer token, a
// second apart, few are looked at, and when the right one is among the others, that is not
// told. Who is signed in, and who is elsewhere, notices nothing of it; and when the guesses
// are over, the right token is taken again.
func TestATokenIsNotFoundByTrying(t *testing.T) {
	at := now()
	h := guardedScene().siteAt(func() time.Time { return at })
	session := signIn(t, h)
	from := func(address string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = address } }
	form := func(given, address string) *http.Response {
		return ask(h, http.MethodPost, "http://rotator.example/login", url.Values{"token": {given}}, from(address))
	}
	const guesses, attacker = 10_000, "203.0.113.9:4711"
	looked, wait := 0, 0
	for i := range guesses {
		at = at.Add(time.Second)
		given := fmt.Sprintf("guess %d", i)
		if i == guesses-2 {
			given = token
		}
		got := form(given, attacker)
		if i%2 == 1 {
			got = ask(h, http.MethodGet, "http://rotator.example/", nil, func(r *http.Request) {
				r.RemoteAddr = attacker
				r.Header.Set("Authorization", "Bearer "+given)
			})
		}
		switch got.StatusCode {
		case http.StatusUnauthorized:
			looked++
		case http.StatusTooManyRequests:
			wait, _ = strconv.Atoi(got.Header.Get("Retry-After"))
			if body := read(t, got); wait <= 0 || wait > 600 || !strings.Contains(body, "Too many wrong tokens") {
				t.Fatalf("guess %d: to be tried again after %q: %s", i, got.Header.Get("Retry-After"), body)
			}
		default:
			t.Fatalf("guess %d: %s", i, got.Status)
		}
	}
	if looked < 5 || looked > 200 {
		t.Errorf("%d of %d guesses were looked at", looked, guesses)
	}
	if got := ask(h, http.MethodGet, "http://rotator.example/", nil, func(r *http.Request) { r.RemoteAddr = attacker; r.AddCookie(session) }); got.StatusCode != http.StatusOK {
		t.Errorf("who is signed in meanwhile: %s", got.Status)
	}
	if got := form(token, "203.0.113.10:4711"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("who is elsewhere, with the token: %s", got.Status)
	}
	at = at.Add(time.Duration(wait) * time.Second)
	if got := form(token, attacker); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the token, when the guesses are over: %s", got.Status)
	}
}

// TestWhatIsNotAskedForInPeaceIsRefused: other methods, other sites' forms, other names of
// this machine, and paths that lead elsewhere.
func TestWhatIsNotAskedForInPeaceIsRefused(t *testing.T) {
	open, guarded := newScene("sending").site(), guardedScene().site()
	for _, c := range []struct {
		what, method, url string
		h                 http.Handler
		change            func(*http.Request)
		want              int
	}{
		{"another name", http.MethodGet, "http://attacker.example/", open, nil, 421},
		{"another name with a port", http.MethodGet, "http://attacker.example:8080/target/sending", open, nil, 421},
		{"a name that only begins well", http.MethodGet, "http://localhost.attacker.example/", open, nil, 421},
		{"a name that begins as an address", http.MethodGet, "http://127.0.0.1.attacker.example/", open, nil, 421},
		{"this machine", http.MethodGet, "http://127.0.0.1:8080/", open, nil, 200},
		{"this machine by name", http.MethodGet, "http://localhost:8080/", open, nil, 200},
		{"this machine in IPv6", http.MethodGet, "http://[::1]:8080/", open, nil, 200},
		{"POST", http.MethodPost, "http://localhost/", open, nil, 405},
		{"PUT", http.MethodPut, "http://localhost/target/sending", open, nil, 405},
		{"DELETE", http.MethodDelete, "http://localhost/target/sending", open, nil, 405},
		{"PATCH of the login", http.MethodPatch, "http://localhost/login", open, nil, 405},
		{"GET that says it is a DELETE", http.MethodGet, "http://localhost/", open, func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "DELETE") }, 200},
		{"HEAD", http.MethodHead, "http://localhost/", open, nil, 200},
		{"a form of another site", http.MethodPost, "http://rotator.example/login", guarded, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		{"a form of another origin", http.MethodPost, "http://rotator.example/login", guarded, func(r *http.Request) { r.Header.Set("Origin", "http://attacker.example") }, 403},
		{"no target", http.MethodGet, "http://localhost/target/nobody", open, nil, 404},
		{"a path up", http.MethodGet, "http://localhost/target/..%2f..%2fetc%2fpasswd", open, nil, 404},
		{"a path up of assets", http.MethodGet, "http://localhost/assets/..%2f..%2fsite.go", open, nil, 404},
		{"a list of assets", http.MethodGet, "http://localhost/assets/", open, nil, 404},
		{"a template", http.MethodGet, "http://localhost/templates/layout.html", open, nil, 404},
		{"a NUL", http.MethodGet, "http://localhost/target/sending%00", open, nil, 404},
	} {
		got := ask(c.h, c.method, c.url, nil, c.change)
		if got.StatusCode != c.want {
			t.Errorf("%s: %s, want %d", c.what, got.Status, c.want)
		}
		policy := got.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "style-src 'self'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy is %q", c.what, policy)
			}
		}
	}
}

// TestNothingThatIsShownIsTakenForHTML: names, reasons and errors are anybody's words.
func TestNothingThatIsShownIsTakenForHTML(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	s := newScene("sending")
	s.put("sending", now(), with(healthy("sending"), func(o *rotator.TargetStatus) {
		o.Current.ID = evil
		o.Workspace, o.Quarantine = evil, evil
		o.Hold = secretstore.Hold{Since: now().Add(-day), Reason: evil}
		o.Incident = secretstore.Incident{ID: evil, At: now().Add(-day)}
		o.Failure = secretstore.Failure{Count: 1, At: now(), Step: evil, Reason: evil}
		o.Rotation = &rotator.Rotation{By: evil, Since: now()}
		o.Old = []rotator.OldKey{{ID: evil}}
		o.Gates = []string{evil}
		o.Sinks = []rotator.SinkStatus{{Name: evil, KeyID: evil, Err: errors.New(evil)}, {Name: evil + ":" + evil, Current: true, Unproven: true}}
		o.Stores[1].Name = evil
	}), nil)
	s.process.Refused, s.process.Instance, s.trail.Missing = evil, evil, evil
	s.policies[0].Scopes, s.policies[0].Risk, s.policies[0].Reason = []string{evil}, evil, evil
	s.audit = audited()
	for i := range s.audit.Findings {
		f := &s.audit.Findings[i]
		f.Subject, f.Text, f.ID, f.Workspace, f.Remedy = evil, evil, evil, evil, evil
	}
	for _, path := range append([]string{"/", "/target/sending", "/auditor"}, "/?q="+url.QueryEscape(evil)+"&state="+url.QueryEscape(evil)+"&workspace="+url.QueryEscape(evil), "/"+url.PathEscape(evil)) {
		_, body := get(t, s.site(), path)
		if strings.Contains(body, "<script>") || strings.Contains(body, "<img") || strings.Contains(body, "javascript:") {
			t.Errorf("%s: markup of others is in\n%s", path, body)
		}
		for _, inline := range []string{" style=", " onclick=", "<style", "http://", "https://"} {
			if strings.Contains(strings.ReplaceAll(body, "http://www.w3.org/2000/svg", ""), inline) {
				t.Errorf("%s: %q is in the page, which its policy forbids", path, inline)
			}
		}
	}
}
