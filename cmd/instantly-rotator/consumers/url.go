package consumers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

const urlTimeout = 30 * time.Second

// URL tells a server of a new key with POST {"target": …, "key_id": …, "since": …}, and is
// told whether the consumers have moved: 2xx yes, but 202, 425, 429 and 503 not
// yet, anything else that it cannot be told. It is asked until it says yes, then
// not again by the same process, unless a store had another key meanwhile. The key is not sent, and no redirect is followed.
type URL struct {
	target string
	url    *url.URL
	client *http.Client
	once   once
}

var _ rotator.Gate = (*URL)(nil)

// NewURL makes the gate of a target.
func NewURL(target, address string) (*URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("after_promote: not an address") // the cause repeats it
	}
	return &URL{target: target, url: u, client: &http.Client{
		Timeout:       urlTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Name implements [rotator.Gate]. The path is not shown: that of a webhook may be
// what lets one call it.
func (u *URL) Name() string { return "url " + u.url.Scheme + "://" + u.url.Host }

// Pass implements [rotator.Gate].
func (u *URL) Pass(ctx context.Context, m rotator.Move) error {
	return u.once.pass(m, func() error { return u.post(ctx, m) })
}

func (u *URL) post(ctx context.Context, m rotator.Move) error {
	body, err := json.Marshal(map[string]string{"target": u.target, "key_id": m.KeyID, "since": stamp(m)})
	if err != nil {
		return fmt.Errorf("encode the request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url.String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("not an address") // the cause repeats it
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "instantly-rotator")
	res, err := u.client.Do(r)
	if err != nil {
		return withoutURL(err)
	}
	defer func() { _ = res.Body.Close() }()
	const most = 64 << 10
	_, _ = io.CopyN(io.Discard, res.Body, most) // so that the connection can be used again
	return judged(res.StatusCode)
}

// judged reads the status of an answer.
func judged(status int) error {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	switch {
	case status == http.StatusAccepted, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return open("it answers %s", text)
	case status >= 200 && status <= 299:
		return nil
	case status >= 300 && status <= 399:
		return fmt.Errorf("it answers %s: redirects are not followed, write the address that it leads to", text)
	default:
		return fmt.Errorf("it answers %s", text)
	}
}

// withoutURL keeps the address out of a message.
func withoutURL(err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
