package main

import (
	"fmt"
	"strings"
)

// A faultField is a field of what the sandbox is told, or a kind of fault.
type faultField struct{ name, meaning string }

func standingFaults() []faultField {
	return []faultField{
		{"unavailable", "true: 503 to everything"},
		{"rate_limited", "true: 429 to every key that is alive"},
		{"retry_after", `"30s": sent with every 429`},
		{"plan_lapsed", "true: 402 to every key that is alive"},
		{"edge_block", "true: 403 as Cloudflare sends it"},
		{"error_in_success", "true: 200 with an error in the body, and no effect"},
		{"truncate", "true: every body is cut off in the middle"},
		{"latency", `"300ms": of every call`},
		{"lost_create_response", "true: a key is created, its answer is lost"},
		{"create_answer_id", `id that a create answers, not the true one; "other": any`},
		{"activation_delay", `"5s": a new key is refused for that long`},
		{"revocation_delay", `"60s": a deleted key works on for that long`},
		{"delete_not_found", "true: 404 to every deletion, and nothing is deleted"},
		{"delete_body", `of a deletion that succeeds: "object" or "empty"`},
		{"list_key", `values in lists: "full", "masked" or "empty"`},
		{"list_order", `"oldest" or "newest" first`},
		{"page_size", "1 to 100: keys on a page; 10"},
		{"cursor_on_last_page", "true: the last page has a cursor too"},
		{"repeat_cursor", "true: the second page comes again and again"},
		{"endless_list", "true: every page has a cursor"},
		{"strict_scopes", "true: only scopes of the vendor's list are granted"},
		{"ignore_as_workspace", "true: the header x-as-workspace is passed over"},
		{"dead_key_text", "what a key that is not known is told beside 401"},
		{"any_agent", "true: the User-Agents of libraries are let in"},
		{"longest_name", "the most characters of a key's name; 0 is any number"},
		{"audit_log", `"full"; "empty" or "refused": the plan has none`},
		{"patch_headers", `of a webhook: "replace", or "merge" with those it has`},
		{"webhook_headers", `their values: "full", "masked" or "empty"`},
		{"disable_after", "failed deliveries that end a webhook; 0 is any number"},
		{"delivery_delay", `"2s": events wait for that long`},
		{"retry_within", `"3s": time for a delivery's 3 retries; 30s`},
		{"rate_limit_headers", "true: every answer says what is left of the budget"},
	}
}

func injectFields() []faultField {
	return []faultField{
		{"kind", "what happens: see below"},
		{"method, route", `which calls: "POST", "/api/v2/api-keys/{id}"; or any`},
		{"nth", "the first of them that fails; 1 is the next"},
		{"times", "how many in a row; 1, and -1 is all"},
		{"when", `"before" the effect, or "after" it`},
		{"for", `"3s": of the kinds delay, hang and trickle`},
		{"status, body, header", "of the kind status"},
	}
}

func faultKinds() []faultField {
	return []faultField{
		{"drop", "the connection is closed without an answer"},
		{"hang", "no answer, until for is over or the caller gives up"},
		{"delay", "the answer comes after for"},
		{"status", "the answer is this status, body and header"},
		{"truncated", "the body is cut off in the middle"},
		{"trickle", "a byte of the body every for"},
		{"huge", "a body of 32 MiB"},
		{"not_json", "a page of HTML"},
		{"wrong_type", "JSON whose fields have the wrong types"},
		{"empty", "no body"},
		{"error_in_success", "200 with an error in the body"},
	}
}

// faultHelp lists the faults that the sandbox can be told.
func faultHelp() string {
	return "Fields of PUT /_sandbox/faults; what is left out is off:\n\n" + faultTable(standingFaults()) +
		"\nFields of POST /_sandbox/inject:\n\n" + faultTable(injectFields()) +
		"\nKinds:\n\n" + strings.TrimSuffix(faultTable(faultKinds()), "\n")
}

func faultTable(fields []faultField) string {
	var list strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&list, "  %-21s %s\n", f.name, f.meaning)
	}
	return list.String()
}
