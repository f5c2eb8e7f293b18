package awssecretsmanager_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestPromotionIsNeverOlderThanItWas(t *testing.T) {
	b := newBench(t)
	s := b.open()
	rotate(t, s, keyA)
	for _, at := range []time.Time{
		promotedAt().Add(1), promotedAt().Add(999_999_999), promotedAt().Add(500 * time.Millisecond),
	} {
		b.server.DropLabels(b.name, isMarkOf("promoted"))
		snap, err := promoteAt(keyA, at).do(t, s, snapshotOf(t, s))
		if err != nil {
			t.Fatal(err)
		}
		if got := snap.Versions[secretstore.Current].Promoted; got.Before(at) || got.Sub(at) >= time.Millisecond {
			t.Errorf("promoted at %v, kept as %v", at, got)
		}
	}
}

func TestVersionIsCalledLikeItsKey(t *testing.T) {
	for id, same := range map[string]bool{
		keyA: true, "key-1": false, strings.Repeat("k", 65): false, "white space in a name of enough length": false,
	} {
		b := newBench(t)
		s := b.open()
		v := secretstore.Version{ID: id, Intent: intent("n")}
		snap, err := s.Stage(t.Context(), snapshotOf(t, s), v, secret.New("v"))
		if err != nil {
			t.Fatal(err)
		}
		if snap, err = s.Promote(t.Context(), snap, id, promotedAt()); err != nil || snap.Versions[secretstore.Current].ID != id {
			t.Fatalf("%s: current is %+v, error %v", id, snap.Versions, err)
		}
		labels, _, _ := b.server.Inspect(b.name)
		if _, ok := labels[id]; ok != same {
			t.Errorf("%s: the versions at AWS are %v", id, labels)
		}
		if got, err := s.Read(t.Context(), id); err != nil || !got.Equal(secret.New("v")) {
			t.Errorf("%s: read: %v", id, err)
		}
	}
}

func TestReaderOfAWSCURRENTGetsTheNewKey(t *testing.T) {
	b := newBench(t)
	rotate(t, b.open(), keyA, keyB)
	for label, want := range map[string]string{"AWSCURRENT": keyB, "AWSPREVIOUS": keyA} {
		if got, _ := b.server.Value(b.name, label); got != valueOf(want).Reveal() {
			t.Errorf("%s is %q", label, got)
		}
	}
	if value, ok := b.server.Value(b.name, "AWSPENDING"); ok {
		t.Errorf("AWSPENDING is left on %q", value)
	}
}

func TestNothingIsLeftOfADestroyedVersion(t *testing.T) {
	b := newBench(t)
	s := b.open()
	snap := rotate(t, s, keyA, keyB)
	if _, err := destroy(keyA).do(t, s, snap); err != nil {
		t.Fatal(err)
	}
	if labels, _, _ := b.server.Inspect(b.name); len(labels) != 1 {
		t.Errorf("labels are %v", labels)
	}
	b.server.Purge()
	if got := held(snapshotOf(t, s)); got != "current=b" {
		t.Errorf("the secret holds %s", got)
	}
}

func TestLabelsOfOthersStay(t *testing.T) {
	b := newBench(t)
	s := b.open()
	snap := rotate(t, s, keyA)
	b.call("UpdateSecretVersionStage", map[string]any{"SecretId": b.name, "VersionStage": "terraform", "MoveToVersionId": keyA})
	if _, err := reserve(keyB).do(t, s, snap); err != nil && !errors.Is(err, secretstore.ErrConflict) {
		t.Fatal(err)
	}
	snap = rotate(t, s, keyB)
	if _, err := destroy(keyA).do(t, s, snap); err != nil {
		t.Fatal(err)
	}
	if labels, _, _ := b.server.Inspect(b.name); fmt.Sprint(labels[keyA]) != "[terraform]" {
		t.Errorf("labels are %v", labels)
	}
}

