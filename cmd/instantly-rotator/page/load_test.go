package page_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/page"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// crowd is 10,000 targets, of which every tenth has one of several troubles.
func crowd() *scene {
	s := many(10_000)
	for i := 0; i < 10_000; i += 10 {
		name := fmt.Sprintf("customer-%05d", i)
		s.put(name, now(), with(healthy(name), func(o *rotator.TargetStatus) {
			switch i / 10 % 3 {
			case 0:
				o.Dead = true
			case 1:
				o.Quarantine = "store aws holds a value of unknown origin as current"
			default:
				o.Err = fmt.Errorf("workspace main: %w", context.DeadlineExceeded)
				o.Next = rotator.Step{Verb: rotator.Stop, Err: o.Err}
			}
		}), nil)
	}
	return s
}

// TestAPageOfManyTargetsIsSmall: whoever is woken up has a telephone.
func TestAPageOfManyTargetsIsSmall(t *testing.T) {
	h := crowd().site()
	for _, path := range []string{"/", "/?state=dead-key", "/?q=customer", "/?page=200", "/auditor", "/target/customer-00010"} {
		code, body := get(t, h, path)
		if code != http.StatusOK || len(body) > 300_000 {
			t.Errorf("%s: %d, %d bytes", path, code, len(body))
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
		r.Header.Set("Accept-Encoding", "br, gzip")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > 30_000 {
			t.Errorf("%s: %d bytes, encoded as %q", path, w.Body.Len(), w.Header().Get("Content-Encoding"))
		}
	}
}

// BenchmarkPage is a page of 10,000 targets, drawn anew for each request, and as it is for
// all but one of many.
func BenchmarkPage(b *testing.B) {
	s := crowd()
	for _, anew := range []bool{true, false} {
		b.Run(fmt.Sprintf("anew=%t", anew), func(b *testing.B) {
			at := now()
			h := s.siteAt(func() time.Time {
				if anew {
					at = at.Add(page.RedrawAfter)
				}
				return at
			})
			var took []time.Duration
			for b.Loop() {
				at = now()
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "http://localhost/", nil)
				r.Header.Set("Accept-Encoding", "gzip")
				began := time.Now()
				h.ServeHTTP(httptest.NewRecorder(), r)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// TestAnAnswerIsCompressedOnlyForWhoTakesIt: others could not read it.
func TestAnAnswerIsCompressedOnlyForWhoTakesIt(t *testing.T) {
	h := newScene("sending").site()
	for accepts, want := range map[string]string{
		"": "", "gzip": "gzip", "br, gzip": "gzip", "GZIP ; Q=0.5": "gzip", "deflate;q=1.0,gzip;q=0.001": "gzip",
		"gzip;q=0": "", "br, gzip; q=0.000": "", "gzip;q=": "", "gzip;q=-1": "", "no-gzip": "", "br": "",
	} {
		got := ask(h, http.MethodGet, "http://localhost/", nil, func(r *http.Request) { r.Header.Set("Accept-Encoding", accepts) })
		if got.Header.Get("Content-Encoding") != want || got.ContentLength <= 0 || want == "" && !strings.Contains(read(t, got), "sending") {
			t.Errorf("Accept-Encoding %q: encoded as %q", accepts, got.Header.Get("Content-Encoding"))
		}
	}
}
