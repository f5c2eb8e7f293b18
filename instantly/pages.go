package instantly

import (
	"context"
	"maps"
	"net/url"
	"strconv"
)

// maxPages ends a list that does not end: with 100 items a page it is more than
// any workspace has.
const maxPages = 1000

// page is what the API's lists answer with (vendor's OpenAPI file). The cursor
// is a UUID, a time or an e-mail address, depending on the list: opaque.
type page[T any] struct {
	Items *[]T   `json:"items"`
	Next  string `json:"next_starting_after"`
}

// listAll reads a list to its end, or fails: it never gives a part. The end is
// a page without a cursor, or one without items: the vendor's starter kit warns
// that the last page with items can still carry a cursor.
func listAll[T any](ctx context.Context, c *Client, r request, pageSize int) ([]T, error) {
	r.maxAnswer = maxPage
	r.query = withQuery(r.query, "limit", strconv.Itoa(pageSize))
	var all []T
	seen := map[string]bool{}
	for range maxPages {
		got, err := c.repeat(ctx, c.admin(r), c.options.RetryBudget)
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
		if len(*p.Items) == 0 || p.Next == "" {
			return all, nil
		}
		seen[p.Next] = true
		r.query = withQuery(r.query, "starting_after", p.Next)
	}
	return nil, malformed(r.op, 0, "the list does not end")
}

func withQuery(q url.Values, name, value string) url.Values {
	q = maps.Clone(q)
	if q == nil {
		q = url.Values{}
	}
	q.Set(name, value)
	return q
}