func TestMissingSecretNamesTheCommandThatMakesIt(t *testing.T) {
	b := &bench{t, awstest.New(nil), "prod/none"}
	_, err := b.open().Describe(t.Context())
	if !errors.Is(err, secretstore.ErrNotFound) || !strings.Contains(err.Error(), "aws secretsmanager create-secret --name prod/none") {
		t.Error(err)
	}
}

func TestCreateMissingMakesTheSecretOnTheFirstWrite(t *testing.T) {
	b := &bench{t, awstest.New(nil), "prod/new"}
	o := b.options(b.server)
	o.Create = &awssecretsmanager.Create{KMSKeyID: "alias/mine", Tags: map[string]string{"team": "sales"}}
	s := openWith(t, o)
	empty := snapshotOf(t, s)
	if _, _, ok := b.server.Inspect(b.name); ok || len(empty.Versions) != 0 {
		t.Fatal("reading the secret made it")
	}
	snap := rotate(t, s, keyA)
	_, tags, _ := b.server.Inspect(b.name)
	if tags["team"] != "sales" || tags["rotator/owner"] != owner {
		t.Errorf("tags are %v", tags)
	}
	if got := b.call("DescribeSecret", map[string]any{"SecretId": b.name})["KmsKeyId"]; got != "alias/mine" {
		t.Errorf("the KMS key is %v", got)
	}
	if snap.Identity == empty.Identity || held(snap) != "current=a" {
		t.Errorf("identity %q, %s", snap.Identity, held(snap))
	}
	if _, err := reserve(keyB).do(t, s, empty); !errors.Is(err, secretstore.ErrConflict) {
		t.Errorf("a write on the snapshot of a secret that was not there: %v", err)
	}
}

func TestAnotherOwnersSecretIsRefused(t *testing.T) {
	b := newBench(t)
	rotate(t, b.open(), keyA)
	o := b.options(b.server)
	o.Owner = "somebody-else"
	s := openWith(t, o)
	_, err := s.Describe(t.Context())
	if !errors.Is(err, secretstore.ErrDenied) || !strings.Contains(err.Error(), `"`+owner+`"`) || !strings.Contains(err.Error(), "rotator/owner") {
		t.Error(err)
	}
}

func TestOwnersMarkIsPutBack(t *testing.T) {
	b := newBench(t)
	s := b.open()
	rotate(t, s, keyA)
	b.server.DropTags(b.name, func(string) bool { return true })
	rotate(t, s, keyB)
	if _, tags, _ := b.server.Inspect(b.name); tags["rotator/owner"] != owner {
		t.Errorf("tags are %v", tags)
	}
}

func TestSecretScheduledForDeletionSaysHowToRestoreIt(t *testing.T) {
	b := newBench(t)
	s := b.open()
	snap := rotate(t, s, keyA)
	b.call("DeleteSecret", map[string]any{"SecretId": b.name})
	_, err := s.Describe(t.Context())
	if !errors.Is(err, secretstore.ErrScheduledForDeletion) || !strings.Contains(err.Error(), "aws secretsmanager restore-secret --secret-id "+b.name) {
		t.Error(err)
	}
	for _, w := range []write{reserve(keyB), stage(keyB), fail("x")} {
		if _, err := w.do(t, s, snap); !errors.Is(err, secretstore.ErrScheduledForDeletion) {
			t.Errorf("%s: %v", w.name, err)
		}
	}
	if _, err := s.Read(t.Context(), keyA); !errors.Is(err, secretstore.ErrScheduledForDeletion) {
		t.Errorf("read: %v", err)
	}
	b.call("RestoreSecret", map[string]any{"SecretId": b.name})
	if got := held(snapshotOf(t, s)); got != "current=a" {
		t.Errorf("restored, it holds %s", got)
	}
}

