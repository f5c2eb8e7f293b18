package instantly_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// A create whose answer is lost must not be sent again, by nobody. These tests
// talk to real sockets, since it is net/http that would repeat it.

// opaque hides what a transport is, so that the client takes it as it comes.
type opaque struct{ http.RoundTripper }

// rawServer serves connections itself.
type rawServer struct {
	net.Listener
	wg sync.WaitGroup

	mu       sync.Mutex
	requests map[string]int // by method
}

func serveRaw(t *testing.T, l net.Listener, serve func(*rawServer, net.Conn)) *rawServer {
	t.Helper()
	s := &rawServer{Listener: l, requests: map[string]int{}}
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(s, conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.wg.Wait()
	})
	return s
}

func (s *rawServer) count(method string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[method]++
}

func (s *rawServer) counted(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[method]
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// dropPosts answers GETs and keeps the connection, but hangs up on a POST
// after reading it.
func dropPosts(s *rawServer, conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		s.count(req.Method)
		if req.Method == http.MethodPost {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"items\":[]}")
	}
}

// wantOnePost creates a key after warming the connection up, and wants it asked
// for once.
func wantOnePost(t *testing.T, c *instantly.Client, s *rawServer, warm bool) {
	t.Helper()
	if warm {
		if _, err := c.Keys(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.CreateKey(t.Context(), "n", []string{"leads:read"})
	wantIs(t, err, instantly.ErrOutcomeUnknown, instantly.ErrUnavailable)
	if n := s.counted(http.MethodPost); n != 1 {
		t.Errorf("the server saw %d creates", n)
	}
}

func TestCreateIsSentOnceWhenTheConnectionDrops(t *testing.T) {
	transports := map[string]func() http.RoundTripper{
		"own transport":     func() http.RoundTripper { return nil },
		"given transport":   func() http.RoundTripper { return &http.Transport{} },
		"unknown transport": func() http.RoundTripper { return opaque{&http.Transport{}} },
	}
	for name, transport := range transports {
		for _, warm := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, connection used before: %v", name, warm), func(t *testing.T) {
				s := serveRaw(t, listen(t), dropPosts)
				c := newClient(t, transport(), withRetries, func(o *instantly.Options) {
					o.BaseURL = "http://" + s.Addr().String()
				})
				wantOnePost(t, c, s, warm)
			})
		}
	}
}

func TestCreateNeverTravelsOnAUsedConnection(t *testing.T) {
	var mu sync.Mutex
	used := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		used[r.RemoteAddr]++
		if r.Method == http.MethodPost {
			if used[r.RemoteAddr] != 1 {
				t.Errorf("a create came as request %d of its connection", used[r.RemoteAddr])
			}
			_, _ = io.WriteString(w, keyBody)
			return
		}
		_, _ = io.WriteString(w, `{"items":[]}`)
	}))
	defer server.Close()
	c := newClient(t, nil, func(o *instantly.Options) { o.BaseURL = server.URL })
	for range 3 {
		if _, err := c.Keys(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.CreateKey(t.Context(), "n", nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCreateNeverUsesHTTP2(t *testing.T) {
	protocols := map[string]int{}
	var mu sync.Mutex
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		protocols[r.Method] = r.ProtoMajor
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, keyBody)
			return
		}
		_, _ = io.WriteString(w, `{"items":[]}`)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	c := newClient(t, server.Client().Transport, func(o *instantly.Options) { o.BaseURL = server.URL })
	if _, err := c.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateKey(t.Context(), "n", nil); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if protocols[http.MethodGet] != 2 || protocols[http.MethodPost] != 1 {
		t.Errorf("protocols %v, want HTTP/2 for GET (else this proves nothing) and HTTP/1 for POST", protocols)
	}
}

// HTTP/2 frames (RFC 9113 §6), as far as a server that never answers needs them.
const (
	frameData     = 0x0
	frameHeaders  = 0x1
	frameRST      = 0x3
	frameSettings = 0x4
	frameGoAway   = 0x7
	flagEndStream = 0x1
	flagAck       = 0x1
	refusedStream = 0x7
	preface       = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

func writeFrame(w io.Writer, kind, flags byte, stream uint32, payload []byte) {
	head := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(head[5:], stream)
	_, _ = w.Write(append(head, payload...))
}

// refuseHTTP2 reads each request to its end and then says, falsely, that it did
// not read it: the case in which HTTP/2 lets a client send it again.
func refuseHTTP2(refuse func(w io.Writer, stream uint32) (hangUp bool)) func(*rawServer, net.Conn) {
	return func(s *rawServer, conn net.Conn) {
		in := bufio.NewReader(conn)
		if _, err := io.ReadFull(in, make([]byte, len(preface))); err != nil {
			return
		}
		writeFrame(conn, frameSettings, 0, 0, nil)
		for {
			head := make([]byte, 9)
			if _, err := io.ReadFull(in, head); err != nil {
				return
			}
			size := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
			if _, err := io.CopyN(io.Discard, in, size); err != nil {
				return
			}
			kind, flags, stream := head[3], head[4], binary.BigEndian.Uint32(head[5:])
			switch {
			case kind == frameSettings && flags&flagAck == 0:
				writeFrame(conn, frameSettings, flagAck, 0, nil)
			case (kind == frameData || kind == frameHeaders) && flags&flagEndStream != 0:
				s.count("any")
				if refuse(conn, stream) {
					return
				}
			}
		}
	}
}

func TestCreateIsSentOnceWhenHTTP2AllowsMore(t *testing.T) {
	refusals := map[string]func(io.Writer, uint32) bool{
		"RST_STREAM refused": func(w io.Writer, stream uint32) bool {
			writeFrame(w, frameRST, 0, stream, binary.BigEndian.AppendUint32(nil, refusedStream))
			return false
		},
		"GOAWAY before the stream": func(w io.Writer, _ uint32) bool {
			writeFrame(w, frameGoAway, 0, 0, make([]byte, 8)) // last stream 0, no error
			return true
		},
		"hang up": func(io.Writer, uint32) bool { return true },
	}
	borrowed := httptest.NewUnstartedServer(nil) // for its certificate only
	borrowed.StartTLS()
	defer borrowed.Close()
	for name, refuse := range refusals {
		t.Run(name, func(t *testing.T) {
			l := tls.NewListener(listen(t), &tls.Config{Certificates: borrowed.TLS.Certificates, NextProtos: []string{"h2"}})
			s := serveRaw(t, l, refuseHTTP2(refuse))
			transport := borrowed.Client().Transport.(*http.Transport).Clone()
			transport.Protocols = new(http.Protocols)
			transport.Protocols.SetHTTP2(true)
			// Behind opaque the client cannot keep HTTP/2 out: the second lock.
			c := newClient(t, opaque{transport}, withRetries, func(o *instantly.Options) {
				o.BaseURL = "https://" + s.Addr().String()
			})
			defer transport.CloseIdleConnections()
			_, err := c.CreateKey(t.Context(), "n", []string{"leads:read"})
			wantIs(t, err, instantly.ErrOutcomeUnknown, instantly.ErrUnavailable)
			if n := s.counted("any"); n != 1 {
				t.Errorf("the server saw %d creates", n)
			}
		})
	}
}
