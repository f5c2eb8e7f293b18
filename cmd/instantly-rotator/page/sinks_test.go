package page_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/page"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// placeOf is a target's place in a sink.
func placeOf(sink, target string) (place, name string) {
	place = "acme/" + target + "/INSTANTLY_API_KEY"
	return place, sink + ":" + place
}

// supplies has a target's key go to a sink too, which is as told.
func (s *scene) supplies(sink, target string, o rotator.TargetStatus, is rotator.SinkStatus, what, cause error) {
	place, name := placeOf(sink, target)
	for i := range s.policies {
		if p := &s.policies[i]; p.Target == target {
			p.Places = append(p.Places, page.Place{Name: "sink " + sink, Secret: place, Sink: name})
		}
	}
	is.Name, is.Err = name, cause
	o.Sinks = append(o.Sinks, is)
	var err error
	if what != nil {
		err = fmt.Errorf("sink %s: %w: it has key %s: %w", name, what, is.KeyID, cause)
		o.Next = rotator.Step{Verb: rotator.Stop, Err: err, Reason: err.Error()}
	}
	s.put(target, now().Add(-time.Minute), o, err)
}

// sinkScenes are those of sinks, by name.
func sinkScenes() map[string]*scene {
	waiting := func(name string) rotator.TargetStatus { return inGrace(name, now().Add(-2*day), now().Add(-day)) }
	behind := newScene("billing", "reporting", "sending", "zapier")
	for _, name := range []string{"reporting", "sending"} {
		place, _ := placeOf("github", name)
		refused := fmt.Errorf("PUT /repos/%s at api.github.com: %w: 403", place, secretstore.ErrDenied)
		behind.supplies("github", name, waiting(name), rotator.SinkStatus{KeyID: keyOf(name, 1)}, rotator.ErrSinkBehind, refused)
	}
	behind.supplies("composio", "zapier", waiting("zapier"), rotator.SinkStatus{KeyID: keyOf("zapier", 2), Current: true, Unproven: true},
		rotator.ErrSinkNotYet, errors.New("the tool INSTANTLY_LIST_CAMPAIGNS failed"))
	behind.supplies("n8n", "billing", healthy("billing"), rotator.SinkStatus{KeyID: keyOf("billing", 2), Current: true}, nil, nil)

	left := newScene("sending")
	left.supplies("github", "sending", with(inGrace("sending", now().Add(-16*time.Minute), time.Time{}), func(o *rotator.TargetStatus) {
		o.Incident = secretstore.Incident{ID: "INC-204 laptop stolen", At: now().Add(-21 * time.Minute)}
		o.Old = []rotator.OldKey{{ID: keyOf("sending", 1), Unlisted: true}}
	}), rotator.SinkStatus{KeyID: keyOf("sending", 1)}, rotator.ErrSinkBehind, errors.New("it does not answer"))
	return map[string]*scene{"sinks behind": behind, "sink left behind in an incident": left}
}

// TestSinksThatHaveNotMovedAreSaid: which, what they have instead, and why; those that share
// a cause are told once, with the command that tries again.
func TestSinksThatHaveNotMovedAreSaid(t *testing.T) {
	c := remedy.Program + " -c " + configFile
	h := sinkScenes()["sinks behind"].site()
	_, body := get(t, h, "/")
	for _, text := range []string{
		"All consumers hold working keys: <strong>not known", // what uses zapier's
		"Sink github: it is not known to have the current key <span class=\"dim\">2 targets",
		"Sink composio: what uses it is not known to work with the current key: the tool INSTANTLY_LIST_CAMPAIGNS failed",
		"<code>" + c + " rotate --due reporting sending</code>",
		"<code>" + c + " rotate --due zapier</code>",
		"sink github:acme/sending/INSTANTLY_API_KEY does not have the current key, but " + keyOf("sending", 1) + ": PUT /repos/acme/sending/INSTANTLY_API_KEY",
		"sink composio:acme/zapier/INSTANTLY_API_KEY has the current key, and what uses it is not known to work with that",
		"the current key is not in every place yet",
		`<span class="state bad">trouble</span> <b>Sink github</b>`,
		`<span class="state good">ok</span> <b>Sink n8n</b>`,
	} {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q:\n%s", text, body)
		}
	}
	_, unmoved, _ := strings.Cut(body, `id="unmoved"`)
	unmoved, _, _ = strings.Cut(unmoved, "</section>")
	if n := strings.Count(unmoved, "<li>"); n != 3 || strings.Contains(unmoved, "billing") {
		t.Errorf("%d are told not to have moved:\n%s", n, unmoved)
	}
	_, body = get(t, h, "/target/sending")
	if want := `<span class="state warn">not moved</span> <b>sink github</b> acme/sending/INSTANTLY_API_KEY <span>does not have the current key, but `; !strings.Contains(body, want) {
		t.Errorf("the target's page does not say %q:\n%s", want, body)
	}
	_, body = get(t, h, "/target/billing")
	if want := `<span class="state good">current</span> <b>sink n8n</b> acme/billing/INSTANTLY_API_KEY <span>has the current key<`; !strings.Contains(body, want) {
		t.Errorf("the target's page does not say %q:\n%s", want, body)
	}
}

// TestAKeyThatWasRevokedInASinkIsNotCalledWorking: in an incident nobody waits for sinks.
func TestAKeyThatWasRevokedInASinkIsNotCalledWorking(t *testing.T) {
	_, body := get(t, sinkScenes()["sink left behind in an incident"].site(), "/")
	for _, text := range []string{
		"All consumers hold working keys: <strong>no<",
		"sending: sink github:acme/sending/INSTANTLY_API_KEY has key " + keyOf("sending", 1) + ", which is revoked",
		"the old key is revoked without waiting for the sink", "1 of 1",
	} {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q:\n%s", text, body)
		}
	}
	if strings.Contains(body, "lives on until") {
		t.Errorf("the page says that the old key lives:\n%s", body)
	}
}

// TestAnAuditorTakesAlongWhereKeysGoAndWhatHasNotMoved: sinks are places too.
func TestAnAuditorTakesAlongWhereKeysGoAndWhatHasNotMoved(t *testing.T) {
	h := sinkScenes()["sinks behind"].site()
	_, body := get(t, h, "/download/keys.json")
	var got struct {
		Keys []struct {
			Target   string   `json:"target"`
			Places   []string `json:"places"`
			NotMoved []string `json:"not_moved"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Keys) != 4 {
		t.Fatalf("%v in %s", err, body)
	}
	_, text := get(t, h, "/download/keys.csv")
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) != 5 {
		t.Fatalf("%v in %s", err, text)
	}
	last := len(lines[0]) - 1
	for i, k := range got.Keys {
		moved := k.Target == "billing"
		if place := k.Places[len(k.Places)-1]; !strings.HasPrefix(place, "sink ") || !strings.HasSuffix(place, " acme/"+k.Target+"/INSTANTLY_API_KEY") {
			t.Errorf("the last place of %s is %q", k.Target, place)
		}
		if moved != (len(k.NotMoved) == 0) || !moved && !strings.HasPrefix(k.NotMoved[0], "sink ") {
			t.Errorf("of %s it is said: %q", k.Target, k.NotMoved)
		}
		if lines[0][last] != "not_moved" || lines[i+1][last] != strings.Join(k.NotMoved, "; ") {
			t.Errorf("the table says of %s: %q", k.Target, lines[i+1])
		}
	}
}
