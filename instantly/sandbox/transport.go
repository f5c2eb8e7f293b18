package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// Transport makes a [http.RoundTripper] that calls the handler in the caller's
// goroutine, without sockets, so that it works inside a testing/synctest
// bubble. A connection that the handler closes without an answer is
// io.ErrUnexpectedEOF; one that ends in the middle of a body gives that error
// when the body is read. A context that ends meanwhile gives its own error,
// provided that the handler heeds it, as the sandbox does.
func Transport(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel() // as a server does when the handler has returned
	rec := &recorder{header: http.Header{}}
	answered := rec.serve(t.handler, incoming(ctx, r))
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if !answered {
		return nil, io.ErrUnexpectedEOF
	}
	return rec.response(r), nil
}

// incoming gives a request as a server sees it. Header and URL are the caller's own, which
// handlers only read.
func incoming(ctx context.Context, r *http.Request) *http.Request {
	in := r.WithContext(ctx)
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:1"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return in
}

// recorder is the [http.ResponseWriter] of a call in process.
type recorder struct {
	header http.Header
	sent   http.Header // as it was when the status was written
	status int
	body   bytes.Buffer
}

func (rec *recorder) Header() http.Header { return rec.header }

func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 {
		rec.status, rec.sent = status, rec.header.Clone()
	}
}

func (rec *recorder) Write(p []byte) (int, error) {
	rec.WriteHeader(http.StatusOK)
	return rec.body.Write(p)
}

// serve runs the handler and tells whether it gave an answer. Other panics than
// the one that closes the connection are bugs and go through.
func (rec *recorder) serve(h http.Handler, r *http.Request) (answered bool) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if err, ok := cause.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			panic(cause)
		}
	}()
	h.ServeHTTP(rec, r)
	rec.WriteHeader(http.StatusOK)
	return true
}

// response gives what the client sees.
func (rec *recorder) response(r *http.Request) *http.Response {
	var body io.Reader = &rec.body
	length := int64(rec.body.Len())
	if declared, err := strconv.ParseInt(rec.sent.Get("Content-Length"), 10, 64); err == nil && declared > length {
		body, length = io.MultiReader(body, cutOff{}), declared
	}
	return &http.Response{
		Status:        strconv.Itoa(rec.status) + " " + http.StatusText(rec.status),
		StatusCode:    rec.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        rec.sent,
		Body:          io.NopCloser(body),
		ContentLength: length,
		Request:       r,
	}
}

// cutOff is the end of a connection in the middle of a body.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
