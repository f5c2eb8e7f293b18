package serverless

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Site answers a cloud's requests over HTTP: a status of 2xx says that what was asked for is
// so; at any other the cloud asks again.
type Site struct {
	*Runner
	// Who gives the account that a request is from; an error: nobody who may ask.
	Who func(*http.Request) (account string, err error)
}

// maxBody is more than any message has that Secret Manager sends: a secret without its values.
const maxBody = 1 << 20

// Handler serves POST /due and POST /pubsub.
func (s Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /due", s.guarded(func(ctx context.Context, _ []byte) error { return s.Due(ctx) }))
	mux.Handle("POST /pubsub", s.guarded(s.TakeMessage))
	return mux
}

// Server serves the site. What an answer waits for is bounded by whoever asks.
func (s Site) Server() *http.Server {
	return &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
}

// errMalformed: a request cannot be understood, and cannot if it is sent again.
var errMalformed = errors.New("malformed")

func (s Site) guarded(do func(ctx context.Context, body []byte) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		account, err := s.Who(r)
		if err != nil {
			s.Log.Warn("request refused", zap.String("path", r.URL.Path), zap.Error(err))
			w.Header().Set("WWW-Authenticate", `Bearer realm="instantly-rotator"`)
			http.Error(w, "a token of a service account is needed that may call", http.StatusUnauthorized)
			return
		}
		body, err := readAll(w, r)
		if err == nil {
			err = do(r.Context(), body)
		}
		switch {
		case errors.Is(err, errMalformed):
			http.Error(w, err.Error(), http.StatusBadRequest)
		case err != nil:
			s.Log.Error("request", zap.String("path", r.URL.Path), zap.String("account", account), zap.Error(err))
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
}

func readAll(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return body, nil
}

// push is what Pub/Sub sends (Pub/Sub's documents, "Push subscriptions").
type push struct {
	Message struct {
		Attributes struct {
			Event  string    `json:"eventType"`
			Secret string    `json:"secretId"`
			At     time.Time `json:"timestamp"`
		}
		Published time.Time `json:"publishTime"`
	}
}

// at is since when a rotation is asked for.
func (p push) at() time.Time {
	if at := p.Message.Attributes.At; !at.IsZero() {
		return at
	}
	return p.Message.Published
}

// TakeMessage has the target rotated whose first store is a secret that Secret Manager says is
// to be rotated. A rotation since then is what the message asks for, so that one that comes
// twice is answered, and not done twice. Other messages, and those about secrets of others, say
// nothing to us.
func (r *Runner) TakeMessage(ctx context.Context, body []byte) error {
	var p push
	if err := json.Unmarshal(body, &p); err != nil {
		return fmt.Errorf("%w: want a message of Pub/Sub", errMalformed)
	}
	about := p.Message.Attributes
	if about.Event != "SECRET_ROTATE" {
		return nil
	}
	if p.at().IsZero() {
		return fmt.Errorf("%w: the message does not say when it was sent", errMalformed)
	}
	since := p.at()
	if now := r.Now(); since.After(now) { // its clock is ahead
		since = now
	}
	err := r.rotateSince(ctx, about.Secret, since)
	if errors.Is(err, ErrNotOurs) {
		r.Log.Warn("message about a secret of others", zap.Error(err))
		return nil
	}
	return err
}

func (r *Runner) rotateSince(ctx context.Context, secret string, since time.Time) error {
	o, err := r.openCalled(ctx, secret)
	if err != nil {
		return err
	}
	defer o.Close()
	res := o.reconcile(ctx, rotator.Request{RotateSince: since})
	if res.Err != nil || res.Interrupted || res.Waiting {
		return fmt.Errorf("target %s: %w", o.Target.Name, whyNot(res))
	}
	r.Log.Info("rotation that GCP asked for", zap.String("target", o.Target.Name), zap.Time("since", since), zap.Bool("rotated", res.Rotated))
	return nil
}

// openCalled opens the target whose first store is that secret. Secrets of one name in
// several projects are told apart by the project's number: what the service says of each is
// compared. The secret is nobody's of ours only if that is known of all of them.
func (r *Runner) openCalled(ctx context.Context, secret string) (Opened, error) {
	keys, err := r.candidates(secret)
	if err == nil && len(keys) > 1 && !hasNumber(secret) {
		err = ambiguous(secret, keys)
	}
	if err != nil {
		return Opened{}, err
	}
	var others, failed []error
	for _, key := range keys {
		o, err := r.openIf(ctx, key, secret)
		switch {
		case err == nil:
			return o, nil
		case errors.Is(err, ErrNotOurs):
			others = append(others, err)
		default:
			failed = append(failed, err)
		}
	}
	if len(failed) > 0 {
		return Opened{}, errors.Join(failed...)
	}
	return Opened{}, errors.Join(others...)
}

// openIf opens a target if its first store is that secret.
func (r *Runner) openIf(ctx context.Context, key config.Key, secret string) (Opened, error) {
	o, err := r.Open(ctx, key.Name, func(rotator.Event) {})
	if err != nil {
		return Opened{}, fmt.Errorf("target %s: %w", key.Name, err)
	}
	if err := o.wantSecret(ctx, secret); err != nil {
		o.Close()
		return Opened{}, fmt.Errorf("target %s: %w", key.Name, err)
	}
	return o, nil
}

// hasNumber tells whether a secret is named by the number of its project.
func hasNumber(called string) bool {
	project, _, _ := strings.Cut(strings.TrimPrefix(called, "projects/"), "/")
	return strings.Trim(project, "0123456789") == ""
}

// wantSecret compares the secret's number of the project, which only the service knows.
func (o Opened) wantSecret(ctx context.Context, called string) error {
	snap, err := o.Target.Stores[0].Describe(ctx)
	if err != nil {
		return err
	}
	if !hasNumber(called) {
		return nil // named by its id, which was compared
	}
	if is, _, _ := strings.Cut(snap.Identity, "@"); is != called {
		return fmt.Errorf("the credentials lead to another secret, %s, than the %s that was told of: %w", is, called, ErrNotOurs)
	}
	return nil
}
