//go:build linux && amd64

package crash

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// The sinks: one tells which key it has, the other one does not.
const (
	telling   = "telling"
	untelling = "untelling"
)

const labelOfSinks = "sink "

// scenesOfSinks are a rotation of a key that two sinks are given besides; the end of the old
// key, before which they are asked; and what is done about one that a person has set back to
// the old key when its grace period was just over.
func scenesOfSinks() []scene {
	sc := scene{born: (*world).supplied, row: "sinks", kinds: []string{"file"}, chosen: ofSinks}
	given, ended, back := sc, sc, sc
	ended.meets, back.meets = fewFaultsOfSinks, fewFaultsOfSinks
	given.name, given.args, given.meanwhile = "rotation with sinks", rotation(), [][]string{rotation(), nil, dueNow()}
	// Without a rotation besides: by the key list that the late one has read, a key that is gone
	// by then was issued minutes from now at the latest, and its receipt counts from there.
	ended.name, ended.args, ended.meanwhile = "end of the old key with sinks", dueNow(), [][]string{dueNow()}
	ended.before = func(w *world) {
		w.mustRun(rotation()...)
		w.passGrace()
		time.Sleep(time.Second) // the receipt may be written late
	}
	back.name, back.args, back.meanwhile = "sink set back by hand", dueNow(), [][]string{dueNow(), nil, dueNow()}
	back.before = func(w *world) {
		old := w.sinks.given()[telling]
		ended.before(w)
		w.sinks.set(telling, old)
	}
	return []scene{given, ended, back}
}

// ofSinks gives the calls to the sinks, the writing of the receipt, and the end of a key:
// other scenes have the others.
func ofSinks(all []call) (kept []call) {
	after := false
	for _, c := range withEffect(all) {
		put := strings.HasPrefix(c.label, labelOfSinks+"PUT")
		if after = after || put; after && strings.HasPrefix(c.label, "rename to ") ||
			strings.HasPrefix(c.label, labelOfSinks) || strings.HasPrefix(c.label, "instantly DELETE") {
			kept = append(kept, c)
		}
	}
	return kept
}

// fewFaultsOfSinks leaves out a crash before a call, which is one after the call before it,
// and what the end of a key meets in other scenes.
func fewFaultsOfSinks(c call, col column) bool {
	return col.name == "killed after" || col.name != "killed before" && strings.HasPrefix(c.label, labelOfSinks)
}

// sinks is the service that both are at.
type sinks struct {
	judge *judge
	// notes are those of the primary store.
	notes func() (secretstore.Notes, error)

	mu   sync.Mutex
	has  map[string]supplied // by sink
	hand bool                // a person has changed one
}

// supplied is what a sink was given: a text that ends in the key's id, and the key.
type supplied struct{ Comment, Value string }

// supplied gives the target two sinks, and the stores their first key.
func (w *world) supplied() {
	w.Helper()
	w.sinks = &sinks{judge: w.judge, notes: w.notes, has: map[string]supplied{}}
	w.judge.sinks = w.sinks
	at := storetest.HTTPService{Interceptor: w.interceptor, Label: labelOfSink, Service: w.sinks, Refuse: refuseAsInstantly}.Serve(w.T)
	const body = `'{"value": "{key}", "comment": "key-id {id}"}'`
	w.more = fmt.Sprintf(`sinks:
  %s: {kind: http, url: "%s/%[1]s", body: %[3]s, holds_url: "%[2]s/%[1]s", holds_at: /comment}
  %[4]s: {kind: http, url: "%[2]s/%[4]s", body: %[3]s}
`, telling, at, body, untelling)
	target := strings.TrimSuffix(inBothStores(), "}") + fmt.Sprintf(", sinks: [{sink: %s}, {sink: %s}]}", telling, untelling)
	w.configure(keyInEnvironment, target)
	w.firstKey()
}

func labelOfSink(r *http.Request, _ []byte) string {
	return labelOfSinks + r.Method + " " + r.URL.Path[1:]
}

// ServeHTTP implements [http.Handler].
func (s *sinks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[1:]
	var now supplied
	if r.Method == http.MethodGet {
		s.mu.Lock()
		now = s.has[name]
		s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]string{"comment": now.Comment})
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&now); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.judge.supply(name, now.Value)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.has[name] = now
}

// set is what a person does: the service keeps what it was told of the value before.
func (s *sinks) set(name string, to supplied) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.has[name], s.hand = to, true
}

func (s *sinks) given() map[string]supplied {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.has)
}

// serves gives what consumers read, who may read it in a sink.
func (w *world) serves() map[string]map[string]string {
	all := w.site.serves()
	if w.sinks != nil {
		has := w.sinks.given()
		for _, name := range []string{telling, untelling} {
			all["sink "+name] = map[string]string{"users": has[name].Value}
		}
	}
	return all
}

// notes reads those of store a.
func (w *world) notes() (secretstore.Notes, error) {
	files, err := filepath.Glob(filepath.Join(w.dir, "stores", "*", inA, "state.json"))
	if err != nil || len(files) != 1 {
		return secretstore.Notes{}, err
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return secretstore.Notes{}, err
	}
	var notes secretstore.Notes
	err = json.Unmarshal(text, &notes)
	return notes, err
}

// supply checks at the instant before a sink takes a value that every store gives it.
func (j *judge) supply(name, value string) {
	j.check("a call to a sink")
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, p := range places() {
		for reader, now := range j.current {
			if isOf(reader, p.Store) && now != value {
				j.violate("sinks: %s is given a key that is not what %s gives", name, reader)
			}
		}
	}
}

// receipted checks that the receipt tells of no sink that does not have the key; the caller
// holds the lock. It is read before the sinks are.
func (j *judge) receipted(after string) {
	if j.sinks == nil {
		return
	}
	const mark = 7 // characters of a receipt for each sink
	notes, err := j.sinks.notes()
	if err != nil {
		j.violate("sinks: after %s the receipt cannot be read: %v", after, err)
		return
	}
	have, r := 0, notes.Receipt
	for _, now := range j.sinks.given() {
		if now.Comment == "key-id "+r.KeyID {
			have++
		}
	}
	if told := len(r.Sinks) / mark; told > have && !j.sinks.hand && j.isCurrent(r.KeyID) {
		j.violate("sinks: after %s the receipt tells of %d sinks with key %s, which %d have", after, told, r.KeyID, have)
	}
}

// isCurrent tells whether every store gives the key: until then a receipt is of the one before.
func (j *judge) isCurrent(id string) bool {
	for reader, value := range j.current {
		for _, p := range places() {
			if isOf(reader, p.Store) && j.idOf(value) != id {
				return false
			}
		}
	}
	return true
}
