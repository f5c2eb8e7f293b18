// Package adoption is the typed picture of which keys made by hand are in which targets'
// stores, and of what came of taking them over. It holds no secrets.
package adoption

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Result is how far a target has come.
type Result string

// The results.
const (
	Proposed Result = "proposed" // it can be taken over
	Adopted  Result = "adopted"
	Managed  Result = "managed" // its key is on record already
	Empty    Result = "empty"   // its store holds no value yet
	Refused  Result = "refused" // it cannot be taken over: Error says why
	Failed   Result = "failed"  // it was tried
)

// Target is one target's part.
type Target struct {
	Target string `json:"target"`
	Store  string `json:"store"`
	Result Result `json:"result"`
	// Version is what the store calls its current value.
	Version string `json:"version,omitempty"`
	// Key that the value is, and Evidence how that is known: value, scopes, word, shared.
	Key        *Key                `json:"key,omitempty"`
	Evidence   secretstore.Adopted `json:"evidence,omitempty"`
	SharedWith []string            `json:"shared_with,omitempty"`
	// NextRotation is when the key falls due; Surprise why a run would rotate it at once.
	NextRotation *time.Time `json:"next_rotation,omitempty"`
	Surprise     string     `json:"surprise,omitempty"`
	// Candidates are the keys that it can be, where it is not known which.
	Candidates []Key    `json:"candidates,omitempty"`
	Error      string   `json:"error,omitempty"`
	Hints      []string `json:"hints,omitempty"`
	// Sent: it is no key, but a secret that webhooks send; SendsPrevious: and some send the
	// previous value of the store.
	Sent          bool `json:"sent,omitempty"`
	SendsPrevious bool `json:"sends_previous,omitempty"`
}

// Key is one as the key list has it.
type Key struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Scopes     []string   `json:"scopes"`
	Created    *time.Time `json:"created,omitempty"`
	AgeSeconds int64      `json:"age_seconds,omitempty"`
}

func keyOf(k rotator.Key, now time.Time) Key {
	out := Key{ID: k.ID, Name: k.Name, Scopes: strings.Split(string(k.Spec), ","), Created: humantime.Optional(k.Created)}
	if !k.Created.IsZero() {
		out.AgeSeconds = max(0, int64(now.Sub(k.Created)/time.Second))
	}
	return out
}

// Of draws the picture of a proposal at now.
func Of(p rotator.Proposal, now time.Time) Target {
	t := Target{Target: p.Target, Store: p.Store, Version: p.Version, SharedWith: p.Shared}
	for _, k := range p.Candidates {
		t.Candidates = append(t.Candidates, keyOf(k, now))
	}
	switch {
	case p.Managed && p.Err == nil:
		t.Result = Managed
	case p.Managed:
		t.Result, t.Error = Refused, p.Err.Error()
		t.Hints = []string{"a record is not corrected: instantly-rotator rotate " + p.Target +
			" replaces the value; then make sure which key it was, and revoke that one yourself in Instantly under Settings > Integrations > API Keys"}
	case p.Version == "" && errors.Is(p.Err, rotator.ErrNotAdopted):
		t.Result, t.Error = Empty, p.Err.Error()
	case p.Adoption == nil:
		t.Result, t.Error = Refused, p.Err.Error()
		if errors.Is(p.Err, rotator.ErrNotAdopted) { // else nothing is known of the value
			t.Hints = refusalHints(t)
		}
	default:
		key := keyOf(p.Adoption.Key, now)
		t.Result, t.Key, t.Evidence = Proposed, &key, p.Adoption.How
		t.NextRotation = humantime.Optional(p.Next)
		t.Surprise, t.Hints = surprise(p, now), hints(p, now)
	}
	return t
}

// surprise says why the next run would rotate the key at once.
func surprise(p rotator.Proposal, now time.Time) string {
	switch {
	case p.OtherSpec:
		return "the configuration asks for other scopes than the key has"
	case !p.Next.IsZero() && !p.Next.After(now):
		return p.Why + " since " + humantime.Stamp(p.Next)
	}
	return ""
}

func hints(p rotator.Proposal, now time.Time) []string {
	var said []string
	key := p.Adoption.Key
	if why := surprise(p, now); why != "" {
		said = append(said, "the next run rotates it at once: "+why)
	}
	if p.OtherSpec {
		where := "the configuration"
		if p.Credential {
			where = "admin_key.rotate of workspace " + p.Workspace
		}
		said = append(said, "to keep the key until it falls due, write what it has into "+where+": scopes: ["+strings.ReplaceAll(string(key.Spec), ",", ", ")+"]")
	}
	switch p.Adoption.How {
	case rotator.AdoptedByWord:
		said = append(said, "nothing shows that the value is this key's, so the rotator will never revoke it: when it was replaced, you are told to")
	case rotator.AdoptedShared:
		said = append(said, fmt.Sprintf("%s has the same key, so the rotator will never revoke it: give each a key of its own: instantly-rotator rotate %s",
			strings.Join(p.Shared, ", "), strings.Join(p.Shared, " ")))
	}
	return said
}

// mostCandidates is how many of them one reads.
const mostCandidates = 5

func refusalHints(t Target) []string {
	var said []string
	for _, k := range t.Candidates[:min(mostCandidates, len(t.Candidates))] {
		said = append(said, "it can be "+k.Describe())
	}
	if n := len(t.Candidates) - mostCandidates; n > 0 {
		said = append(said, fmt.Sprintf("or one of %d more: -o json has all", n))
	}
	switch len(t.Candidates) {
	case 0:
	case 1:
		said = append(said, "if you know that it is: instantly-rotator adopt "+t.Target+" --key-id "+t.Candidates[0].ID+" --i-know")
	default:
		said = append(said, "if you know which: instantly-rotator adopt "+t.Target+" --key-id ID --i-know")
	}
	return append(said, "to replace it by a key of its own: instantly-rotator rotate "+t.Target)
}

// Describe says it in one line.
func (k Key) Describe() string {
	made := ""
	if k.Created != nil {
		made = ", made " + humantime.Stamp(*k.Created)
	}
	return fmt.Sprintf("key %s (%s%s; %s)", k.ID, k.Name, made, strings.Join(k.Scopes, ", "))
}
