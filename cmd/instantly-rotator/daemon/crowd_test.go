package daemon_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
)

// TestSlowConnectionsKeepNobodyAway: of 10,000 that begin a request and never end it, those
// that wait longest go when others come, and whoever asks meanwhile is answered.
func TestSlowConnectionsKeepNobodyAway(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	site := daemon.Site{Alive: func() error { return nil }, Ready: func() error { return nil }}
	server := site.Server()
	server.ReadHeaderTimeout, server.ReadTimeout = time.Hour, time.Hour // by themselves they would go too late
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	address := listener.Addr().String()
	client := &http.Client{Timeout: time.Minute}
	healthy := func(when string) {
		t.Helper()
		got, err := client.Get("http://" + address + "/healthz")
		if err != nil {
			t.Errorf("%s: %v", when, err)
			return
		}
		defer got.Body.Close()
		if _, err := io.Copy(io.Discard, got.Body); err != nil || got.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, %v", when, got.Status, err)
		}
		client.CloseIdleConnections()
	}
	n := 10_000
	if testing.Short() {
		n = 2_000
	}
	var slow []net.Conn // at most as many as this process may have open beside the server's
	for i := range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("after %d: %v", i, err)
		}
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") // it may be closed by now
		if slow = append(slow, conn); len(slow) > 700 {
			_ = slow[0].Close()
			slow = slow[1:]
		}
		if i%(n/4) == n/4-1 {
			healthy("among slow ones")
		}
	}
	_ = slow[0].SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := slow[0].Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the one that waits longest was kept: %v", err)
	}
	for _, conn := range slow {
		_ = conn.Close()
	}
	healthy("after them")
	_ = server.Close()
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("the server ended with %v", err)
	}
}
