package instantly_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

// gone gives when requests were let go that were all wanted at once.
func gone(t *testing.T, p *instantly.Pacer, requests int) []time.Duration {
	t.Helper()
	start := time.Now()
	var mu sync.Mutex
	var at []time.Duration
	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			if err := p.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(start))
		})
	}
	all.Wait()
	return at
}

func TestPacerKeepsToItsNumberInAnySecond(t *testing.T) {
	for perSecond, allowed := range map[float64]int{1: 1, 5: 5, 7.5: 8, 100: 100} {
		synctest.Test(t, func(t *testing.T) {
			at := gone(t, instantly.NewPacer(perSecond), 4*allowed)
			for i := allowed; i < len(at); i++ {
				if apart := at[i] - at[i-allowed]; apart <= time.Second {
					t.Errorf("%g a second: requests %d and %d are %s apart", perSecond, i-allowed, i, apart)
				}
			}
		})
	}
}

func TestPacerWastesLittle(t *testing.T) {
	for _, perSecond := range []float64{0.1, 0.5, 1, 2.5, 5, 100} {
		synctest.Test(t, func(t *testing.T) {
			requests := int(100 * perSecond)
			at := gone(t, instantly.NewPacer(perSecond), requests+1)
			if least := time.Duration(0.95 * 100 * float64(time.Second)); at[requests] < least || at[requests] > 104*time.Second {
				t.Errorf("%g a second: %d requests took %s, want about 100 s", perSecond, requests, at[requests])
			}
		})
	}
}

func TestPacerLetsARestedClientGoAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := instantly.NewPacer(5)
		gone(t, p, 5)
		time.Sleep(time.Minute)
		for i, at := range gone(t, p, 5) {
			if at != 0 {
				t.Errorf("request %d waited %s after a minute of rest", i, at)
			}
		}
	})
}

func TestPacerGivesUpWhatCannotGoInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := instantly.NewPacer(0.1)
		gone(t, p, 1)
		late, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := p.Wait(late); err == nil || time.Since(start) != 0 {
			t.Errorf("after %s: %v, want an error at once", time.Since(start), err)
		}
		given, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if err := p.Wait(given); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("after %s: %v, want the end of the context", time.Since(start), err)
		}
		if p.Wait(given) == nil {
			t.Error("a request went although nobody wants it any more")
		}
	})
}

// TestPacedClientsAreNeverRefusedForTheirNumber has several clients of one
// workspace in a hurry. The sandbox counts by the clock's seconds, in which
// the requests come at any time.
func TestPacedClientsAreNeverRefusedForTheirNumber(t *testing.T) {
	for _, perSecond := range []int{1, 5, 100} {
		for _, into := range []time.Duration{0, 130 * time.Millisecond, 970 * time.Millisecond} {
			synctest.Test(t, func(t *testing.T) {
				box := sandbox.New(sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: perSecond, PerMinute: -1}})
				box.SetFaults(sandbox.Faults{Latency: 50 * time.Millisecond})
				time.Sleep(into)
				refused := 0
				var mu sync.Mutex
				pacer := instantly.NewPacer(float64(perSecond))
				client := newClient(t, sandbox.Transport(box), func(o *instantly.Options) {
					o.AdminKey, o.Limiter = box.Workspaces()[0].AdminKey, pacer
					o.Observe = func(c instantly.Call) {
						mu.Lock()
						defer mu.Unlock()
						if c.Status == http.StatusTooManyRequests {
							refused++
						}
					}
				})
				var hands sync.WaitGroup
				for range 8 {
					hands.Go(func() {
						for range 5 * perSecond {
							_, _ = client.Workspace(t.Context())
						}
					})
				}
				hands.Wait()
				if refused > 0 {
					t.Errorf("%d a second, from %s into one: %d refused", perSecond, into, refused)
				}
			})
		}
	}
}
