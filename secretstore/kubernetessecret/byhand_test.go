package kubernetessecret_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/steps"
)

// rotated is a Secret with current b and previous a.
func rotated(t *testing.T) (*cluster, string, *kubernetessecret.Store) {
	t.Helper()
	c := anyCluster(t)
	name := c.fresh(t)
	s := c.open(t, name)
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"), steps.Staging("b"), steps.Promoting("b"))
	return c, name, s
}

func TestConsumersReadTheKeyAndNothingElseIsTouched(t *testing.T) {
	c := anyCluster(t)
	c.make(t, "sending", `,"type":"example.com/mixed","stringData":{"password":"hunter2"}`)
	c.edit(t, "sending", `{"metadata":{"labels":{"team":"growth"},"annotations":{"note":"mine"}}}`)
	steps.Must(t, c.open(t, "sending"), steps.Staging("a"), steps.Promoting("a"), steps.Staging("b"), steps.Promoting("b"), steps.Staging("c"))
	got := c.secret(t, "sending")
	want := map[string][]byte{
		"password": []byte("hunter2"), "api-key": []byte("value-of-b"),
		"api-key-previous": []byte("value-of-a"), "api-key-pending": []byte("value-of-c"),
	}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if got.Type != "example.com/mixed" || got.Metadata.Labels["team"] != "growth" || got.Metadata.Annotations["note"] != "mine" {
		t.Errorf("type, labels or annotations changed: %+v", got.Metadata)
	}
}

func TestTwoTargetsShareOneSecretUnderTwoKeys(t *testing.T) {
	c := anyCluster(t)
	name := c.fresh(t)
	other := func(o *kubernetessecret.Options) { o.Key = "reporting" }
	one, two := c.open(t, name), c.open(t, name, other)
	seen := steps.Describe(t, one)
	steps.Must(t, two, steps.Staging("x"), steps.Promoting("x"))
	if _, err := steps.Staging("a").Call(t.Context(), one, seen); err != nil {
		t.Errorf("a write of the other target was in the way: %v", err)
	}
	steps.Must(t, one, steps.Promoting("a"))
	steps.WantHeld(t, one, "/a/")
	steps.WantHeld(t, two, "/x/")
	if steps.Describe(t, one).Identity == steps.Describe(t, two).Identity {
		t.Error("both have the same identity")
	}
}

func TestKeyMadeByHandIsTakenOver(t *testing.T) {
	c := anyCluster(t)
	before := time.Now().Add(-time.Second)
	c.make(t, "sending", `,"stringData":{"api-key":"made by hand"}`)
	s := c.open(t, "sending")
	current := steps.Describe(t, s).Versions[secretstore.Current]
	if !current.Foreign || current.Created.Before(before) || time.Since(current.Created) > time.Minute {
		t.Errorf("current is %+v, want a foreign one that was written just now", current)
	}
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
	steps.WantHeld(t, s, "/a/?")
	steps.WantValue(t, s, current.ID, secret.New("made by hand"))
	if got := steps.Describe(t, s).Versions[secretstore.Previous]; got.ID != current.ID || !got.Created.Equal(current.Created) {
		t.Errorf("it was %+v and is %+v", current, got)
	}
}

func TestEmptyPlaceholderIsNoKey(t *testing.T) {
	c := anyCluster(t)
	c.make(t, "sending", `,"stringData":{"api-key":""}`)
	steps.WantHeld(t, c.open(t, "sending"), "//")
}

func TestValuePutByHandIsCurrentAndTheDisplacedKeyKeepsItsRecord(t *testing.T) {
	c := anyCluster(t)
	name := c.fresh(t)
	s := c.open(t, name)
	steps.Must(t, s, steps.Staging("a"), steps.Promoting("a"))
	c.put(t, name, "api-key", "by hand")
	steps.WantHeld(t, s, "/?/a")
	steps.Must(t, s, steps.Annotating("any write")) // which drops nothing that it shows
	steps.WantHeld(t, s, "/?/a")
}

func TestValuePutByHandInAGracePeriodMakesTheDisplacedVersionThePreviousOne(t *testing.T) {
	c, name, s := rotated(t)
	c.put(t, name, "api-key", "by hand")
	steps.WantHeld(t, s, "/?/b")
	steps.Must(t, s, steps.Annotating("any write"))
	steps.WantHeld(t, s, "/?/b")
	if _, left := c.secret(t, name).Data["api-key-previous"]; left {
		t.Error("the value of a version that was forgotten is still there")
	}
}

