package notify

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/format"
	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// requestTime bounds one request of a service's client.
const requestTime = 10 * time.Second

// LimitHTTP gives c a time limit and lets it follow no redirect. It is meant for
// [http.DefaultClient], once, when the process starts: most of shoutrrr's
// services post with that, give it no limit of their own and cannot be given
// another client. A redirect would carry the token elsewhere, and turn the POST
// into a GET whose success means nothing.
func LimitHTTP(c *http.Client) {
	c.Timeout = requestTime
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return ErrRedirect }
}

// Shoutrrr gives a way to one receiver by github.com/nicholas-fedor/shoutrrr. Its
// services take no context: one that outlives its attempt is left to its own
// limit, see [LimitHTTP], and until then nothing else is sent that way, so that
// there is at most one of them.
func Shoutrrr() Delivery {
	l := &line{free: make(chan struct{}, 1)}
	return l.deliver
}

// A line leads to one receiver.
type line struct {
	free chan struct{} // holds one thing while a service is at work
	// The service for the URL it was opened with: some keep connections, which a
	// new one for each message would pile up. Used by who holds the line.
	url     secret.Value
	service types.Service
}

func (l *line) deliver(ctx context.Context, url secret.Value, subject, text string) error {
	select {
	case l.free <- struct{}{}:
	case <-ctx.Done():
		return ErrTimeout
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-l.free }()
		done <- l.send(url, subject, text)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ErrTimeout
	}
}

// send keeps crashes of a service's client to itself: they must not end a
// rotation.
func (l *line) send(url secret.Value, subject, text string) (err error) {
	defer func() {
		if recover() != nil { // not shown: it may hold the URL
			l.service, err = nil, ErrPanic
		}
	}()
	if err := l.open(url); err != nil {
		return err
	}
	params := types.Params{}
	if hasTitle(l.service) {
		params.SetTitle(subject)
	}
	return redacted(l.service.Send(text, &params))
}

func (l *line) open(url secret.Value) error {
	if l.service != nil && l.url.Equal(url) {
		return nil
	}
	// The service "logger" succeeds and tells nobody.
	if strings.HasPrefix(strings.ToLower(url.Reveal()), "logger:") {
		return ErrURL
	}
	service, err := (&router.ServiceRouter{}).Locate(translated(url.Reveal())) // without a logger: it would log the URL
	if err != nil {
		return ErrURL
	}
	l.url, l.service = url, service
	return nil
}

// wellFormed tells whether a URL has the form of a service's. That of Matrix is not
// looked at: its client would log in.
func wellFormed(url secret.Value) (err error) {
	defer func() {
		if recover() != nil { // not shown: it may hold the URL
			err = ErrURL
		}
	}()
	if strings.HasPrefix(strings.ToLower(url.Reveal()), "matrix:") {
		return nil
	}
	return (&line{}).open(url)
}

// translated gives shoutrrr's form of an address as the service itself shows it.
func translated(url string) string {
	for _, form := range []struct{ pasted, becomes string }{
		{`^https://hooks\.slack\.com/services/(\w+)/(\w+)/(\w+)/?$`, "slack://hook:$1-$2-$3@webhook"},
		{`^https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/(\d+)/([\w-]+)/?$`, "discord://$2@$1"},
	} {
		if pasted := regexp.MustCompile(form.pasted); pasted.MatchString(url) {
			return pasted.ReplaceAllString(url, form.becomes)
		}
	}
	return url
}

// hasTitle tells whether the service takes a title: the others refuse one.
func hasTitle(s types.Service) bool {
	_, err := format.GetConfigQueryResolver(format.GetServiceConfig(s)).Get(types.TitleKey)
	return err == nil
}
