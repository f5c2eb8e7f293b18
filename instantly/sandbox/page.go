package sandbox

import (
	"net/url"
	"sort"
	"strconv"
)

// listBody is the shape of every list: no cursor at the end (OpenAPI file).
type listBody struct {
	Items any    `json:"items"`
	Next  string `json:"next_starting_after,omitempty"`
}

// walk says which part of a list is wanted.
type walk struct {
	after  int // sequence number of the last item seen; none if negative
	limit  int
	newest bool // newest first
}

// pageOf walks over items, which are in order of their sequence numbers, and
// gives at most w.limit of those to keep, and whether there are more.
func pageOf[T any](items []T, seq func(T) int, keep func(T) bool, w walk) (page []T, more bool) {
	at, step := 0, 1
	if w.after >= 0 {
		at = sort.Search(len(items), func(i int) bool { return seq(items[i]) > w.after })
	}
	if w.newest {
		at, step = len(items)-1, -1
		if w.after >= 0 {
			at = sort.Search(len(items), func(i int) bool { return seq(items[i]) >= w.after }) - 1
		}
	}
	page = []T{}
	for ; at >= 0 && at < len(items); at += step {
		if !keep(items[at]) {
			continue
		}
		if len(page) == w.limit {
			return page, true
		}
		page = append(page, items[at])
	}
	return page, false
}

// nextCursor is the cursor of a page whose last item is last; asked is the
// cursor it was asked with. A page without items has none, whatever the faults:
// an empty page is the end (vendor's starter kit).
func nextCursor(last string, more bool, asked string, f Faults) string {
	switch {
	case last == "":
		return ""
	case f.RepeatCursor && asked != "":
		return asked
	case more || f.CursorOnLastPage:
		return last
	default:
		return ""
	}
}

// readLimit reads the query parameter limit, from 1 to most. Without it a page
// has standard items; what the vendor's default is, is undocumented.
func readLimit(query url.Values, standard, most int) (limit int, wrong string) {
	text := query.Get("limit")
	if text == "" {
		return standard, ""
	}
	limit, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, "querystring/limit must be integer"
	case limit < 1:
		return 0, "querystring/limit must be >= 1"
	case limit > most:
		return 0, "querystring/limit must be <= " + strconv.Itoa(most)
	default:
		return limit, ""
	}
}