func TestGoingBackToThePreviousValueMakesThatCurrent(t *testing.T) {
	c, name, s := rotated(t)
	c.put(t, name, "api-key", "value-of-a")
	steps.WantHeld(t, s, "/a/b")
	if v := steps.Describe(t, s).Versions[secretstore.Current]; v.Foreign || !v.Promoted.IsZero() || v.Intent.IsZero() {
		t.Errorf("current is %+v, want a's record, promoted at a time that is not known", v)
	}
	steps.WantValue(t, s, "a", steps.ValueOf("a"))
	_, err := s.Read(t.Context(), "b")
	steps.WantError(t, err, secretstore.ErrNotFound)
	steps.Must(t, s, steps.Promoting("a")) // the engine's repair
	steps.WantHeld(t, s, "/a/b")
	if got := c.secret(t, name).Data["api-key"]; string(got) != "value-of-a" {
		t.Errorf("consumers read %q", got)
	}
}

func TestPendingValueEditedByHandIsNeverPromoted(t *testing.T) {
	c, name, s := rotated(t)
	steps.Must(t, s, steps.Destroying("a"), steps.Staging("c"))
	seen := steps.Describe(t, s)
	c.put(t, name, "api-key-pending", "something else")
	_, err := steps.Promoting("c").Call(t.Context(), s, seen)
	steps.WantError(t, err, secretstore.ErrConflict)
	steps.WantHeld(t, s, "/b/")
	steps.Must(t, s, steps.Annotating("any write"))
	if _, left := c.secret(t, name).Data["api-key-pending"]; left {
		t.Error("the value that nobody knows is still there")
	}
}

func TestCurrentValueTakenAwayIsMissedAtOnce(t *testing.T) {
	c, name, s := rotated(t)
	steps.Must(t, s, steps.Destroying("a"))
	c.put(t, name, "api-key", "")
	steps.WantHeld(t, s, "//b") // so that a rotation is due and b's key keeps its grace
	steps.Must(t, s, steps.Staging("c"), steps.Promoting("c"))
	steps.WantHeld(t, s, "/c/b")
}

func TestCurrentValueTakenAwayInTheGraceOfAnother(t *testing.T) {
	c, name, s := rotated(t)
	c.put(t, name, "api-key", "")
	steps.WantHeld(t, s, "/b/a")
	_, err := s.Read(t.Context(), "b")
	steps.WantError(t, err, secretstore.ErrNotFound)
	if advice := steps.Describe(t, s).Advice; len(advice) != 1 || !strings.Contains(advice[0], "took the current key out") {
		t.Errorf("the advice is %q", advice)
	}
	c.put(t, name, "api-key", "value-of-b")
	c.edit(t, name, `{"immutable":true}`)
	if advice := steps.Describe(t, s).Advice; len(advice) != 1 || !strings.Contains(advice[0], "is immutable") {
		t.Errorf("the advice is %q", advice)
	}
	steps.WantValue(t, s, "b", steps.ValueOf("b"))
}

// TestLostAnnotationCostsARepair has kubectl replace take the annotation away at
// every step of a rotation: what consumers read stays, and nothing that was
// pending is promoted.
func TestLostAnnotationCostsARepair(t *testing.T) {
	for n := range steps.Rotation() {
		c := anyCluster(t)
		name := c.fresh(t)
		s := c.open(t, name)
		steps.Must(t, s, steps.Rotation()[:n+1]...)
		served := c.secret(t, name).Data["api-key"]
		c.wipe(t, name)
		snap := steps.Describe(t, s)
		for stage, v := range snap.Versions {
			if !v.Foreign || stage == secretstore.Pending {
				t.Errorf("after %s: %s is shown as %s", steps.Rotation()[n].Name, v.ID, stage)
			}
		}
		if current, ok := snap.Versions[secretstore.Current]; ok {
			steps.WantValue(t, s, current.ID, secret.New(string(served)))
		} else if len(served) > 0 {
			t.Errorf("after %s: the current value is not shown", steps.Rotation()[n].Name)
		}
		steps.Must(t, s, steps.Annotating("repair"))
		if got := c.secret(t, name); string(got.Data["api-key"]) != string(served) || len(got.Data["api-key-pending"]) > 0 {
			t.Errorf("after %s: the repair left %v", steps.Rotation()[n].Name, got.Data)
		}
	}
}

