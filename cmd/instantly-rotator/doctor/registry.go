package doctor

import (
	"errors"
	"fmt"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
)

// Check judges one kind of thing.
type Check struct {
	// ID is stable: scripts and people refer to it.
	ID string
	// Finds says what it looks at, in half a sentence.
	Finds string
	// judge gives a finding for each thing that it looks at, good ones included. It
	// is pure.
	judge func(Facts) []Finding
}

// Checks lists all of them. A new one is a function, and a line here.
func Checks() []Check {
	return []Check{
		{"configuration", "what the configuration may not have been meant to say", configuration},
		{"instantly", "Instantly answers, and the workspace has a plan", instantlyAnswers},
		{"admin-key", "the admin key is where it should be, and is accepted", adminKey},
		{"admin-key-create", "the admin key may create keys", mayCreate},
		{"admin-key-delete", "the admin key may delete keys", mayDelete},
		{"admin-key-scopes", "the admin key may do no more than it must", adminScopes},
		{"admin-key-webhooks", "the admin key may switch the webhooks whose secrets are targets", webhookScopes},
		{"admin-key-kept", "the admin key is rotated, and kept where it can be", adminKeyKept},
		{"organization", "the organization is the one that is pinned", organization},
		{"rate-limit", "other programs leave some of the workspace's budget", rateLimit},
		{"secret-file", "files with a secret in them are nobody else's to read or write", secretFile},
		{"store", "every secret can be reached in its stores", storeReached},
		{"store-lost", "a store that holds nothing is a new one, and not the place where one was", storeLost},
		{"store-read", "what consumers read can be read", storeRead},
		{"store-write", "a rotation may write what it has to, and there is room for it", storeWrite},
		{"store-advice", "what else is to be known of a secret", storeAdvice},
		{"unknown-origin", "no store holds a value that the rotator did not put there, or that does not work", unknownOrigin},
		{"current-key", "Instantly knows the keys that consumers hold", currentKey},
		{"clock", "the clock agrees with Instantly's and the stores'", clocks},
		{"notify", "every receiver's URL is there, and is one", receivers},
		{"sink", "every sink can be asked, and nothing that can be known without a write is in its way", sinkAsked},
		{"webhook-secret", "webhooks send what the rotator knows, so that it can replace it", webhookSecrets},
		{"hook", "what brings consumers to a new key is there", hooks},
		{"trail", "the trail can be written, so that what is done can be recorded", trailWritten},
		{"probe-keys", "no key is left over from doctor --probe", probeKeys},
	}
}

func good(about, text string) Finding {
	return Finding{Level: Good, About: []string{about}, Text: text}
}

func bad(about, text, remedy string) Finding {
	return Finding{Level: Bad, About: []string{about}, Text: text, Remedy: remedy}
}

func advice(about, text, remedy string) Finding {
	return Finding{Level: Advice, About: []string{about}, Text: text, Remedy: remedy}
}

func hidden(about, text, remedy string) Finding {
	return Finding{Level: Hidden, About: []string{about}, Text: text, Remedy: remedy}
}

// follows is for what could not be looked at because of something that is told elsewhere.
func follows(about string) Finding {
	return Finding{Level: Hidden, About: []string{about}, Text: ErrNotAsked.Error() + ": see what is said of it before", Follows: true}
}

// judged is the finding for an error: none is good, and what was not answered says
// nothing. The target is for the remedy.
func judged(about, target string, err error) Finding {
	switch {
	case err == nil:
		return good(about, "")
	case errors.Is(err, ErrNotAsked):
		return follows(about)
	case errors.Is(err, ErrNotAnswered):
		return hidden(about, err.Error(), "")
	default:
		return bad(about, err.Error(), remedy.For(err, target))
	}
}

func workspaceNamed(name string) string { return "workspace " + name }

func (s Secret) about() string {
	return fmt.Sprintf("store %s, secret %s", s.Ref.Store, s.Ref.Secret)
}

func (h Hook) about() string { return h.Target + ": " + h.Name }
