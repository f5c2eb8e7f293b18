package simulation

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// key is one at Instantly, as the judge knows it.
type key struct {
	number    int // in the order in which they were made
	id, value string
	target    string // whose it is by its name; empty if it is not ours
	foreign   bool
	byHand    bool // deleted by a person, or made current by one in the instant of its end
	created   time.Time
	deleted   time.Time
	proven    time.Time // when it last was found to work
	displaced time.Time // when it was current for the last time
	setBack   setBack
}

// setBack is when a person had a sink have a key again, which was made good.
type setBack struct {
	sink      string
	call      int       // in which it was
	displaced time.Time // when the key was current for the last time before
}

// keys are all that were ever made.
type keys struct {
	world   *world
	byID    map[string]*key
	byValue map[string]*key
	counted map[int]int // by workspace: how many are known
}

func newKeys(w *world) *keys {
	return &keys{world: w, byID: map[string]*key{}, byValue: map[string]*key{}, counted: map[int]int{}}
}

func (ks *keys) of(value string) *key { return ks.byValue[value] }

func (ks *keys) add(record sandbox.KeyRecord) *key {
	if k, known := ks.byID[record.ID]; known {
		return k
	}
	k := &key{number: len(ks.byID) + 1, id: record.ID, value: record.Value.Reveal(), created: record.Created}
	if target, ours := isOurs(record.Name); ours {
		k.target = target
	}
	ks.byID[k.id], ks.byValue[k.value] = k, k
	return k
}

// learn takes up the keys that were made in a workspace.
func (ks *keys) learn(workspace int) (made []*key) {
	for _, record := range ks.world.box.Keys(workspaceID(workspace)) {
		if _, known := ks.byID[record.ID]; !known {
			k := ks.add(record)
			k.foreign = k.target == ""
			made = append(made, k)
		}
	}
	return made
}

// name calls a value by its key.
func (ks *keys) name(value string) string {
	if k := ks.of(value); k != nil {
		return fmt.Sprint("key ", k.number)
	}
	return "no key"
}

// numbered gives a text with the keys' numbers in the place of their ids, which
// are random.
func (ks *keys) numbered(text string) string {
	for id, k := range ks.byID {
		text = strings.ReplaceAll(text, id, fmt.Sprint("key ", k.number))
	}
	return text
}

// byAdmin tells whether a request is made with an admin key, and is no test call.
func (ks *keys) byAdmin(r *http.Request) bool {
	k := ks.of(bearer(r))
	return k == nil || k.target == "" && strings.HasPrefix(r.URL.Path, "/api/v2/api-keys")
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// label says what a request is, with keys by their numbers: so a world takes the
// same course again although ids are random.
func (ks *keys) label(r *http.Request) string {
	path, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v2/"), "/")
	if k := ks.byID[id]; k != nil {
		path += fmt.Sprint("/", k.number)
	} else if hook, action, _ := strings.Cut(id, "/"); path == "webhooks" && id != "" && ks.world.senders != nil {
		path = strings.TrimSuffix(path+"/"+ks.world.senders.numbered(hook)+"/"+action, "/")
	} else if id != "" {
		path += "/?"
	}
	by := "admin"
	if k := ks.of(bearer(r)); k != nil {
		by = fmt.Sprint("key ", k.number)
	}
	return fmt.Sprintf("%s %s by %s", r.Method, path, by)
}

// judgeError: an error has no value in it (rule 6).
func (ks *keys) judgeError(e rotator.Event) {
	if e.Err == nil {
		return
	}
	text := e.Err.Error()
	for value, k := range ks.byValue {
		if strings.Contains(text, value) {
			ks.world.violate("rule 6: the error of a %s has the value of key %d in it", e.Verb, k.number)
		}
	}
}
