package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Why something could not be sent. What a service or its client says is not
// passed on: it may repeat the URL. It is only searched for words we know.
var (
	// ErrNoURL: the URL is not where the configuration says; the cause is wrapped.
	ErrNoURL = errors.New("no URL")
	// ErrURL: the URL has not the form of any service's.
	ErrURL = errors.New("the URL is not one of a service known to shoutrrr")
	// ErrTimeout: no answer in time.
	ErrTimeout = errors.New("no answer in time")
	// ErrUnreachable: no connection.
	ErrUnreachable = errors.New("cannot be reached")
	// ErrCertificate: the server's TLS certificate was not accepted.
	ErrCertificate = errors.New("its TLS certificate was not accepted")
	// ErrRedirect: the server sends elsewhere, where a URL's token has no business.
	ErrRedirect = errors.New("it redirects to another address")
	// ErrRefused: the service answered with an HTTP status that means no.
	ErrRefused = errors.New("refused")
	// ErrUndelivered: anything else.
	ErrUndelivered = errors.New("the service did not take it")
	// ErrPanic: the service's client crashed.
	ErrPanic = errors.New("the service's client crashed")
)

// refusal is ErrRefused with the HTTP status.
type refusal int

func (r refusal) Error() string {
	return fmt.Sprintf("%v: HTTP %d %s", ErrRefused, int(r), http.StatusText(int(r)))
}

func (r refusal) Is(target error) bool { return target == ErrRefused }

// lasting tells whether it makes no sense to try again soon.
func lasting(err error) bool {
	var status refusal
	switch {
	case errors.As(err, &status):
		again := status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests
		return !again
	default:
		return errors.Is(err, ErrURL) || errors.Is(err, ErrRedirect)
	}
}

// redacted gives the error of ours that says most about a client's error. The
// clients lose the types of their causes, so that words must do.
func redacted(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if status := statusIn(text); status != 0 {
		return refusal(status)
	}
	for _, k := range knownWords() {
		for _, w := range k.words {
			if strings.Contains(text, w) {
				return k.means
			}
		}
	}
	return ErrUndelivered
}

type knownWord struct {
	means error
	words []string
}

func knownWords() []knownWord {
	return []knownWord{
		{ErrRedirect, []string{ErrRedirect.Error()}},
		{ErrTimeout, []string{context.DeadlineExceeded.Error(), "Client.Timeout", "i/o timeout", "timed out"}},
		{ErrCertificate, []string{"x509: ", "tls: "}},
		{ErrUnreachable, []string{"connection refused", "connection reset", "no such host", "unreachable", "no route to host", "EOF"}},
	}
}

// statusIn finds an HTTP status that means no; 0 if there is none. Nothing but a
// number that HTTP knows comes out of it.
func statusIn(text string) int {
	for _, m := range regexp.MustCompile(`\b([345]\d\d)(?: ([A-Z][A-Za-z' -]+))?`).FindAllStringSubmatch(text, -1) {
		status, _ := strconv.Atoi(m[1])
		name := http.StatusText(status)
		if name != "" && strings.HasPrefix(m[2], name) {
			return status
		}
	}
	if m := regexp.MustCompile(`(?i)status(?: code)?:? ([45]\d\d)\b`).FindStringSubmatch(text); m != nil {
		status, _ := strconv.Atoi(m[1])
		return status
	}
	return 0
}
