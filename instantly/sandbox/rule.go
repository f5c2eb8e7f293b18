package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Moment is when a rule fails a call.
type Moment string

// Before the effect nothing has changed yet; after it only the answer is lost
// or spoilt. To the client both look the same.
const (
	Before Moment = "before"
	After  Moment = "after"
)

// Kind is what a rule does to a call.
type Kind string

// The kinds of faults.
const (
	// KindDrop closes the connection without an answer.
	KindDrop Kind = "drop"
	// KindHang keeps the caller waiting for Rule.For, or until it gives up if
	// that is zero, and then closes the connection.
	KindHang Kind = "hang"
	// KindDelay waits for Rule.For and goes on as if nothing had been.
	KindDelay Kind = "delay"
	// KindStatus answers with Rule.Status, Rule.Body and Rule.Header.
	KindStatus Kind = "status"
	// KindTruncated closes the connection in the middle of the body.
	KindTruncated Kind = "truncated"
	// KindHuge answers with a JSON document of 32 MiB.
	KindHuge Kind = "huge"
	// KindNotJSON answers with a page of HTML.
	KindNotJSON Kind = "not_json"
	// KindWrongType answers with JSON whose fields have the wrong types.
	KindWrongType Kind = "wrong_type"
	// KindEmpty answers without a body.
	KindEmpty Kind = "empty"
	// KindErrorInSuccess answers 200 with {"error": "ACC_…"}.
	KindErrorInSuccess Kind = "error_in_success"
	// KindTrickle sends the header at once and then a byte each Rule.For; each
	// second if that is zero. (Within [Transport] all comes when it is complete.)
	KindTrickle Kind = "trickle"
)

// Kinds lists all of them.
func Kinds() []Kind {
	return []Kind{KindDrop, KindHang, KindDelay, KindStatus, KindTruncated,
		KindHuge, KindNotJSON, KindWrongType, KindEmpty, KindErrorInSuccess, KindTrickle}
}

// Rule injects a fault into chosen calls to the API. Every rule counts the calls that match
// it, from its injection on. Where several are due at one call, the one that was
// injected first applies, and the others have missed theirs.
// In JSON For is text as in "1.5s".
type Rule struct {
	// Method to match; any if empty.
	Method string `json:"method"`
	// Route to match, as [Routes] has it ("/api/v2/api-keys/{id}"); any call to
	// the API if empty.
	Route string `json:"route"`
	// Nth matching call is the first to fail, 1 being the next; 1 if 0.
	Nth int `json:"nth"`
	// Times is how many calls in a row fail from there on; 1 if 0, all if
	// negative.
	Times int `json:"times"`
	// When the fault is injected; Before its effect if empty.
	When Moment `json:"when"`
	// Kind of the fault. After the effect, the kinds that spoil the body keep
	// the status of the true answer; before it they answer 200.
	Kind Kind `json:"kind"`
	// Status, 200 to 599, for KindStatus.
	Status int `json:"status"`
	// Body for KindStatus: sent as JSON if it is JSON, else as text/plain. If
	// empty, the API's own body for an error of that status.
	Body string `json:"body"`
	// Header fields for KindStatus.
	Header map[string]string `json:"header"`
	// For is how long KindHang and KindDelay last, and KindTrickle from byte to byte.
	For time.Duration `json:"-"`
}

func (r Rule) withDefaults() Rule {
	r.Nth = cmp.Or(r.Nth, 1)
	r.Times = cmp.Or(r.Times, 1)
	r.When = cmp.Or(r.When, Before)
	return r
}

// Check tells everything that is wrong with the rule; nil if nothing is.
func (r Rule) Check() error {
	r = r.withDefaults()
	var wrong []error
	if !slices.Contains(Kinds(), r.Kind) {
		wrong = append(wrong, fmt.Errorf("kind is %q: one of %q", r.Kind, Kinds()))
	}
	if r.When != Before && r.When != After {
		wrong = append(wrong, fmt.Errorf("when is %q: before or after", r.When))
	}
	if r.Nth < 1 {
		wrong = append(wrong, fmt.Errorf("nth is %d: 1 is the next call", r.Nth))
	}
	if r.Kind == KindStatus && (r.Status < 200 || r.Status > 599) {
		wrong = append(wrong, fmt.Errorf("status is %d: 200 to 599", r.Status))
	}
	if r.Kind != KindStatus && (r.Status != 0 || r.Body != "" || len(r.Header) > 0) {
		wrong = append(wrong, errors.New("status, body and header go with kind status only"))
	}
	if r.For < 0 || r.For > 0 && r.Kind != KindHang && r.Kind != KindDelay && r.Kind != KindTrickle {
		wrong = append(wrong, errors.New("for goes with kinds hang, delay and trickle only, and cannot be negative"))
	}
	if r.Kind == KindDelay && r.For == 0 {
		wrong = append(wrong, errors.New("kind delay needs for"))
	}
	if !r.matchesAny(Routes()) {
		wrong = append(wrong, fmt.Errorf("the sandbox has no route %q %q", r.Method, r.Route))
	}
	return errors.Join(wrong...)
}

func (r Rule) matchesAny(routes []Route) bool {
	return slices.ContainsFunc(routes, func(x Route) bool { return r.matches(x.Method, x.Pattern) })
}

func (r Rule) matches(method, pattern string) bool {
	return (r.Method == "" || r.Method == method) && (r.Route == "" || r.Route == pattern)
}

// plainRule is a Rule without methods; ruleJSON adds the duration as text.
type plainRule Rule

type ruleJSON struct {
	plainRule
	For durationText `json:"for"`
}

// MarshalJSON implements [json.Marshaler].
func (r Rule) MarshalJSON() ([]byte, error) {
	return json.Marshal(ruleJSON{plainRule: plainRule(r), For: durationText(r.For)})
}

// UnmarshalJSON implements [json.Unmarshaler]. It refuses unknown fields.
func (r *Rule) UnmarshalJSON(text []byte) error {
	var read ruleJSON
	if err := decodeStrictly(text, &read); err != nil {
		return fmt.Errorf("read rule: %w", err)
	}
	*r = Rule(read.plainRule)
	r.For = time.Duration(read.For)
	return nil
}

// armedRule is a rule with the number of calls that have matched it.
type armedRule struct {
	Rule
	seen int
}

// count takes notice of a matching call and tells whether the rule applies to it.
// A spent rule must not be asked any more.
func (a *armedRule) count() bool {
	a.seen++
	return a.seen >= a.Nth
}

// spent tells whether the rule has been applied for the last time.
func (a *armedRule) spent() bool { return a.Times >= 0 && a.seen >= a.Nth+a.Times-1 }

// due counts a call for all rules, gives the one that applies to it, nil if none
// does, and the rules that are left.
func due(rules []*armedRule, method, pattern string) (*Rule, []*armedRule) {
	var applies *Rule
	for _, a := range rules {
		if a.matches(method, pattern) && a.count() && applies == nil {
			applies = &a.Rule
		}
	}
	return applies, slices.DeleteFunc(rules, (*armedRule).spent)
}
