package instantly

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"time"
)

// These end a list that does not end by itself. With 100 items a page the number
// of pages is more than any workspace has; the time is for pages that hold less.
// At the default pace of 5 requests a second it allows for 600 pages of a client
// that does nothing else.
const (
	maxPages    = 1000
	maxListTime = 2 * time.Minute
)

// itemsPerPage is the most that the vendor's OpenAPI file allows of every list but the
// audit log.
const itemsPerPage = 100

// page is what the API's lists answer with (vendor's OpenAPI file). The cursor
// is a UUID, a time or an e-mail address, depending on the list: opaque.
type page[T any] struct {
	Items *[]T   `json:"items"`
	Next  string `json:"next_starting_after"`
}

// listAll reads a list to its end, or fails: it never gives a part. The end is
// a page without a cursor, or one without items: the vendor's starter kit warns
// that the last page with items can still carry a cursor. A list that goes on for
// more than maxPages or maxListTime is unreadable; the time is checked between
// pages, of which each is bounded by the retry budget.
func listAll[T any](ctx context.Context, c *Client, r request, pageSize int) ([]T, error) {
	return listUntil(ctx, c, r, pageSize, func([]T) bool { return false })
}

// listUntil reads a list as listAll does, but only until a page was enough.
func listUntil[T any](ctx context.Context, c *Client, r request, pageSize int, enough func([]T) bool) ([]T, error) {
	r.maxAnswer = maxPage
	r.query = withQuery(r.query, "limit", strconv.Itoa(pageSize))
	var all []T
	seen := map[string]bool{}
	start := time.Now()
	for pages := 1; ; pages++ {
		got, err := c.withRetries(ctx, c.admin(r), c.options.RetryBudget)
		if err != nil {
			return nil, err
		}
		p, err := decode[page[T]](r.op, got)
		switch {
		case err != nil:
			return nil, err
		case p.Items == nil:
			return nil, malformed(r.op, got.status, "a page without items")
		case seen[p.Next]:
			return nil, malformed(r.op, got.status, "the cursor repeats")
		}
		all = append(all, *p.Items...)
		if len(*p.Items) == 0 || p.Next == "" || enough(*p.Items) {
			return all, nil
		}
		if took := time.Since(start); pages >= maxPages || took > maxListTime {
			return nil, malformed(r.op, got.status, fmt.Sprintf(
				"the list does not end: %d pages with %d items in %s, and a cursor to another one",
				pages, len(all), took.Round(time.Second)))
		}
		seen[p.Next] = true
		r.query = withQuery(r.query, "starting_after", p.Next)
	}
}

func withQuery(q url.Values, name, value string) url.Values {
	q = maps.Clone(q)
	if q == nil {
		q = url.Values{}
	}
	q.Set(name, value)
	return q
}
