package gcpsecretmanager_test

import (
	"net"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

// countedListener counts the connections that were ever made to it.
type countedListener struct {
	net.Listener
	n atomic.Int32
}

// Accept implements [net.Listener].
func (l *countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return conn, err
}

// served serves the stand-in on a port of this machine.
func served(t *testing.T, server *gcptest.Server) (site gcpsecretmanager.Site, l *countedListener) {
	t.Helper()
	tcp, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = &countedListener{Listener: tcp}
	server.Serve(l)
	return gcpsecretmanager.Site{Endpoint: tcp.Addr().String()}, l
}

// openOn gives the store of a secret on a client that others use too.
func openOn(t *testing.T, client *gcpsecretmanager.Client, secretID string) *gcpsecretmanager.Store {
	t.Helper()
	s, err := client.Open(gcpsecretmanager.Options{Project: gcptest.Project, Secret: secretID})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoresOfAClientShareOneConnection(t *testing.T) {
	server := newServer(t)
	site, l := served(t, server)
	client := connect(t, site)
	for _, secretID := range []string{"one", "two", "three"} {
		server.Make(secretID)
		must(t, openOn(t, client, secretID), staging("a"), promoting("a"))
	}
	if n := l.n.Load(); n != 1 {
		t.Errorf("three stores made %d connections", n)
	}
}

// A daemon closes the old client when it has read its configuration anew, whatever
// its stores are doing.
func TestClientClosedAmidACallLeavesNothingBehind(t *testing.T) {
	server := newServer(t)
	site, _ := served(t, server)
	before := goleak.IgnoreCurrent()
	client := connect(t, site)
	s := openOn(t, client, id)
	describe(t, s)
	come, goOn := make(chan struct{}), make(chan struct{})
	server.Before = func(gcptest.Call) gcptest.Fault {
		close(come)
		<-goOn
		return gcptest.None
	}
	failed := make(chan error)
	go func() {
		_, err := s.Describe(t.Context())
		failed <- err
	}()
	<-come
	if err := client.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	wantError(t, <-failed, secretstore.ErrUnavailable)
	_, err := s.Describe(t.Context())
	wantError(t, err, secretstore.ErrUnavailable)
	close(goOn)
	goleak.VerifyNone(t, before)
}

func TestStoreNeedsAProjectAndASecret(t *testing.T) {
	client := connect(t, gcpsecretmanager.Site{Endpoint: "127.0.0.1:1"})
	for _, o := range []gcpsecretmanager.Options{{Project: "p"}, {Secret: "s"}} {
		_, err := client.Open(o)
		wantError(t, err, secretstore.ErrNotFound)
	}
}
