// Command consumer stands for any program that uses an Instantly API key out of a
// mounted Secret: it reads the file again for each request, and makes one request
// after the other for as long as it runs.
//
// INSTANTLY_API is the API's address, INSTANTLY_API_KEY_FILE the file with the key.
// It prints each failure, and its totals once a second.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	pause   = 100 * time.Millisecond // between requests
	timeout = 10 * time.Second       // of a request; it has failed then
)

// totals are what is printed.
type totals struct {
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
	Keys     int `json:"keys"` // how many keys were used, one after the other
}

type consumer struct {
	url, file string
	client    http.Client
	last      string // the key that was used last
	totals    totals
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	c := &consumer{
		url: os.Getenv("INSTANTLY_API"), file: os.Getenv("INSTANTLY_API_KEY_FILE"),
		client: http.Client{Timeout: timeout},
	}
	c.run(ctx)
}

func (c *consumer) run(ctx context.Context) {
	requests, report := time.NewTicker(pause), time.NewTicker(time.Second)
	for {
		select {
		case <-ctx.Done():
			c.report()
			return
		case <-report.C:
			c.report()
		case <-requests.C:
			c.request(ctx)
		}
	}
}

// request makes one request. One that the consumer's own end cut short does not
// count.
func (c *consumer) request(ctx context.Context) {
	err := c.use(ctx)
	if ctx.Err() != nil {
		return
	}
	c.totals.Requests++
	if err != nil {
		c.totals.Failed++
		fmt.Fprintf(os.Stdout, "FAILED %s: %v\n", time.Now().UTC().Format(time.RFC3339Nano), err)
	}
}

func (c *consumer) use(ctx context.Context) error {
	text, err := os.ReadFile(c.file)
	if err != nil {
		return err
	}
	key := strings.TrimSpace(string(text))
	if key != c.last {
		c.last = key
		c.totals.Keys++
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/api/v2/campaigns?limit=1", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("User-Agent", "consumer")
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s with key %d: %s", resp.Status, c.totals.Keys, body)
	}
	return nil
}

func (c *consumer) report() {
	_ = json.NewEncoder(os.Stdout).Encode(c.totals)
}
