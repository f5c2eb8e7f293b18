package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const (
	// retries of a delivery (third-party text: 3 within 30 s).
	retries = 3
	// deliveryTimeout is how long a receiver has; undocumented.
	deliveryTimeout = 10 * time.Second
)

// Event is something that happens in a workspace, and that its webhooks are told.
type Event struct {
	// WorkspaceID is that of the first workspace if empty.
	WorkspaceID string `json:"workspace_id"`
	// Type is one of the event types; "email_sent" if empty.
	Type      string `json:"event_type"`
	Campaign  string `json:"campaign_id"`
	LeadEmail string `json:"lead_email"`
}

// delivery is an event on its way to a webhook. URL and headers are those of the moment
// when the event happened, also in its retries: whether the vendor sends a retry with
// new headers is undocumented, and this is the harder reading for who rotates them.
type delivery struct {
	workspace *workspace
	webhookID string
	url       string
	headers   map[string]secret.Value
	payload   map[string]any
	leadEmail string
	group     string // of an attempt and its retries
}

// courier delivers. Its counter is guarded by Server.mu.
type courier struct {
	client  *http.Client
	running context.Context //nolint:containedctx // ends what is under way with the server
	stop    context.CancelFunc
	pending int
	idle    chan struct{} // closed when nothing is pending; nil while nothing is
	saved   time.Time     // when the log of deliveries was last kept
}

func newCourier(transport http.RoundTripper) *courier {
	if transport == nil {
		transport = &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute}
	}
	running, stop := context.WithCancel(context.Background())
	return &courier{
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
		running: running, stop: stop,
	}
}

// Emit has an event happen, and gives how many webhooks it is delivered to: those that
// work and are for it. It does not wait for them; [Server.WaitForDeliveries] does. An
// unknown workspace is ErrNotFound.
func (s *Server) Emit(e Event) (deliveries int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Type == "" {
		e.Type = "email_sent"
	}
	w, err := s.workspaceOrFirst(e.WorkspaceID)
	switch {
	case err != nil:
		return 0, fmt.Errorf("emit event: %w", err)
	case e.Type == "all_events" || !slices.Contains(eventTypes(), e.Type):
		return 0, fmt.Errorf("emit event: %q is no event type", e.Type)
	}
	for _, h := range w.webhooks {
		if !h.Disabled.IsZero() || h.EventType != "all_events" && h.EventType != e.Type || h.Campaign != "" && h.Campaign != e.Campaign {
			continue
		}
		deliveries++
		s.begin(deliveryOf(w, h, e, s.now()))
	}
	return deliveries, nil
}

func deliveryOf(w *workspace, h *webhook, e Event, now time.Time) delivery {
	name := e.Type
	if name == "email_link_clicked" {
		name = "link_clicked" // payloads call some events otherwise (vendor's documents)
	}
	payload := map[string]any{"event_type": name, "timestamp": timestamp{now}, "workspace": w.ID}
	if e.Campaign != "" {
		payload["campaign_id"] = e.Campaign
	}
	if e.LeadEmail != "" {
		payload["lead_email"] = e.LeadEmail
	}
	return delivery{
		workspace: w, webhookID: h.ID, url: h.URL, headers: h.Headers, payload: payload,
		leadEmail: e.LeadEmail, group: newID(now),
	}
}

// begin has a delivery made in the background.
func (s *Server) begin(d delivery) {
	c, wait := s.courier, s.faults.DeliveryDelay
	if c.pending++; c.idle == nil {
		c.idle = make(chan struct{})
	}
	go func() {
		for retry := 0; retry <= retries && pause(c.running, wait); retry++ {
			next, more := s.note(d, retry, s.post(c.running, d))
			if !more {
				break
			}
			wait = next
		}
		s.end()
	}()
}

// end counts a delivery as done. The log of deliveries is kept now and then only: the
// state file is written whole.
func (s *Server) end() {
	const often = time.Second
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.courier.saved) > often {
		s.keep()
	}
	if s.courier.pending--; s.courier.pending == 0 {
		close(s.courier.idle)
		s.courier.idle = nil
	}
}

