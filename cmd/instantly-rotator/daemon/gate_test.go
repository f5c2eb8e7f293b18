package daemon_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// door is a daemon's API behind a gate, at a time.
type door struct {
	at   time.Time
	shut []string
	http.Handler
}

const rightToken = "the right one"

func newDoor() *door {
	d := &door{at: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)}
	d.Handler = daemon.Site{
		Report: func() status.Report { return status.Report{} }, Metrics: http.NotFoundHandler(),
		Gate: daemon.NewGate(secret.New(rightToken), func() time.Time { return d.at }, func(source string) { d.shut = append(d.shut, source) }),
	}.Handler()
	return d
}

// ask brings a token from an address.
func (d *door) ask(address, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://rotator.example/api/v1/targets", nil)
	r.RemoteAddr = address
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

// looked makes guesses, each from another address, and counts those that were looked at.
func (d *door) looked(guesses int, address func(i int) string) (n int) {
	for i := range guesses {
		if d.ask(address(i), fmt.Sprintf("guess %d", i)).Code == http.StatusUnauthorized {
			n++
		}
	}
	return n
}

func TestTheAPIsTokenIsNotFoundByTryingFromManyAddresses(t *testing.T) {
	for network, address := range map[string]func(i int) string{
		"IPv4": func(i int) string { return fmt.Sprintf("198.18.%d.%d:80", i/250, i%250) },
		"IPv6": func(i int) string { return fmt.Sprintf("[2001:db8:%x::1]:80", i) },
	} {
		d := newDoor()
		if got := d.ask("192.0.2.1:80", rightToken).Code; got != http.StatusOK {
			t.Fatalf("the token: %d", got)
		}
		if n := d.looked(10_000, address); n == 0 || n > 200 {
			t.Errorf("%s: %d of 10,000 guesses were looked at", network, n)
		}
		got := d.ask("192.0.2.2:80", rightToken)
		if got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" || !strings.Contains(got.Body.String(), "too many wrong tokens") {
			t.Errorf("%s: a source that never had the token: %d %v %s", network, got.Code, got.Header(), got.Body)
		}
		if got := d.ask("192.0.2.1:81", rightToken).Code; got != http.StatusOK {
			t.Errorf("%s: a source that had the token: %d", network, got)
		}
		if d.at = d.at.Add(time.Minute); d.ask("192.0.2.2:80", rightToken).Code != http.StatusOK {
			t.Errorf("%s: the token is not taken when the guesses are over", network)
		}
	}
}

// One network is one source, however many addresses it has.
func TestAMachineWithManyAddressesIsOne(t *testing.T) {
	d := newDoor()
	if n := d.looked(1000, func(i int) string { return fmt.Sprintf("[2001:db8::%x]:80", i) }); n != 10 {
		t.Errorf("%d guesses were looked at", n)
	}
	if len(d.shut) != 1 || d.shut[0] != "2001:db8::/64" {
		t.Errorf("it is told of %q", d.shut)
	}
}

// A scraper that has not heard of a new token brings the old one for ever: that is one guess,
// and keeps out nobody at the same address.
func TestAnOldTokenKeepsNobodyOut(t *testing.T) {
	d := newDoor()
	for range 1000 {
		if got := d.ask("192.0.2.1:80", "the one of before").Code; got != http.StatusUnauthorized {
			t.Fatalf("the old token: %d", got)
		}
		if got := d.ask("192.0.2.1:80", "").Code; got != http.StatusUnauthorized {
			t.Fatalf("no token: %d", got)
		}
	}
	if got := d.ask("192.0.2.1:80", rightToken).Code; got != http.StatusOK {
		t.Errorf("the token: %d", got)
	}
}
