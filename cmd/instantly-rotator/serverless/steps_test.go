package serverless_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/serverless"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

func steps() []serverless.Step {
	return []serverless.Step{serverless.CreateSecret, serverless.SetSecret, serverless.TestSecret, serverless.FinishSecret}
}

// step sends the event that AWS sends.
func (p *process) step(s serverless.Step, token string) error {
	event, err := json.Marshal(map[string]string{"Step": string(s), "SecretId": p.w.arn, "ClientRequestToken": token})
	if err != nil {
		return err
	}
	return p.TakeEvent(p.w.Context(), event)
}

// bubble runs a test in time that passes only when everybody waits.
func bubble(t *testing.T, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newWorld(t)) })
}

// TestAWSRotatesASecretStepByStep, and takes every step twice: labels move as AWS documents.
func TestAWSRotatesASecretStepByStep(t *testing.T) {
	bubble(t, func(w *world) {
		p := w.process(0, before)
		for _, token := range []string{token, "6b0cf2fd-0000-4000-8000-00000000bbbb"} {
			old, _ := w.aws.Value(name, "AWSCURRENT")
			w.begin(token)
			for _, s := range steps() {
				for range 2 {
					if err := p.step(s, token); err != nil {
						w.Fatalf("%s: %v", s, err)
					}
				}
				finished := s == serverless.FinishSecret
				if w.isOn("AWSCURRENT", token) != finished || w.isOn("AWSPENDING", token) == finished {
					w.Errorf("after %s: AWSCURRENT on the new version %v, AWSPENDING %v", s, w.isOn("AWSCURRENT", token), w.isOn("AWSPENDING", token))
				}
			}
			for _, s := range steps() { // late
				if err := p.step(s, token); err != nil {
					w.Errorf("%s once more in the end: %v", s, err)
				}
			}
			if previous, _ := w.aws.Value(name, "AWSPREVIOUS"); previous != old || w.living() != 2 {
				w.Errorf("the old key is not in its grace period: %d keys live", w.living())
			}
			time.Sleep(grace + time.Hour)
			if err := p.TakeEvent(w.Context(), json.RawMessage(`{"source": "aws.scheduler"}`)); err != nil || w.living() != 1 {
				w.Errorf("after the grace period %d keys live (%v)", w.living(), err)
			}
		}
	})
}

// TestAFunctionKilledAnywhereIsCarriedOn: at each of its calls to the outside, before and after
// the effect. AWS then takes the step again, or all of them.
func TestAFunctionKilledAnywhereIsCarriedOn(t *testing.T) {
	runs, stride := 0, 1
	if testing.Short() {
		stride = 11
	}
	for _, when := range []when{before, after} {
		for at, killed := 1, true; killed; at += stride {
			bubble(t, func(w *world) { killed = rotateKilled(w, at, when) })
			runs++
		}
	}
	t.Logf("%d functions killed", runs-2)
	if runs*stride < 40 {
		t.Errorf("only %d functions were killed: a rotation makes more calls", runs-2)
	}
}

func rotateKilled(w *world, at int, when when) (killed bool) {
	w.begin(token)
	p, all := w.process(at, when), steps()
	for i := 0; i < len(all); i++ {
		err := errors.Join(p.step(all[i], token), p.step(all[i], token))
		if p.dead {
			killed = true
			p = w.process(0, before)
			time.Sleep(time.Second)
			if i--; when == after {
				i = -1
			}
			continue
		}
		if err != nil {
			w.Fatalf("killed %s call %d: %s: %v", when, at, all[i], err)
		}
	}
	if !w.complete() {
		labels, _, _ := w.aws.Inspect(name)
		w.Errorf("killed %s call %d: AWS takes its rotation for incomplete: %v", when, at, labels)
	}
	w.consumersAreServed(fmt.Sprintf("killed %s call %d", when, at))
	time.Sleep(grace + time.Hour)
	if err := w.process(0, before).Due(w.Context()); err != nil || w.living() != 1 {
		w.Errorf("killed %s call %d: %d keys live after the grace period (%v)", when, at, w.living(), err)
	}
	w.begin("6b0cf2fd-0000-4000-8000-00000000cccc")
	return killed
}

