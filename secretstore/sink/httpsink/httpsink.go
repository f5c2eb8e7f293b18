// Package httpsink puts a key into a service by one HTTP request, whose body is a template
// of JSON: for the services that have an interface and no kind of their own.
//
// The key stands in the body only, escaped as within a JSON string. It is sent over https,
// or in clear to this machine; a redirect is not followed. What the service answers is not
// told, and neither is the address's path, which may be what lets one call it.
//
// A service that keeps a text beside the value can have the mark there, in the same request:
// "key-id {id}" at the text's end. It is found again by a GET and a JSON pointer (RFC 6901).
package httpsink

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/rest"
)

// Options say which request puts a key there.
type Options struct {
	// Name of the sink, and what that does not say of where it leads.
	Name, Where string
	// Client of the address without its path.
	Client *rest.Client
	// Credential reads what {credential} stands for; nil if there is none.
	Credential func(context.Context) (secret.Value, error)
	// Method, and the path behind the address as a template, with a query if there is one.
	Method, Path string
	// Headers and Body are templates.
	Headers map[string]string
	Body    string
	// HoldsPath is what is read to learn the mark, at the pointer HoldsAt.
	HoldsPath, HoldsAt string
	Target, Place      string
}

// Sink is a place that takes a request.
type Sink struct{ o Options }

// Telling is a Sink whose mark can be read.
type Telling struct{ Sink }

var (
	_ sink.Placed = (*Sink)(nil)
	_ sink.Holder = (*Telling)(nil)
)

// Open makes the sink; it calls nothing.
func Open(o Options) *Sink { return &Sink{o} }

// OpenTelling makes one whose mark can be read.
func OpenTelling(o Options) *Telling { return &Telling{Sink{o}} }

// Name implements [sink.Sink].
func (s *Sink) Name() string { return s.o.Name }

// Where implements [sink.Placed].
func (s *Sink) Where() string { return s.o.Where }

// Put implements [sink.Sink].
func (s *Sink) Put(ctx context.Context, version string, value secret.Value) error {
	f, err := s.facts(ctx)
	if err != nil {
		return err
	}
	f.id, f.key = version, value
	body := f.body(s.o.Body)
	if !json.Valid(body) {
		return fmt.Errorf("%s: the body is not JSON with this key in it: %w", s.o.Name, secretstore.ErrUnfit)
	}
	a, err := s.call(ctx, f, s.o.Method, s.o.Path, body)
	if err == nil && !a.OK() {
		err = a.Refused()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.o.Name, err)
	}
	return nil
}

// facts are those of every request.
func (s *Sink) facts(ctx context.Context) (facts, error) {
	f := facts{target: s.o.Target, place: s.o.Place}
	if s.o.Credential == nil {
		return f, nil
	}
	var err error
	if f.credential, err = s.o.Credential(ctx); err != nil {
		return f, fmt.Errorf("%s: its credential: %w", s.o.Name, err)
	}
	return f, nil
}

func (s *Sink) call(ctx context.Context, f facts, method, path string, body []byte) (rest.Answer, error) {
	header := http.Header{}
	for name, template := range s.o.Headers {
		header.Set(name, f.header(template))
	}
	return s.o.Client.Do(ctx, rest.Request{Method: method, Path: f.address(path), Header: header, Body: body, Unnamed: true})
}

// Holds implements [sink.Holder].
func (t *Telling) Holds(ctx context.Context) (string, error) {
	f, err := t.facts(ctx)
	if err != nil {
		return "", err
	}
	a, err := t.call(ctx, f, http.MethodGet, t.o.HoldsPath, nil)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", t.o.Name, err)
	case a.Status == http.StatusNotFound:
		return "", nil
	case !a.OK():
		return "", fmt.Errorf("%s: %w", t.o.Name, a.Refused())
	}
	var found any
	if json.Unmarshal(a.Body, &found) != nil {
		return "", fmt.Errorf("%s: %w", t.o.Name, a.Unreadable("what is no JSON"))
	}
	text, _ := at(found, t.o.HoldsAt).(string)
	return marked(text), nil
}

// at finds what a JSON pointer points to; nil if there is nothing.
func at(found any, pointer string) any {
	if pointer == "" {
		return found
	}
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch in := found.(type) {
		case map[string]any:
			found = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			found = in[i]
		default:
			return nil
		}
	}
	return found
}

// marked gives the id that follows "key-id" at the end of a text.
func marked(text string) string {
	words := strings.Fields(text)
	if n := len(words); n > 1 && words[n-2] == "key-id" {
		return words[n-1]
	}
	return ""
}

// split takes an address apart: what a client is for, and the path with the query.
func split(address string) (base, path string, err error) {
	before, after, ok := strings.Cut(address, "://")
	if !ok {
		return "", "", fmt.Errorf("want https://HOST/PATH: %w", secretstore.ErrUnfit)
	}
	end := strings.IndexAny(after, "/?")
	if end < 0 {
		end = len(after)
	}
	base, path = before+"://"+after[:end], after[end:]
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(base, "{}") || strings.Contains(path, "#") {
		return "", "", fmt.Errorf("want https://HOST/PATH, with placeholders in the path only: %w", secretstore.ErrUnfit)
	}
	return base, path, nil
}