func TestSecretMadeAnewIsAnotherOne(t *testing.T) {
	b := newBench(t)
	s := b.open()
	snap := rotate(t, s, keyA)
	b.call("DeleteSecret", map[string]any{"SecretId": b.name, "ForceDeleteWithoutRecovery": true})
	b.call("CreateSecret", map[string]any{"Name": b.name})
	if _, err := reserve(keyB).do(t, b.open(), snap); !errors.Is(err, secretstore.ErrConflict) {
		t.Errorf("a write on the old secret's snapshot: %v", err)
	}
	if snapshotOf(t, s).Identity == snap.Identity {
		t.Error("the new secret has the old one's identity")
	}
}

func TestJSONPayloadKeepsOtherFields(t *testing.T) {
	b := newBench(t)
	b.putByHand(strings.Repeat("h", 32), `{"host": "smtp"}`)
	form, err := payload.NewJSON(map[string]string{"token": "{key}", "id": "{id}"})
	if err != nil {
		t.Fatal(err)
	}
	o := b.options(b.server)
	o.Payload = form
	s := openWith(t, o)
	if _, err := s.Read(t.Context(), strings.Repeat("h", 32)); !errors.Is(err, secretstore.ErrNotFound) {
		t.Errorf("a value without a key in it: %v", err)
	}
	rotate(t, s, keyA, keyB)
	value, _ := b.server.Value(b.name, "AWSCURRENT")
	if want := `{"host":"smtp","id":"` + keyB + `","token":"` + valueOf(keyB).Reveal() + `"}`; value != want {
		t.Errorf("stored %s, want %s", value, want)
	}
	if got, err := s.Read(t.Context(), keyB); err != nil || !got.Equal(valueOf(keyB)) {
		t.Errorf("read: %v", err)
	}
}

func TestASpecThatDoesNotFitIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	n := secretstore.Notes{Intent: intent("n")}
	for i := range 700 {
		n.Intent.Spec += secretstore.Spec(fmt.Sprintf("resource-%d-%x:read,", i, i*i*7919))
	}
	for _, ids := range [][]string{nil, {keyA}} {
		b := newBench(t)
		s := b.open()
		snap := rotate(t, s, ids...)
		labels, tags, _ := b.server.Inspect(b.name)
		_, err := s.Annotate(t.Context(), snap, n)
		if !errors.Is(err, secretstore.ErrDenied) || !strings.Contains(err.Error(), "20 labels") {
			t.Error(err)
		}
		if after, tagsAfter, _ := b.server.Inspect(b.name); fmt.Sprint(labels, tags) != fmt.Sprint(after, tagsAfter) {
			t.Errorf("was %v %v, is %v %v", labels, tags, after, tagsAfter)
		}
	}
}

func TestAnIntentForEverythingFitsThroughAWholeRotation(t *testing.T) {
	b := newBench(t)
	s := b.open()
	snap := snapshotOf(t, s)
	for _, id := range []string{keyA, keyB, keyC} {
		v := version(id)
		var scopes []string
		for i := range 178 {
			scopes = append(scopes, fmt.Sprintf("resource_number_%d:%s", i/5, []string{"all", "create", "read", "update", "delete"}[i%5]))
		}
		v.Intent.Spec = secretstore.Spec(strings.Join(scopes, ","))
		var err error
		if snap, err = s.Annotate(t.Context(), snap, secretstore.Notes{Intent: v.Intent}); err != nil {
			t.Fatal(err)
		}
		if snap, err = s.Stage(t.Context(), snap, v, valueOf(id)); err != nil {
			t.Fatal(err)
		}
		if snap, err = s.Promote(t.Context(), snap, id, promotedAt()); err != nil {
			t.Fatal(err)
		}
		if got := snap.Versions[secretstore.Current].Intent.Spec; got != v.Intent.Spec {
			t.Fatalf("the spec is %q", got)
		}
		if old, ok := snap.Versions[secretstore.Previous]; ok {
			if snap, err = s.Destroy(t.Context(), snap, old.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if labels, _, _ := b.server.Inspect(b.name); len(labels) != 1 {
		t.Errorf("labels are left on other versions: %v", labels)
	}
}

func TestThrottledCallsAreRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		throttled := map[string]bool{}
		s := b.openVia(func(c awstest.Call, when awstest.When) error {
			if when == awstest.Before && !throttled[c.Action] {
				throttled[c.Action] = true
				return awstest.Refusal(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
			}
			return nil
		})
		rotate(t, s, keyA, keyB)
		if len(throttled) < 5 {
			t.Errorf("throttled %v", throttled)
		}
	})
}

func TestThrottlingThatLastsIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		snap := rotate(t, b.open(), keyA)
		s := b.openVia(func(awstest.Call, awstest.When) error {
			return awstest.Refusal(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
		})
		if _, err := reserve(keyB).do(t, s, snap); !errors.Is(err, secretstore.ErrUnavailable) {
			t.Error(err)
		}
	})
}

