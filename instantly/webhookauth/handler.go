package webhookauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// Handler gives next only what is a delivery: one with a secret in use (401 otherwise) and
// with a body that says its event_type (400 otherwise). As long as no value could be read it
// answers 503, and Instantly sends the delivery again. The body is there for next to read.
//
// Instantly disables a webhook whose deliveries fail: next must answer within seconds. See
// [Queue] where the work takes longer.
func (v *Verifier) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch v.judge(r) {
		case unknown:
			w.Header().Set("Retry-After", "5")
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		case refused:
			http.Error(w, "unauthorized", http.StatusUnauthorized)
		case accepted:
			v.checked(w, r, next)
		}
	})
}

// checked hands on a delivery whose body is one.
func (v *Verifier) checked(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, v.opts.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	var event struct {
		Type string `json:"event_type"`
	}
	if json.Unmarshal(body, &event) != nil || event.Type == "" {
		http.Error(w, "no event_type", http.StatusBadRequest)
		return
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	next.ServeHTTP(w, r)
}
