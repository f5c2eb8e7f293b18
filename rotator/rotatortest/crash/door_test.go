//go:build linux && amd64

package crash

import (
	"bytes"
	"context"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A door leads a service's requests past the desk.
type door struct {
	desk    *desk
	label   func(r *http.Request, body []byte) string
	service http.Handler
	refuse  func(http.ResponseWriter, refusal)
}

// reset is the refusal of a connection that breaks before the request arrives.
const reset = -1

// ServeHTTP implements [http.Handler]. A request that has come in has its effect
// whether or not its client is still there.
func (d door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r = r.WithContext(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	p, f := d.desk.enter(d.label(r, body))
	switch {
	case f.lost:
		panic(http.ErrAbortHandler)
	case f.refused != nil && f.refused.code == reset:
		breakOff(w)
		return
	case f.refused != nil:
		d.refuse(w, *f.refused)
		return
	}
	answer := httptest.NewRecorder()
	d.service.ServeHTTP(answer, r)
	if p.leave().lost {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// breakOff resets the connection.
func breakOff(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// open serves the door on a port of this machine and gives its URL.
func (d door) open(t *testing.T) string {
	server := httptest.NewUnstartedServer(d)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections end on purpose
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}
