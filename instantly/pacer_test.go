package instantly_test

import (
	"context"
	"errors"
	"math/rand/v2"
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
			answered, err := p.Wait(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer answered()
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
		if _, err := p.Wait(late); err == nil || time.Since(start) != 0 {
			t.Errorf("after %s: %v, want an error at once", time.Since(start), err)
		}
		given, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if _, err := p.Wait(given); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("after %s: %v, want the end of the context", time.Since(start), err)
		}
		if _, err := p.Wait(given); err == nil {
			t.Error("a request went although nobody wants it any more")
		}
	})
}

// uneven is a way to the sandbox on which some requests take longer than others,
// and the answers too. The sandbox counts by the clock's seconds.
type uneven struct {
	http.RoundTripper
	mu      sync.Mutex
	way     *rand.Rand
	refused int
}

func (u *uneven) RoundTrip(r *http.Request) (*http.Response, error) {
	u.mu.Lock()
	there, back := u.delay(), u.delay()
	u.mu.Unlock()
	time.Sleep(there)
	answer, err := u.RoundTripper.RoundTrip(r)
	time.Sleep(back)
	u.mu.Lock()
	defer u.mu.Unlock()
	if err == nil && answer.StatusCode == http.StatusTooManyRequests {
		u.refused++
	}
	return answer, err
}

func (u *uneven) delay() time.Duration {
	return 25*time.Millisecond + time.Duration(u.way.ExpFloat64()*float64(20*time.Millisecond))
}

func TestPacedClientsAreNeverRefusedForTheirNumber(t *testing.T) {
	for _, perSecond := range []int{1, 5, 100} {
		for seed := range uint64(10) {
			synctest.Test(t, func(t *testing.T) {
				box := sandbox.New(sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: perSecond, PerMinute: -1}})
				way := &uneven{RoundTripper: sandbox.Transport(box), way: rand.New(rand.NewPCG(seed, 0))}
				client := newClient(t, way, func(o *instantly.Options) {
					o.AdminKey, o.Pacer = box.Workspaces()[0].AdminKey, instantly.NewPacer(float64(perSecond))
				})
				time.Sleep(time.Duration(seed) * 111 * time.Millisecond)
				var workers sync.WaitGroup
				for range 20 {
					workers.Go(func() {
						for range 3 * perSecond {
							_, _ = client.Workspace(t.Context())
						}
					})
				}
				workers.Wait()
				if way.refused > 0 {
					t.Errorf("%d a second, seed %d: %d refused", perSecond, seed, way.refused)
				}
			})
		}
	}
}

func TestPacerDoesNotWaitForWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := instantly.NewPacer(5)
		for range 5 {
			if _, err := p.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		gone(t, p, 1)
		if took := time.Since(start); took < time.Second || took > 3*time.Second {
			t.Errorf("five requests that are never answered kept the next from going for %s", took)
		}
	})
}
