package webhookauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
)

const body = `{"event_type":"reply_received","email":"a@example.com"}`

// store is where a receiver reads its values, which a test replaces.
type store struct {
	mu     sync.Mutex
	values []string
	err    error
	reads  int
}

func (s *store) source(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return s.values, s.err
}

func (s *store) set(err error, values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values, s.err = values, err
}

func (s *store) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// echo is an application that reads the body.
func echo(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }

func deliver(h http.Handler, header, value, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	if value != "" {
		r.Header.Set(header, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOnlyDeliveriesWithASecretInUseGetThrough(t *testing.T) {
	s := &store{values: []string{"current", "previous", ""}}
	h := webhookauth.New(s.source, webhookauth.Options{}).Handler(http.HandlerFunc(echo))
	for _, c := range []struct {
		value, body string
		want        int
	}{
		{"current", body, 200},
		{"previous", body, 200},
		{"", body, 401},
		{"curren", body, 401},
		{"currentx", body, 401},
		{"Bearer current", body, 401},
		{"current", `{}`, 400},
		{"current", `{"event_type":""}`, 400},
		{"current", `{"event_type":1}`, 400},
		{"current", `no json`, 400},
		{"current", ``, 400},
		{"wrong", `{}`, 401}, // a stranger learns nothing of what is wanted
		{"current", `{"event_type":"x","pad":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
	} {
		w := deliver(h, "X-Webhook-Secret", c.value, c.body)
		if w.Code != c.want {
			t.Errorf("with %q and %.20q it answers %d, want %d", c.value, c.body, w.Code, c.want)
		}
		if c.want == 200 && w.Body.String() != c.body {
			t.Errorf("the application read %q", w.Body)
		}
	}
}

func TestTwoHeadersAreRefused(t *testing.T) {
	s := &store{values: []string{"current"}}
	h := webhookauth.New(s.source, webhookauth.Options{}).Handler(http.HandlerFunc(echo))
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header["X-Webhook-Secret"] = []string{"guess", "current"}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 401 {
		t.Errorf("it answers %d", w.Code)
	}
}

func TestFormats(t *testing.T) {
	for f, sent := range map[webhookauth.Format]string{
		"":                         "s3cret",
		webhookauth.Raw:            "s3cret",
		webhookauth.Bearer:         "Bearer s3cret",
		webhookauth.Basic("hooks"): "Basic aG9va3M6czNjcmV0",
	} {
		s := &store{values: []string{"s3cret"}}
		h := webhookauth.New(s.source, webhookauth.Options{Header: "Authorization", Format: f}).Handler(http.HandlerFunc(echo))
		if w := deliver(h, "Authorization", sent, body); w.Code != 200 {
			t.Errorf("%q with %q: %d", f, sent, w.Code)
		}
		if w := deliver(h, "Authorization", sent+"x", body); w.Code != 401 {
			t.Errorf("%q with %q: %d", f, sent+"x", w.Code)
		}
		if got := f.HeaderValue("s3cret"); got != sent || f.Check() != nil {
			t.Errorf("%q makes %q of it, %v", f, got, f.Check())
		}
		if got, ok := f.Secret(sent); !ok || got != "s3cret" {
			t.Errorf("%q finds %q in %q, %v", f, got, sent, ok)
		}
		if got, ok := f.Secret(""); ok {
			t.Errorf("%q finds %q in nothing", f, got)
		}
	}
	for _, f := range []webhookauth.Format{"basic:", "basic:a:b", "digest", "basic:a b"} {
		if !errors.Is(f.Check(), webhookauth.ErrFormat) {
			t.Errorf("%q is taken for a format", f)
		}
	}
}

func TestAValueThatIsNotKnownIsReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{values: []string{"one"}}
		h := webhookauth.New(s.source, webhookauth.Options{MaxAge: time.Hour}).Handler(http.HandlerFunc(echo))
		if w := deliver(h, "X-Webhook-Secret", "one", body); w.Code != 200 {
			t.Fatal(w.Code)
		}
		time.Sleep(time.Minute)
		s.set(nil, "two", "one")
		if w := deliver(h, "X-Webhook-Secret", "two", body); w.Code != 200 {
			t.Errorf("a value that was promoted a moment ago is answered %d", w.Code)
		}
		for range 100 {
			if w := deliver(h, "X-Webhook-Secret", "guess", body); w.Code != 401 {
				t.Errorf("a guess is answered %d", w.Code)
			}
		}
		if n := s.count(); n != 2 {
			t.Errorf("strangers had it read %d times", n)
		}
	})
}

func TestAValueThatIsNoLongerInUseIsRefusedWithinItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{values: []string{"two", "one"}}
		h := webhookauth.New(s.source, webhookauth.Options{}).Handler(http.HandlerFunc(echo))
		if w := deliver(h, "X-Webhook-Secret", "one", body); w.Code != 200 {
			t.Fatal(w.Code)
		}
		s.set(nil, "two")
		time.Sleep(time.Minute)
		if w := deliver(h, "X-Webhook-Secret", "one", body); w.Code != 401 {
			t.Errorf("it is answered %d", w.Code)
		}
	})
}

func TestAnOutageOfTheSourceRefusesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told atomic.Int32
		down := errors.New("down")
		s := &store{err: down}
		v := webhookauth.New(s.source, webhookauth.Options{Failed: func(err error) {
			if told.Add(1); !errors.Is(err, down) && !errors.Is(err, webhookauth.ErrNoValues) {
				t.Error(err)
			}
		}})
		h := v.Handler(http.HandlerFunc(echo))
		if err := v.Ready(t.Context()); !errors.Is(err, down) {
			t.Errorf("it is ready: %v", err)
		}
		time.Sleep(time.Minute)
		if w := deliver(h, "X-Webhook-Secret", "one", body); w.Code != 503 {
			t.Errorf("before anything is known it answers %d", w.Code)
		}
		s.set(nil, "one")
		time.Sleep(time.Minute)
		for _, trouble := range []error{nil, down, nil} {
			if w := deliver(h, "X-Webhook-Secret", "one", body); w.Code != 200 {
				t.Errorf("in an outage it answers %d", w.Code)
			}
			s.set(trouble) // and no value at all
			time.Sleep(time.Hour)
		}
		if told.Load() == 0 {
			t.Error("nobody is told")
		}
	})
}

func TestFilesHaveOneValueALine(t *testing.T) {
	dir := t.TempDir()
	current, previous := filepath.Join(dir, "secret"), filepath.Join(dir, "secret-previous")
	source := webhookauth.Files(current, previous)
	if _, err := source(t.Context()); !errors.Is(err, webhookauth.ErrNoValues) {
		t.Errorf("no file: %v", err)
	}
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(current, "two\r\none\n\n")
	write(previous, "zero")
	got, err := source(t.Context())
	if strings.Join(got, " ") != "two one zero" || err != nil {
		t.Errorf("it reads %q, %v", got, err)
	}
	if _, err := webhookauth.Files(dir)(t.Context()); err == nil {
		t.Error("a folder is read")
	}
}

func TestAQueueAnswersAtOnce(t *testing.T) {
	begun, release := make(chan string, 3), make(chan struct{})
	q := webhookauth.NewQueue(1, func(b []byte) { begun <- string(b); <-release })
	answers := func() int { return deliver(q, "X-Webhook-Secret", "", body).Code }
	if answers() != 202 {
		t.Fatal("the first is not queued")
	}
	if got := <-begun; got != body {
		t.Errorf("it works on %q", got)
	}
	if a, b := answers(), answers(); a != 202 || b != 503 {
		t.Errorf("a queue of one, with one at work, answers %d and %d", a, b)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("closing waits for nobody: %v", err)
	}
	if got := answers(); got != 503 {
		t.Errorf("closed, it answers %d", got)
	}
	close(release)
	if err := q.Close(t.Context()); err != nil || len(begun) != 1 {
		t.Errorf("closed with %d left, %v", len(begun), err)
	}
}
