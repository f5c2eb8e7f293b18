package instantly_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// retryTimes gives when the attempts of one call came, if the first is answered
// with status and header and the others with 200.
func retryTimes(t *testing.T, status int, header ...string) []time.Duration {
	t.Helper()
	var at []time.Duration
	start := time.Now()
	api := &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
		at = append(at, time.Since(start))
		if n == 0 {
			return reply(status, "", header...), nil
		}
		return reply(200, `{"id":"w"}`), nil
	}}
	_, _ = newClient(t, api, withRetries).Workspace(t.Context())
	return at
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for name, value := range map[string]func() string{
		"seconds":     func() string { return "20" },
		"with spaces": func() string { return " 20 " },
		"date":        func() string { return time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		for _, status := range []int{429, 503} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					at := retryTimes(t, status, "Retry-After", value())
					if len(at) != 2 || at[1] != 20*time.Second {
						t.Errorf("attempts at %v, want the second at 20s", at)
					}
				})
			})
		}
	}
}

// (The clock of these tests starts in the year 2000.)
func TestRetryAfterThatSaysNothingIsIgnored(t *testing.T) {
	for _, value := range []string{"", "0", "-5", "1.5", "soon", "99999999999999999999999", "Fri, 01 Jan 1999 00:00:00 GMT"} {
		synctest.Test(t, func(t *testing.T) {
			at := retryTimes(t, 429, "Retry-After", value)
			if len(at) != 2 || at[1] == 0 || at[1] > time.Second {
				t.Errorf("%q: attempts at %v, want the second within a second", value, at)
			}
		})
	}
}

func TestRetryAfterBeyondTheBudgetGivesUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		api := always(429, "", "Retry-After", "4000000000")
		_, err := newClient(t, api, withRetries).Workspace(t.Context())
		var e *instantly.Error
		if !errors.As(err, &e) || e.RetryAfter != time.Hour {
			t.Errorf("error %v, want a wait of no more than an hour in it", err)
		}
		if len(api.requests()) != 1 || time.Since(start) != 0 {
			t.Errorf("%d requests in %s", len(api.requests()), time.Since(start))
		}
	})
}

func TestRetriesEndWithTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		api := failing(errors.New("lost"))
		_, err := newClient(t, api, withRetries).Workspace(t.Context())
		wantIs(t, err, instantly.ErrUnavailable)
		if n, took := len(api.requests()), time.Since(start); n < 5 || took > time.Minute {
			t.Errorf("%d attempts in %s", n, took)
		}
	})
}

func TestNegativeBudgetMeansOneAttempt(t *testing.T) {
	api := always(503, "")
	c := newClient(t, api)
	_, _ = c.Workspace(t.Context())
	c.Probe(t.Context(), secretOf(keyValue), nil)
	if n := len(api.requests()); n != 2 {
		t.Errorf("%d attempts of two calls", n)
	}
}

func TestRetriesEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		start := time.Now()
		_, err := newClient(t, always(503, ""), withRetries).Workspace(ctx)
		wantIs(t, err, context.Canceled, instantly.ErrUnavailable)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("ended after %s", took)
		}
	})
}

// Somebody who knows that an outage is over does not wait for the next attempt.
func TestRetryNowEndsTheWaitForTheNextAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		api := &fakeAPI{answer: func(int, sent) (*http.Response, error) {
			if time.Since(start) < 20*time.Second {
				return reply(503, ""), nil
			}
			return reply(200, `{"id":"w"}`), nil
		}}
		c := newClient(t, api, withRetries)
		time.AfterFunc(20*time.Second, c.RetryNow)
		if _, err := c.Workspace(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// Nor for one that hangs.
func TestRetryNowGivesUpAnAttemptThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := newClient(t, silent{}, withRetries)
		time.AfterFunc(7*time.Second, c.RetryNow)
		_, err := c.Workspace(t.Context())
		wantIs(t, err, instantly.ErrUnavailable, context.DeadlineExceeded)
		if took := time.Since(start); took != 27*time.Second {
			t.Errorf("ended after %s, want 20s from when it began anew", took)
		}
	})
}

func TestContextEndsAnAttempt(t *testing.T) {
	for _, budget := range []time.Duration{-1, 0} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(errors.New("signal")) })
			start := time.Now()
			_, err := newClient(t, silent{}, func(o *instantly.Options) { o.RetryBudget = budget }).Workspace(ctx)
			wantIs(t, err, context.Canceled, instantly.ErrUnavailable)
			if took := time.Since(start); took != time.Second {
				t.Errorf("ended after %s", took)
			}
		})
	}
}

func TestPacerThatCannotLetGoInTimeIsNotAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := newClient(t, always(200, `{"id":"w"}`), withRetries, func(o *instantly.Options) {
			o.Pacer = instantly.NewPacer(1.0 / 3600)
		})
		if _, err := c.Workspace(ctx); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err := c.Workspace(ctx)
		wantIs(t, err, instantly.ErrUnavailable)
		if took := time.Since(start); took != 0 {
			t.Errorf("took %s", took)
		}
	})
}

// slowly is a transport whose answers begin at once and go on a byte a second.
type slowly struct {
	status int
	begun  chan struct{}
}

func (s slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	s.begun <- struct{}{}
	return replyFrom(s.status, byteASecond{r.Context()}), nil
}

type byteASecond struct{ ctx context.Context }

func (s byteASecond) Read(b []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		return copy(b, " "), nil
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}

func TestBodyHasTenSecondsAndOneAttempt(t *testing.T) {
	for name, call := range map[string]func(*testing.T, *instantly.Client) error{
		"list":      func(t *testing.T, c *instantly.Client) error { _, err := c.Keys(t.Context()); return err },
		"workspace": func(t *testing.T, c *instantly.Client) error { _, err := c.Workspace(t.Context()); return err },
		"test call": func(t *testing.T, c *instantly.Client) error {
			return c.Probe(t.Context(), secretOf(keyValue), nil).Err
		},
		"create": func(t *testing.T, c *instantly.Client) error {
			_, err := c.CreateKey(t.Context(), "n", nil)
			wantIs(t, err, instantly.ErrOutcomeUnknown)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				api := slowly{200, make(chan struct{}, 9)}
				err := call(t, newClient(t, api, withRetries))
				wantIs(t, err, instantly.ErrUnavailable, context.DeadlineExceeded)
				if err != nil && !strings.HasSuffix(err.Error(), "(HTTP 200): the answer was not complete 10s after it had begun: context deadline exceeded") {
					t.Error(err)
				}
				if took := time.Since(start); took != 10*time.Second || len(api.begun) != 1 {
					t.Errorf("%d attempts in %s", len(api.begun), took)
				}
			})
		})
	}
}

func TestDeletionWhoseBodyIsSlowIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := newClient(t, slowly{200, make(chan struct{}, 9)}, withRetries).DeleteKey(t.Context(), keyID); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestAttemptThatTookAllItsTimeIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := newClient(t, silent{}, withRetries).Workspace(t.Context())
		wantIs(t, err, instantly.ErrUnavailable, context.DeadlineExceeded)
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("took %s, want the 20s of one attempt", took)
		}
	})
}

func TestAttemptIsBoundedByTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := newClient(t, silent{}, func(o *instantly.Options) { o.Timeout = 0 }).Workspace(t.Context())
		wantIs(t, err, instantly.ErrUnavailable, context.DeadlineExceeded)
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("took %s, want the default of 30s", took)
		}
	})
}