func TestAWSTriesARotationWithoutOne(t *testing.T) { // RotateImmediately: false
	bubble(t, func(w *world) {
		w.begin(token)
		if err := w.process(0, before).step(serverless.TestSecret, token); err != nil {
			w.Errorf("the current key works: %v", err)
		}
		value, _ := w.aws.Value(name, "AWSCURRENT")
		w.call("PutSecretValue", map[string]any{"SecretId": name, "ClientRequestToken": token, "SecretString": value, "VersionStages": []string{"AWSPENDING"}})
		if err := w.process(0, before).step(serverless.TestSecret, token); err != nil {
			w.Errorf("the current key, which stands in both versions, works: %v", err)
		}
		if w.living() != 1 {
			w.Error("a key was issued")
		}
	})
}

// TestWhatIsNotTrueIsNotAnswered: each is refused, says why, and changes nothing.
func TestWhatIsNotTrueIsNotAnswered(t *testing.T) {
	event := func(step, secret, token string) string {
		return fmt.Sprintf(`{"Step": %q, "SecretId": %q, "ClientRequestToken": %q}`, step, secret, token)
	}
	const never = "6b0cf2fd-0000-4000-8000-0000000000ff"
	other := strings.Replace(sandboxARN, "NAME", "prod/elsewhere", 1)
	follower := strings.Replace(sandboxARN, "NAME", "prod/follower", 1)
	bubble(t, func(w *world) {
		w.begin(token)
		for _, c := range []struct{ event, says string }{
			{event("setSecret", w.arn, token), "no key has been stored for it yet"},
			{event("finishSecret", w.arn, token), "no key has been stored for it yet"},
			{event("createSecret", w.arn, never), "has no version " + never},
			{event("createSecret", other, token), "no target keeps its key in that secret first; the configuration has sending, other"},
			{event("createSecret", follower, token), "it follows the first store of other"},
			{event("createSecret", strings.Replace(w.arn, "111122223333", "999999999999", 1), token), "the credentials lead to another secret"},
			{event("dropSecret", w.arn, token), `unknown step "dropSecret"`},
			{event("createSecret", w.arn, ""), "wants SecretId and ClientRequestToken"},
			{`"createSecret"`, "want an object"},
		} {
			if err := w.process(0, before).TakeEvent(w.Context(), json.RawMessage(c.event)); err == nil || !strings.Contains(err.Error(), c.says) {
				w.Errorf("%s: %v\nwant %q", c.event, err, c.says)
			}
		}
		if w.living() != 1 || !w.isOn("AWSPENDING", token) {
			w.Error("something was changed")
		}
	})
}

const sandboxARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:NAME-AbCdEf"

// TestARotationThatCannotBeIsNotGreen while the API does not answer, and no key is discarded for
// it; nor is one issued in the grace period of the one before.
func TestARotationThatCannotBeIsNotGreen(t *testing.T) {
	bubble(t, func(w *world) {
		p := w.process(0, before)
		w.begin(token)
		if err := p.step(serverless.CreateSecret, token); err != nil {
			w.Fatal(err)
		}
		w.box.SetFaults(sandbox.Faults{Unavailable: true})
		for _, s := range []serverless.Step{serverless.TestSecret, serverless.FinishSecret} {
			if err := p.step(s, token); err == nil || w.isOn("AWSCURRENT", token) {
				w.Errorf("%s is answered although the API is down", s)
			}
		}
		w.box.SetFaults(sandbox.Faults{})
		time.Sleep(time.Hour)
		if err := errors.Join(p.step(serverless.TestSecret, token), p.step(serverless.FinishSecret, token)); err != nil {
			w.Fatal(err)
		}
		const next = "6b0cf2fd-0000-4000-8000-00000000bbbb"
		time.Sleep(time.Minute)
		w.begin(next)
		if err := p.step(serverless.CreateSecret, next); err == nil || !strings.Contains(err.Error(), "grace period") {
			w.Errorf("a rotation in the grace period: %v", err)
		}
		time.Sleep(grace + time.Hour)
		for _, s := range steps() {
			if err := p.step(s, next); err != nil {
				w.Errorf("%s after the grace period: %v", s, err)
			}
		}
	})
}