// keep writes down what nobody waits for: the next change tells of a disk that is full.
func (s *Server) keep() {
	_ = s.save()
	s.courier.saved = time.Now()
}

// PendingDeliveries gives how many deliveries are under way, or waiting for a retry.
func (s *Server) PendingDeliveries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.courier.pending
}

// WaitForDeliveries waits until no delivery is under way.
func (s *Server) WaitForDeliveries(ctx context.Context) error {
	for {
		s.mu.Lock()
		idle := s.courier.idle
		s.mu.Unlock()
		if idle == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-idle:
		}
	}
}

// Close ends all deliveries, those that wait for a retry too, and keeps their log. A
// server that delivers nothing needs none.
func (s *Server) Close() {
	s.courier.stop()
	_ = s.WaitForDeliveries(context.Background())
	s.courier.client.CloseIdleConnections()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.courier.saved.IsZero() {
		s.keep()
	}
}

// outcome is what became of an attempt.
type outcome struct {
	status int // 0 without an answer
	err    error
	took   time.Duration
}

func (o outcome) success() bool { return o.status >= 200 && o.status <= 299 }

// problem says why an attempt failed; empty if it did not. Of a connection that failed it
// says no more than that.
func (o outcome) problem() string {
	switch {
	case o.success():
		return ""
	case o.status != 0:
		return fmt.Sprintf("Request failed with status code %d", o.status)
	case errors.Is(o.err, context.DeadlineExceeded):
		return "Connection timeout"
	default:
		return "Connection failed"
	}
}

// post makes one attempt.
func (s *Server) post(ctx context.Context, d delivery) outcome {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	body, err := json.Marshal(d.payload)
	if err != nil {
		return outcome{err: err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		return outcome{err: err}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Instantly-Sandbox")
	setHeaders(r.Header, d.headers)
	start := time.Now()
	resp, err := s.courier.client.Do(r)
	if err != nil {
		return outcome{err: err, took: time.Since(start)}
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody)) // frees the connection
	return outcome{status: resp.StatusCode, took: time.Since(start)}
}

// note writes an attempt down, and gives how long the next one is to wait, if there is
// one. A webhook that was deleted or disabled meanwhile is not tried again.
func (s *Server) note(d delivery, retry int, o outcome) (wait time.Duration, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	_, h := s.registry.webhook(d.webhookID)
	if s.courier.running.Err() != nil {
		return 0, false
	}
	more = !o.success() && retry < retries && h != nil && h.Disabled.IsZero()
	wait = s.faults.RetryWithin * time.Duration(retry+1) / 6 // 1/6, 1/2 and all of it after the first attempt
	d.workspace.delivered(eventOf(d, retry, o, now, wait, more))
	switch {
	case h == nil || more:
	case o.success():
		h.failures = 0
	default:
		h.failures++
		s.disable(d.workspace, h, now)
	}
	return wait, more
}

// disable gives up a webhook after as many deliveries that failed as the faults say.
func (s *Server) disable(w *workspace, h *webhook, now time.Time) {
	if s.faults.DisableAfter == 0 || h.failures < s.faults.DisableAfter || !h.Disabled.IsZero() {
		return
	}
	h.Disabled = now
	e := entryAbout(h.ID, entryByHand(w, now, activityWebhookFailed))
	e.UserID, e.UserName = nil, nil
	w.log(e)
	s.keep()
}

// testWebhook answers POST /webhooks/{id}/test: one delivery, with the headers as they
// are. Of the event that it sends nothing is documented; it is not in the log of
// deliveries, nor does it count for or against the webhook.
func testWebhook(s *Server, c *call, h *webhook) reply {
	d := deliveryOf(c.workspace, h, Event{Type: "email_sent"}, c.now)
	d.payload["is_test"] = true
	return reply{later: func(ctx context.Context) reply {
		o := s.post(ctx, d)
		body := map[string]any{"success": o.success(), "response_time_ms": o.took.Milliseconds(), "message": "Webhook test successful"}
		if problem := o.problem(); problem != "" {
			body["message"], body["error"] = "Webhook test failed", problem
		}
		if o.status != 0 {
			body["status_code"] = o.status
		}
		return success(body)
	}}
}
