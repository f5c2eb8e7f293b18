package main_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
)

// newLoopbackServer serves h on a free loopback port until the test ends, and
// gives its URL.
func newLoopbackServer(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections end on purpose
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}
