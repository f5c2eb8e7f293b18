package webhookauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly/webhookauth"
)

// send is Instantly, delivering an event.
func send(server, header, value string) int {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server, strings.NewReader(`{"event_type":"reply_received"}`))
	if err != nil {
		panic(err)
	}
	r.Header.Set(header, value)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		panic(err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}

// The values are in a file, the current one first.
func ExampleFiles() {
	dir, err := os.MkdirTemp("", "receiver")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "hook")
	if err := os.WriteFile(file, []byte("the-new-one\nthe-one-before\n"), 0o600); err != nil {
		panic(err)
	}

	auth := webhookauth.New(webhookauth.Files(file), webhookauth.Options{})
	server := httptest.NewServer(auth.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		fmt.Println("a delivery")
	})))
	defer server.Close()

	fmt.Println(send(server.URL, "X-Webhook-Secret", "the-one-before"))
	fmt.Println(send(server.URL, "X-Webhook-Secret", "the-new-one"))
	fmt.Println(send(server.URL, "X-Webhook-Secret", "a-guess"))
	// Output:
	// a delivery
	// 200
	// a delivery
	// 200
	// 401
}

// Work that takes longer than a second is done behind the answer, and the values come from a
// function, such as one that asks AWS Secrets Manager for AWSCURRENT and AWSPREVIOUS.
func ExampleNewQueue() {
	done := make(chan string)
	queue := webhookauth.NewQueue(100, func(body []byte) { done <- string(body) })
	values := func(context.Context) ([]string, error) { return []string{"current", "previous"}, nil }

	auth := webhookauth.New(values, webhookauth.Options{Header: "Authorization", Format: webhookauth.Bearer})
	server := httptest.NewServer(auth.Handler(queue))
	defer server.Close()

	fmt.Println(send(server.URL, "Authorization", "Bearer current"))
	fmt.Println(<-done)
	fmt.Println(queue.Close(context.Background()))
	// Output:
	// 202
	// {"event_type":"reply_received"}
	// <nil>
}