func TestForeignLeftoversAreDestroyed(t *testing.T) {
	c, name, s := rotated(t)
	c.wipe(t, name)
	steps.WantHeld(t, s, "/?/?")
	steps.Must(t, s, steps.Destroying(steps.Describe(t, s).Versions[secretstore.Previous].ID))
	steps.WantHeld(t, s, "/?/")
	if _, left := c.secret(t, name).Data["api-key-previous"]; left {
		t.Error("its value is still there")
	}
}

// TestCopiedAnnotationIsNotBelieved is for tools that mirror Secrets with all
// that is on them: the copy's rotator must not revoke the original's keys.
func TestCopiedAnnotationIsNotBelieved(t *testing.T) {
	c, name, _ := rotated(t)
	original := c.secret(t, name)
	c.make(t, "copy", "")
	for key, value := range original.Data {
		c.put(t, "copy", key, string(value))
	}
	c.annotate(t, "copy", original.Metadata.Annotations[annotated])
	steps.WantHeld(t, c.open(t, "copy"), "/?/?")
}

func TestSecretMadeAnewIsAnother(t *testing.T) {
	c, name, s := rotated(t)
	before := steps.Describe(t, s)
	c.hand(t, "DELETE", "/"+name, "application/json", "")
	_, err := s.Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrNotFound, "kubectl --namespace "+c.namespace+" create secret generic "+name, "create_missing")
	c.make(t, name, "")
	_, err = steps.Staging("c").Call(t.Context(), s, before)
	steps.WantError(t, err, secretstore.ErrConflict)
	if steps.Describe(t, s).Identity == before.Identity {
		t.Error("it has the identity of the one that was deleted")
	}
}

func TestSecretOfAnotherOwnerIsRefused(t *testing.T) {
	c, name, _ := rotated(t)
	other := c.open(t, name, func(o *kubernetessecret.Options) { o.Owner = "staging" })
	_, err := other.Describe(t.Context())
	steps.WantError(t, err, secretstore.ErrDenied, `owner "prod"`, "remove the annotation "+annotated)
	_, err = other.Read(t.Context(), "b")
	steps.WantError(t, err, secretstore.ErrDenied)
}

func TestAnnotationThatCannotBeReadNeedsAPerson(t *testing.T) {
	for text, says := range map[string]string{
		`{`:                         "restore it, or remove it",
		`{"format":2,"new":true}`:   "upgrade the rotator",
		`{"format":1,"surprise":1}`: `unknown field "surprise"`,
		`{"format":1,"owner":"prod","versions":[{"stage":"current","id":"a"},{"stage":"current","id":"b"}]}`:  "two versions are current",
		`{"format":1,"owner":"prod","versions":[{"stage":"current","id":"a"},{"stage":"previous","id":"a"}]}`: "there twice",
		`{"format":1,"owner":"prod","versions":[{"stage":"odd","id":"a"}]}`:                                   `stage "odd"`,
	} {
		c, name, s := rotated(t)
		c.annotate(t, name, text)
		_, err := s.Describe(t.Context())
		steps.WantError(t, err, secretstore.ErrCorrupt, annotated, says)
	}
}

func TestEditOfALabelIsNoConflict(t *testing.T) {
	c, name, s := rotated(t)
	seen := steps.Describe(t, s)
	c.edit(t, name, `{"metadata":{"labels":{"argocd.argoproj.io/instance":"x"}}}`)
	if _, err := steps.Destroying("a").Call(t.Context(), s, seen); err != nil {
		t.Error(err)
	}
	if got := c.secret(t, name).Metadata.Labels; len(got) != 1 {
		t.Errorf("the labels are %v", got)
	}
}

func TestAnnotationHasNoValueInIt(t *testing.T) {
	c, name, s := rotated(t)
	steps.Must(t, s, steps.Staging("c"))
	if text := fmt.Sprint(c.secret(t, name).Metadata.Annotations); strings.Contains(text, "value-of") {
		t.Errorf("annotations: %s", text)
	}
}
