package awssecretsmanager_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const canary = "canary-7d1f3a9b52c8e604"

// echo answers every call after the first few with something that has the
// value in it, as a broken server or a proxy may.
type echo struct {
	next   awssecretsmanager.HTTPClient
	answer func(r *http.Request) *http.Response
	spared string // action that is let through
}

func (e *echo) Do(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+e.spared) {
		return e.next.Do(r)
	}
	return e.answer(r), nil
}

func response(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}

func TestNoErrorShowsAValueWhateverTheServerAnswers(t *testing.T) {
	answers := map[string]func(*http.Request) *http.Response{}
	for _, status := range []int{200, 400, 403, 404, 413, 429, 500, 503} {
		for name, body := range map[string]string{
			"message":   `{"__type": "InvalidRequestException", "Message": "value ` + canary + ` is bad"}`,
			"denied":    `{"__type": "AccessDeniedException", "Message": "not authorized to perform: x on ` + canary + `"}`,
			"code":      `{"__type": "Unknown", "message": "` + canary + `"}`,
			"truncated": `{"SecretString": "` + canary + `", "VersionStages": [`,
			"wrong":     `{"SecretString": "` + canary + `", "CreatedDate": "` + canary + `"}`,
			"html":      "<html>" + canary + "</html>",
			"binary":    `{"SecretBinary": "%%` + canary + `"}`,
		} {
			answers[fmt.Sprint(status, " ", name)] = func(r *http.Request) *http.Response { return response(r, status, body) }
		}
	}
	for name, answer := range answers {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			rotate(t, b.open(), keyA)
			s := openWith(t, b.options(&echo{next: b.server, answer: answer, spared: "DescribeSecret"}))
			snap := snapshotOf(t, s)
			_, stageErr := s.Stage(t.Context(), snap, version(keyB), secret.New(canary))
			_, readErr := s.Read(t.Context(), keyA)
			for _, err := range []error{stageErr, readErr} {
				wantNoCanary(t, name, err)
			}
		})
	}
}

func wantNoCanary(t *testing.T, story string, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			text := fmt.Sprintf(verb, err)
			if strings.Contains(text, canary) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(canary))) {
				t.Errorf("%s: %s shows the value: %s", story, verb, text)
			}
		}
	}
}

func TestNoLabelOrTagHasAValueInIt(t *testing.T) {
	b := newBench(t)
	form, err := payload.NewJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	o := b.options(b.server)
	o.Payload = form
	s := openWith(t, o)
	snap := snapshotOf(t, s)
	for _, id := range []string{keyA, keyB} {
		if snap, err = s.Annotate(t.Context(), snap, secretstore.Notes{Intent: version(id).Intent}); err != nil {
			t.Fatal(err)
		}
		if snap, err = s.Stage(t.Context(), snap, version(id), secret.New(canary+id)); err != nil {
			t.Fatal(err)
		}
		if snap, err = s.Promote(t.Context(), snap, id, promotedAt()); err != nil {
			t.Fatal(err)
		}
	}
	labels, tags, _ := b.server.Inspect(b.name)
	for _, text := range []string{fmt.Sprint(labels), fmt.Sprint(tags), fmt.Sprintf("%+v", snap)} {
		if strings.Contains(text, canary) {
			t.Errorf("shows a value: %s", text)
		}
	}
}

func TestWhatASecretCannotHoldIsCorrupt(t *testing.T) {
	b := newBench(t)
	rotate(t, b.open(), keyA)
	s := openWith(t, b.options(&echo{next: b.server, spared: "DescribeSecret", answer: func(r *http.Request) *http.Response {
		return response(r, http.StatusOK, `{"VersionId": "`+keyA+`", "VersionStages": ["AWSCURRENT"]}`)
	}}))
	if _, err := s.Read(t.Context(), keyA); !errors.Is(err, secretstore.ErrCorrupt) {
		t.Error(err)
	}
}
