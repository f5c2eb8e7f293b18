package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
)

// runtimeAPI is what AWS Lambda is to a program: it gives events, and takes the answers
// (Lambda's documents, "Using the Lambda runtime API").
type runtimeAPI struct {
	*testing.T
	url     string
	events  chan string
	answers chan string // what went wrong; empty if nothing
}

func newRuntimeAPI(t *testing.T) *runtimeAPI {
	l := &runtimeAPI{T: t, events: make(chan string), answers: make(chan string, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-l.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "an-event")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(5*time.Minute).UnixMilli(), 10))
			_, _ = io.WriteString(w, event)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/an-event/{end}", func(w http.ResponseWriter, r *http.Request) {
		var said struct{ ErrorMessage string }
		if r.PathValue("end") == "error" {
			_ = json.NewDecoder(r.Body).Decode(&said)
		}
		w.WriteHeader(http.StatusAccepted)
		l.answers <- said.ErrorMessage
	})
	l.url = strings.TrimPrefix(newLoopbackServer(t, mux), "http://")
	return l
}

// invoke has the function answer an event, and gives what it says is wrong. done tells of
// the end of its process.
func (l *runtimeAPI) invoke(done <-chan struct{}, event string) (wrong string, ended bool) {
	l.Helper()
	l.events <- event
	select {
	case wrong = <-l.answers:
		return wrong, false
	case <-done:
		return "", true
	case <-time.After(time.Minute):
		l.Fatal("no answer within a minute")
		return "", false
	}
}

// function starts the binary as Lambda does, and has it ended with the test.
func (l *cloudLab) function(api *runtimeAPI) (c *command, done <-chan struct{}) {
	l.Helper()
	c = l.command("lambda")
	c.Env = append(c.Env, "AWS_LAMBDA_RUNTIME_API="+api.url)
	if err := c.Start(); err != nil {
		l.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = c.Wait()
		close(ended)
	}()
	l.Cleanup(func() {
		_ = c.Process.Kill()
		<-ended
	})
	return c, ended
}

const lambdaToken = "6b0cf2fd-0000-4000-8000-00000000aaaa"

func stepEvent(step string) string {
	return fmt.Sprintf(`{"Step": %q, "SecretId": %q, "ClientRequestToken": %q}`, step, onlyAWS, lambdaToken)
}

// TestALambdaFunctionRotatesAsAWSDocuments: the first keys on a schedule's event, then each
// step of a rotation that AWS began, taken twice.
func TestALambdaFunctionRotatesAsAWSDocuments(t *testing.T) {
	t.Parallel()
	l := newCloudLab(t, newAmazon(t), "grace_period: 1h, activation_timeout: 1s")
	l.takeSteps(func() {
		l.amazon.call(t, "RotateSecret", map[string]any{"SecretId": onlyAWS, "ClientRequestToken": lambdaToken})
	})
}

// TestALambdaFunctionRotatesAsMotoWants: moto begins the rotation, and would call a function
// in a container only, so that the test calls it.
func TestALambdaFunctionRotatesAsMotoWants(t *testing.T) {
	t.Parallel()
	l := newCloudLab(t, newMoto(t), "grace_period: 1h, activation_timeout: 1s")
	arn := awstest.MotoFunction(t, l.amazon.url)
	l.takeSteps(func() {
		l.amazon.call(t, "RotateSecret", map[string]any{"SecretId": onlyAWS, "ClientRequestToken": lambdaToken, "RotationLambdaARN": arn})
	})
}

func (l *cloudLab) takeSteps(begin func()) {
	api := newRuntimeAPI(l.T)
	_, done := l.function(api)
	if wrong, _ := api.invoke(done, `{"source": "aws.scheduler"}`); wrong != "" {
		l.Fatalf("what is due: %s", wrong)
	}
	first := l.wantServed("with the first keys")
	if wrong, _ := api.invoke(done, stepEvent("createSecret")); !strings.Contains(wrong, "has no version "+lambdaToken) {
		l.Errorf("a rotation that was never begun: %q", wrong)
	}
	begin()
	for _, step := range []string{"createSecret", "setSecret", "testSecret", "finishSecret"} {
		for range 2 {
			if wrong, ended := api.invoke(done, stepEvent(step)); wrong != "" || ended {
				l.Fatalf("%s: %s", step, wrong)
			}
		}
	}
	l.wantRotatedByAWS(first[onlyAWS])
}

// wantRotatedByAWS wants the version that AWS made to be current, and its key to work.
func (l *cloudLab) wantRotatedByAWS(old string) {
	l.Helper()
	out := l.amazon.call(l.T, "GetSecretValue", map[string]any{"SecretId": onlyAWS, "VersionStage": "AWSCURRENT"})
	value, _ := out["SecretString"].(string)
	if out["VersionId"] != lambdaToken || value == old {
		l.Errorf("AWSCURRENT is version %v", out["VersionId"])
	}
	if err := l.box.works(value); err != nil {
		l.Errorf("AWSCURRENT does not work: %v", err)
	}
	if l.inAWS(onlyAWS, "AWSPREVIOUS") != old {
		l.Error("AWSPREVIOUS is not the old key")
	}
	stages, _ := l.amazon.call(l.T, "DescribeSecret", map[string]any{"SecretId": onlyAWS})["VersionIdsToStages"].(map[string]any)
	for version, labels := range stages {
		if version != lambdaToken && slices.Contains(labels.([]any), any("AWSPENDING")) {
			l.Errorf("AWS takes its rotation for incomplete: AWSPENDING is on %s", version)
		}
	}
}

// TestALambdaFunctionIsKilledInTheMiddle by SIGKILL: as a key is issued, stored and made
// current, each before and after the effect. AWS takes the step again.
func TestALambdaFunctionIsKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	l := newCloudLab(t, newAmazon(t), "grace_period: 1h, activation_timeout: 1s")
	l.wantRun(0, []string{"rotate", "--due"})
	old := l.inAWS(onlyAWS, "AWSCURRENT")
	l.amazon.call(t, "RotateSecret", map[string]any{"SecretId": onlyAWS, "ClientRequestToken": lambdaToken})
	api := newRuntimeAPI(t)
	c, done := l.function(api)
	kills := 0
	for _, at := range []struct {
		step, action, label string
		after               bool
	}{
		{"createSecret", "UpdateSecretVersionStage", "rotator/intent/", true},
		{"createSecret", "PutSecretValue", "", false},
		{"createSecret", "UpdateSecretVersionStage", "rotator/intent/", false},
		{"finishSecret", "UpdateSecretVersionStage", "AWSCURRENT", false},
		{"finishSecret", "UpdateSecretVersionStage", "AWSCURRENT", true},
	} {
		l.amazon.killAt(c, at.action, at.label, at.after)
		if at.step == "finishSecret" {
			if wrong, _ := api.invoke(done, stepEvent("createSecret")); wrong != "" {
				t.Fatal(wrong)
			}
		}
		if _, ended := api.invoke(done, stepEvent(at.step)); ended {
			kills++
			c, done = l.function(api)
		}
		if err := l.box.works(l.inAWS(onlyAWS, "AWSCURRENT")); err != nil {
			t.Fatalf("killed at %s: AWSCURRENT does not work: %v", at.action, err)
		}
	}
	for _, step := range []string{"createSecret", "setSecret", "testSecret", "finishSecret"} {
		if wrong, _ := api.invoke(done, stepEvent(step)); wrong != "" {
			t.Fatalf("%s in the end: %s", step, wrong)
		}
	}
	if kills != 5 {
		t.Errorf("killed %d times of 5", kills)
	}
	l.wantRotatedByAWS(old)
}
