package audit

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func blk01() Check {
	return Check{
		ID: "BLK-01", Title: "What is to be blocked is on the block list",
		Why:   "Mail to customers and friends that goes out once does not come back.",
		judge: unblocked,
		unless: func(f *Facts) string {
			if len(f.Config.Audit.BlockList) == 0 {
				return "audit.block_list in the configuration"
			}
			return ""
		},
	}
}

func unblocked(f *Facts) []Finding {
	var all []Finding
	for i := range f.Workspaces {
		w := &f.Workspaces[i]
		entries, err := w.Blocked.Get()
		if err != nil {
			all = append(all, w.unreadable("its block list", "block_list_entries:read", err))
			continue
		}
		for _, wanted := range f.Config.Audit.BlockList {
			if !blocks(entries, wanted) {
				all = append(all, Finding{Severity: Medium, Workspace: w.Name, Subject: "block list entry " + wanted, Text: "it is not on the block list", Remedy: "add " + wanted + " to the block list in Instantly"})
			}
		}
	}
	return all
}

// blocks tells whether an address or a domain is on the list; a domain blocks its
// addresses.
func blocks(entries []instantly.BlockListEntry, wanted string) bool {
	_, domain, _ := strings.Cut(wanted, "@")
	for _, e := range entries {
		if value := strings.ToLower(e.Value); value == wanted || (domain != "" && value == domain) {
			return true
		}
	}
	return false
}
