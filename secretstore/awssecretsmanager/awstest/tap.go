package awstest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// When tells at which end of a call a fault is injected.
type When string

const (
	// Before the effect: the call never reached the service.
	Before When = "before"
	// After the effect: it happened, only the answer is lost.
	After When = "after"
)

// Call is one request to the service. What the SDK sends again counts again.
type Call struct {
	// Number counts the calls through a [Tap], from 1.
	Number int
	// Action is the service's name for it, such as "PutSecretValue".
	Action string
	// Invocation is the same for a call and those that the SDK repeats it with.
	Invocation string
	// Label and MoveTo are parameters of UpdateSecretVersionStage.
	Label, MoveTo string
}

// Writes tells whether the action changes anything.
func (c Call) Writes() bool {
	return c.Action != "DescribeSecret" && c.Action != "GetSecretValue" && c.Action != "ListSecretVersionIds"
}

// ErrTorn is a connection that broke.
var ErrTorn = errors.New("connection reset by peer")

// Doer sends a request: a [Server], or an HTTP client.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Tap stands between an SDK and the service. Hook is called at both ends of
// every call; it may wait, read, and break: an error that it returns becomes
// the call's, or its answer if it was made by [Refusal].
type Tap struct {
	Next Doer
	Hook func(Call, When) error

	mu    sync.Mutex
	calls int
}

// Do implements [Doer].
func (t *Tap) Do(r *http.Request) (*http.Response, error) {
	c, err := t.read(r)
	if err != nil {
		return nil, err
	}
	if err := t.fault(c, Before); err != nil {
		return broken(r, err)
	}
	res, err := t.Next.Do(r)
	if err != nil {
		return nil, err
	}
	if err := t.fault(c, After); err != nil {
		_ = res.Body.Close()
		return broken(r, err)
	}
	return res, nil
}

func (t *Tap) fault(c Call, when When) error {
	if t.Hook == nil {
		return nil
	}
	return t.Hook(c, when)
}

// read finds out what call it is, and leaves the request as it was.
func (t *Tap) read(r *http.Request) (Call, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Call{}, err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	var q request
	_ = json.Unmarshal(body, &q) // what is wrong with it, the service says
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls++
	return Call{
		Number: t.calls, Action: strings.TrimPrefix(r.Header.Get("X-Amz-Target"), target),
		Invocation: r.Header.Get("Amz-Sdk-Invocation-Id"), Label: q.VersionStage, MoveTo: q.MoveTo,
	}, nil
}

// Refusal is an error answer, such as 400 ThrottlingException.
func Refusal(status int, code, message string) error { return &refusal{status, code, message} }

func broken(r *http.Request, err error) (*http.Response, error) {
	var refused *refusal
	if !errors.As(err, &refused) {
		return nil, err
	}
	body, _ := json.Marshal(map[string]string{"__type": refused.code, "Message": refused.message})
	return &http.Response{
		StatusCode: refused.status, Status: http.StatusText(refused.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body:    io.NopCloser(strings.NewReader(string(body))),
		Request: r,
	}, nil
}
