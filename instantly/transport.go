package instantly

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// transports gives the transport for requests that may be sent twice, and the
// one for POST, which may not.
func transports(given http.RoundTripper) (repeating, single http.RoundTripper) {
	switch t := given.(type) {
	case nil:
		own := newTransport()
		return own, singleUse(own)
	case *http.Transport:
		return t.Clone(), singleUse(t)
	default:
		return given, given
	}
}

func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		IdleConnTimeout:        time.Minute,
		MaxIdleConnsPerHost:    4,
		MaxResponseHeaderBytes: 64 << 10,
		// A connection that died without a word is found out before an attempt's
		// time is over.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
	}
}

// singleUse copies t into a transport that cannot send a request twice.
// net/http repeats a request by itself when a connection that was used before
// turns out to be dead, and HTTP/2 does so when the server says that it did not
// examine the stream. Here every request has a new HTTP/1.1 connection, for which
// neither holds. Requests without GetBody (see newRequest) are a second lock on
// that door, for transports that are not ours.
func singleUse(t *http.Transport) *http.Transport {
	s := t.Clone()
	s.DisableKeepAlives = true
	s.ForceAttemptHTTP2 = false
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	if s.TLSClientConfig != nil {
		s.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	return s
}

// refuseRedirect makes a redirect the answer. Following one would take the
// bearer along, and would turn a DELETE into a GET whose success says nothing.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// errUntrusted: the server's certificate was not accepted; trying again does
// not help.
var errUntrusted = errors.New("certificate not accepted")

// errNoTLS: https was asked for, and something else answered.
var errNoTLS = errors.New("the server does not speak TLS: is it a port for plain http?")

// errBroken stands for every transport error whose text cannot be trusted:
// net/http quotes what the server sent in some of them.
var errBroken = errors.New("connection failed")

// presentable gives the part of a transport error that may be shown: the kinds
// whose texts are made from addresses and system errors only.
func presentable(err error) error {
	var (
		untrusted *tls.CertificateVerificationError
		lookup    *net.DNSError
		network   *net.OpError
		plain     tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &untrusted):
		return fmt.Errorf("%w: %w", errUntrusted, untrusted)
	case errors.As(err, &lookup):
		return lookup
	case errors.As(err, &network):
		return network
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		return errNoTLS
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return errBroken
	}
}