func TestLostAnswersAreFoundOut(t *testing.T) {
	for _, c := range []struct{ action, label string }{
		{"PutSecretValue", ""}, {"UpdateSecretVersionStage", "AWSCURRENT"}, {"UpdateSecretVersionStage", "AWSPENDING"}, {"UpdateSecretVersionStage", "rotator/"},
	} {
		for _, when := range []awstest.When{awstest.Before, awstest.After} {
			t.Run(fmt.Sprint(c, " ", when), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { loseAnswer(t, c.action, c.label, when) })
			})
		}
	}
}

// A repetition of a move that has happened is refused, which looks like a lost
// race: so there must be none.
func TestALostAnswerIsNotTakenForALostRace(t *testing.T) {
	b := newBench(t)
	rotate(t, b.open(), keyA)
	torn := 0
	s := b.openVia(func(c awstest.Call, when awstest.When) error {
		if when == awstest.After && c.Label == "AWSCURRENT" && torn == 0 {
			torn++
			return awstest.ErrTorn
		}
		return nil
	})
	snap := snapshotOf(t, s)
	for _, w := range []write{reserve(keyB), stage(keyB)} {
		var err error
		if snap, err = w.do(t, s, snap); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := promote(keyB).do(t, s, snap); !errors.Is(err, secretstore.ErrUnavailable) || errors.Is(err, secretstore.ErrConflict) {
		t.Errorf("promote: %v", err)
	}
	if got := held(snapshotOf(t, s)); got != "current=b previous=a" {
		t.Errorf("the secret holds %s", got)
	}
}

// loseAnswer takes a rotation up again after an answer was lost for good, the
// SDK's repetitions included, and wants it to end as if nothing had been.
func loseAnswer(t *testing.T, action, label string, when awstest.When) {
	b := newBench(t)
	rotate(t, b.open(), keyA)
	lost := ""
	s := b.openVia(func(c awstest.Call, w awstest.When) error {
		if w == when && c.Action == action && strings.HasPrefix(c.Label, label) && (lost == "" || lost == c.Invocation) {
			lost = c.Invocation
			return awstest.ErrTorn
		}
		return nil
	})
	for range 3 {
		snap := snapshotOf(t, s)
		if held(snap) == "current=b previous=a" {
			break
		}
		for _, w := range []write{reserve(keyB), stage(keyB), promote(keyB)} {
			_, stageOfB, _ := snap.Find(keyB)
			if stageOfB != "" && !strings.HasPrefix(w.name, "promote") {
				continue
			}
			next, err := w.do(t, s, snap)
			if err != nil && !errors.Is(err, secretstore.ErrUnavailable) {
				t.Fatalf("%s: %v", w.name, err)
			}
			if err != nil {
				break
			}
			snap = next
		}
	}
	if lost == "" {
		t.Fatal("no answer was lost")
	}
	if got := held(snapshotOf(t, b.open())); got != "current=b previous=a" {
		t.Errorf("the secret holds %s", got)
	}
	labels, _, _ := b.server.Inspect(b.name)
	if len(labels) != 2 {
		t.Errorf("there are more versions than two: %v", labels)
	}
}
