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

// line is how a process reaches Instantly: the requests of the real client, at
// the sandbox, without sockets.
type line struct{ in *instance }

// RoundTrip implements [http.RoundTripper].
func (l line) RoundTrip(r *http.Request) (*http.Response, error) {
	w := l.in.world
	t := l.in.ask(w.keys.label(r), true)
	switch {
	case t.late > 0:
		l.sendLater(r, t)
		return nil, errStruck
	case t.refused != nil:
		return nil, t.refused
	case t.reply != nil && t.reply.vouches && !w.keys.byAdmin(r):
		return nil, errStruck
	case t.reply != nil && !t.spoilt:
		return t.reply.response(r), nil
	}
	resp, err := l.send(r, t, l.in.looked)
	if err != nil {
		return nil, err
	}
	if err := l.in.answered(t); err != nil {
		return nil, err
	}
	if t.spoilt {
		return t.reply.response(r), nil
	}
	return resp, nil
}

// send makes the call, and has what came of it judged.
func (l line) send(r *http.Request, t *turn, knew knowledge) (*http.Response, error) {
	w := l.in.world
	resp, err := sandbox.Transport(w.box).RoundTrip(r)
	if err != nil {
		return nil, err
	}
	w.judgeAnswer(knew, r, resp.StatusCode, t)
	return resp, nil
}

// sendLater lets the request arrive when nobody waits for its answer any more.
func (l line) sendLater(r *http.Request, t *turn) {
	body, err := io.ReadAll(orEmpty(r.Body))
	if err != nil {
		return
	}
	late, knew := r.Clone(context.WithoutCancel(r.Context())), maps.Clone(l.in.looked)
	l.in.world.processes.Go(func() {
		arrival := &turn{
			by: l.in.world.postman, label: "late " + t.label, resumes: true,
			grant: make(chan struct{}), notBefore: time.Now().Add(t.late),
		}
		if l.in.world.postman.await(arrival); arrival.refused != nil {
			return
		}
		late.Body = io.NopCloser(strings.NewReader(string(body)))
		defer l.in.handOver()
		if resp, err := l.send(late, t, knew); err == nil {
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
