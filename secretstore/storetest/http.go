package storetest

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

// An HTTPService is a service whose requests pass an interceptor.
type HTTPService struct {
	Interceptor Interceptor
	Label       func(r *http.Request, body []byte) string
	Service     http.Handler
	Refuse      func(http.ResponseWriter, Refusal)
}

// Serve listens on a port of this machine and gives the URL.
func (s HTTPService) Serve(t *testing.T) string {
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections end on purpose
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// ServeHTTP implements [http.Handler]. A request that has come in has its effect
// whether or not its client is still there.
func (s HTTPService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r = r.WithContext(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	p, o := s.Interceptor.Enter(s.Label(r, body))
	switch {
	case o.Lost:
		panic(http.ErrAbortHandler)
	case o.Refused != nil && o.Refused.Code == Reset:
		reset(w)
		return
	case o.Refused != nil:
		s.Refuse(w, *o.Refused)
		return
	}
	answer := httptest.NewRecorder()
	s.Service.ServeHTTP(answer, r)
	if p.Leave().Lost {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// reset breaks the connection off.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}
