package instantly

import (
	"context"
	"net/http"
	"time"
)

// BlockListEntry is an address or a domain that the workspace never writes to.
type BlockListEntry struct {
	ID           string // empty if it cannot be one
	Value        string // an e-mail address or a domain
	IsDomain     bool
	Organization string
	Created      time.Time
}

// BlockList lists what the workspace never writes to. It is all pages or an
// error. Needs block_list_entries:read.
func (c *Client) BlockList(ctx context.Context) ([]BlockListEntry, error) {
	// The path is spelt so in the vendor's OpenAPI file.
	r := request{op: "read the block list", method: http.MethodGet, route: "/block-lists-entries"}
	answers, err := listAll[struct {
		ID           string      `json:"id"`
		Value        string      `json:"bl_value"`
		IsDomain     bool        `json:"is_domain"`
		Organization string      `json:"organization_id"`
		Created      lenientTime `json:"timestamp_created"`
	}](ctx, c, r, itemsPerPage)
	if err != nil {
		return nil, err
	}
	entries := make([]BlockListEntry, 0, len(answers))
	for _, e := range answers {
		entries = append(entries, BlockListEntry{
			ID: idOrNone(e.ID), Value: e.Value, IsDomain: e.IsDomain,
			Organization: e.Organization, Created: e.Created.Time,
		})
	}
	return entries, nil
}
