package page

import (
	"crypto/hmac"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	// cookieName is that of a session.
	cookieName = "instantly-rotator-session"
	// sessionTime is how long one lasts.
	sessionTime = 12 * time.Hour
	// mostTyped bounds what a browser may send to sign in.
	mostTyped = 8 << 10
)

// A session is the time until which it lasts, and a MAC of it by the token: it is not the
// token, cannot be made without it, and is good at every instance that has the same one.
func sessionUntil(token secret.Value, until time.Time) string {
	end := strconv.FormatInt(until.Unix(), 10)
	return end + "." + base64.RawURLEncoding.EncodeToString(token.MAC("session of the page until "+end))
}

// signedIn tells whether a session is one of ours that has not ended.
func signedIn(token secret.Value, session string, now time.Time) bool {
	end, _, ok := strings.Cut(session, ".")
	until, err := strconv.ParseInt(end, 10, 64)
	if !ok || err != nil || token.IsZero() {
		return false
	}
	end = sessionUntil(token, time.Unix(until, 0))
	return hmac.Equal([]byte(session), []byte(end)) && now.Before(time.Unix(until, 0)) && time.Unix(until, 0).Sub(now) <= sessionTime
}

// allowed tells whether a request may see the pages: by a session, or by the bearer token.
// wait is as [daemon.Gate.Passes] has it.
func (s *Site) allowed(r *http.Request) (ok bool, wait time.Duration) {
	if s.Gate.Open() {
		return true, 0
	}
	for _, c := range r.CookiesNamed(cookieName) {
		if signedIn(s.Gate.Token(), c.Value, s.Now()) {
			return true, 0
		}
	}
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return s.Gate.Passes(r, secret.New(given))
	}
	return false, 0
}

// tooMany is the answer to whoever may not try a token now.
func (s *Site) tooMany(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	said := daemon.TellWait(w, wait)
	s.login(w, r, http.StatusTooManyRequests, strings.ToUpper(said[:1])+said[1:]+".")
}

// signIn takes the token, and gives a session for it. Nothing else is ever sent to the
// pages.
func (s *Site) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostTyped)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, http.StatusBadRequest, "The form could not be read.")
		return
	}
	cookie := &http.Cookie{ //nolint:gosec // G124: on a machine's own address there is no TLS, and a Secure cookie would not be sent
		Name: cookieName, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: encrypted(r),
	}
	switch given := secret.New(strings.TrimSpace(r.PostForm.Get("token"))); {
	case r.PostForm.Has("leave"):
		cookie.MaxAge = -1
	case s.Gate.Open():
	case given.IsZero():
		s.login(w, r, http.StatusUnauthorized, "That is not the token.")
		return
	default:
		ok, wait := s.Gate.Passes(r, given)
		if wait > 0 {
			s.tooMany(w, r, wait)
			return
		}
		if !ok {
			s.login(w, r, http.StatusUnauthorized, "That is not the token.")
			return
		}
		until := s.Now().Add(sessionTime)
		cookie.Value, cookie.MaxAge = sessionUntil(s.Gate.Token(), until), int(sessionTime/time.Second)
	}
	http.SetCookie(w, cookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// encrypted tells whether the browser speaks TLS, with us or with what stands before us:
// then the cookie is not to go over anything else.
func encrypted(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}
