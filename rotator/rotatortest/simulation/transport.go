package simulation

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

// transport is how a process reaches Instantly: the requests of the real client
// go to the sandbox, without sockets.
type transport struct{ in *instance }

// RoundTrip implements [http.RoundTripper].
func (tr transport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := tr.in.world
	c := tr.in.ask(w.keys.label(r), true)
	switch {
	case c.late > 0:
		tr.sendLater(r, c)
		return nil, errInjected
	case c.refused != nil:
		return nil, c.refused
	case c.reply != nil && c.reply.vouches && !w.keys.byAdmin(r):
		return nil, errInjected
	case c.reply != nil && !c.spoilt:
		return c.reply.response(r), nil
	}
	if isAboutWebhooks(r) && r.Context().Err() != nil {
		return nil, r.Context().Err() // it was given up meanwhile
	}
	resp, err := tr.send(r, c, tr.in.lastRead)
	if err != nil {
		return nil, err
	}
	if err := tr.in.answered(c); err != nil {
		return nil, err
	}
	if c.spoilt {
		return c.reply.response(r), nil
	}
	return resp, nil
}

// send makes the call, and has what came of it judged.
func (tr transport) send(r *http.Request, c *pendingCall, knew knowledge) (*http.Response, error) {
	w := tr.in.world
	resp, err := sandbox.Transport(w.box).RoundTrip(r)
	if err != nil {
		return nil, err
	}
	w.judgeAnswer(knew, r, resp.StatusCode, c)
	return resp, nil
}

// sendLater lets the request arrive when nobody waits for its answer any more.
func (tr transport) sendLater(r *http.Request, c *pendingCall) {
	body, err := io.ReadAll(orEmpty(r.Body))
	if err != nil {
		return
	}
	c.sent = time.Now()
	late, knew := r.Clone(context.WithoutCancel(r.Context())), maps.Clone(tr.in.lastRead)
	tr.in.world.processes.Go(func() {
		arrival := &pendingCall{
			by: tr.in.world.postman, label: "late " + c.label, resumes: true,
			grant: make(chan struct{}), notBefore: time.Now().Add(c.late),
		}
		if tr.in.world.postman.await(arrival); arrival.refused != nil {
			return
		}
		late.Body = io.NopCloser(strings.NewReader(string(body)))
		defer tr.in.handOver()
		if resp, err := tr.send(late, c, knew); err == nil {
			_ = resp.Body.Close() // nobody hears the answer
		}
	})
}

func orEmpty(body io.ReadCloser) io.Reader {
	if body == nil {
		return strings.NewReader("")
	}
	return body
}

func (p *reply) response(r *http.Request) *http.Response {
	return &http.Response{
		StatusCode: p.status, Status: http.StatusText(p.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: p.header.Clone(), Body: io.NopCloser(strings.NewReader(p.body)), ContentLength: int64(len(p.body)), Request: r,
	}
}
