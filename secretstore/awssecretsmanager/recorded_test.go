package awssecretsmanager_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
)

// TestFakeDoesWhatAWSDid replays scenarios recorded on the real service through
// the fake. The file of recordings is not part of this repository.
func TestFakeDoesWhatAWSDid(t *testing.T) {
	path := os.Getenv(recordedVariable)
	if path == "" {
		t.Skipf("NOT RUN: %s does not name the file with recordings of the real service", recordedVariable)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var recordings map[string]struct {
		Content map[string]json.RawMessage `json:"recorded-content"`
	}
	if err := json.Unmarshal(raw, &recordings); err != nil {
		t.Fatal(err)
	}
	answers := 0
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			for key, r := range recordings {
				if strings.HasSuffix(key, "::test_"+sc.name) {
					answers += replay(t, sc, r.Content)
					return
				}
			}
			t.Error("there is no such recording")
		})
	}
	t.Logf("%d of %d recorded scenarios replayed, %d answers compared; the others are of rotation functions, resource policies and ListSecrets",
		len(scenarios()), len(recordings), answers)
}

func replay(t *testing.T, sc scenario, recorded map[string]json.RawMessage) (compared int) {
	t.Helper()
	server := awstest.New(nil)
	v := vars{"$name": "a-secret"}
	for _, st := range sc.steps {
		status, out := call(t, server, st.action, v.fill(st.in))
		if arn, ok := out["ARN"].(string); ok {
			v["$arn"], v["$partial"] = arn, arn[:len(arn)-7]
		}
		if st.recorded == "" {
			continue
		}
		want, ok := recorded[st.recorded]
		if !ok {
			t.Errorf("%s is not in the recording", st.recorded)
			continue
		}
		if diff := cmp.Diff(factsOf(t, want), v.facts(status, out)); diff != "" {
			t.Errorf("%s (-recorded +fake):\n%s", st.recorded, diff)
		}
		compared++
	}
	return compared
}

// vars are what "$…" stands for; tokens are numbered as they are made.
type vars map[string]string

func (v vars) fill(p in) in {
	out := in{}
	for key, value := range p {
		text, isText := value.(string)
		switch {
		case text == "$token":
			n := fmt.Sprint("$", len(v.tokens())+1)
			v[n] = fmt.Sprintf("00000000-0000-4000-9000-%011d%s", 0, n[1:])
			out[key] = v[n]
		case isText && strings.HasPrefix(text, "$"):
			out[key] = v[text]
		case isText && text == "" && key == "VersionId":
		default:
			out[key] = value
		}
	}
	return out
}

func (v vars) tokens() []string {
	var names []string
	for name := range v {
		if name[1] >= '0' && name[1] <= '9' {
			names = append(names, name)
		}
	}
	return names
}

// facts is an answer as the recordings have it, in comparable form.
func (v vars) facts(status int, out in) map[string]any {
	raw, _ := json.Marshal(out)
	text := string(raw)
	for _, n := range v.tokens() {
		text = strings.ReplaceAll(text, v[n], "<version_uuid:"+n[1:]+">")
	}
	var named in
	_ = json.Unmarshal([]byte(text), &named)
	if status != http.StatusOK {
		return in{"code": named["__type"], "message": message(named["Message"])}
	}
	return plainFacts(named)
}

// factsOf reads a recorded answer: a body, an error, or an error's text.
func factsOf(t *testing.T, raw json.RawMessage) map[string]any {
	t.Helper()
	var text string
	if json.Unmarshal(raw, &text) == nil {
		m := regexp.MustCompile(`\((\w+)\).*operation: (.*)$`).FindStringSubmatch(text)
		return in{"code": m[1], "message": message(m[2])}
	}
	var body in
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatal(err)
	}
	failed, isError := body["Error"].(map[string]any)
	if !isError {
		return plainFacts(body)
	}
	code := failed["Code"]
	if code == nil {
		code = failed["__type"]
	}
	return in{"code": code, "message": message(failed["Message"])}
}

// message leaves out what differs from run to run.
func message(text any) string {
	return regexp.MustCompile(`(VersionId: |secret )\S*[<0-9a][^ ]*`).ReplaceAllString(fmt.Sprint(text), "$1…")
}

// plainFacts leaves out names and times, but not that there is a time.
func plainFacts(body in) map[string]any {
	facts := in{}
	for key, value := range body {
		switch key {
		case "ARN", "Name", "ResponseMetadata", "LastAccessedDate":
		case "CreatedDate", "LastChangedDate", "DeletedDate", "DeletionDate", "SecretBinary":
			facts[key] = "there"
		case "Versions":
			facts[key] = versionFacts(value.([]any))
		default:
			facts[key] = value
		}
	}
	if id, ok := facts["VersionId"].(string); ok {
		facts["VersionId"] = strings.Replace(id, "<uuid:", "<version_uuid:", 1)
	}
	return facts
}

func versionFacts(versions []any) []string {
	var out []string
	for _, v := range versions {
		m := v.(map[string]any)
		out = append(out, fmt.Sprint(m["VersionId"], m["VersionStages"]))
	}
	slices.Sort(out)
	return out
}

// gocloud is the module whose tests carry recordings of real traffic.
const gocloud = "gocloud.dev@v0.47.0"

// TestFakeAnswersRecordedRequests sends requests of another project's real
// traffic to the fake and compares the answers, field by field.
func TestFakeAnswersRecordedRequests(t *testing.T) {
	files := gocloudRecordings(t)
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) { replayTraffic(t, path) })
	}
	t.Logf("%d recordings", len(files))
}

func gocloudRecordings(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", gocloud).Output()
	var module struct{ Dir string }
	if err != nil || json.Unmarshal(out, &module) != nil {
		t.Skipf("NOT RUN: the module %s with recordings of the real service cannot be had: %v", gocloud, err)
	}
	var files []string
	for _, pattern := range []string{"*.replay", "*/*.replay"} {
		found, err := filepath.Glob(filepath.Join(module.Dir, "runtimevar/awssecretsmanager/testdata/TestConformance/TestConformanceV2", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Fatalf("%s has no recordings any more", gocloud)
	}
	return files
}

func replayTraffic(t *testing.T, path string) {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var traffic struct {
		Entries []struct {
			Request struct {
				Header    http.Header
				BodyParts []string
			}
			Response struct {
				StatusCode int
				Body       string
			}
		}
	}
	if err := json.Unmarshal(raw, &traffic); err != nil {
		t.Fatal(err)
	}
	server := awstest.New(nil)
	gone := false
	for i, e := range traffic.Entries {
		action := strings.TrimPrefix(e.Request.Header.Get("X-Amz-Target"), "secretsmanager.")
		body, _ := base64.StdEncoding.DecodeString(strings.Join(e.Request.BodyParts, ""))
		answer, _ := base64.StdEncoding.DecodeString(e.Response.Body)
		status, got := callRaw(t, server, action, body)
		if action == describe && gone && e.Response.StatusCode == http.StatusOK {
			continue // the real service forgets a secret some seconds after it was deleted by force
		}
		gone = gone && action == describe || action == remove
		var want in
		if err := json.Unmarshal(answer, &want); err != nil {
			t.Fatal(err)
		}
		if status != e.Response.StatusCode {
			t.Errorf("entry %d, %s: status %d, recorded %d", i, action, status, e.Response.StatusCode)
		}
		if diff := cmp.Diff(plainFacts(want), plainFacts(got)); diff != "" {
			t.Errorf("entry %d, %s (-recorded +fake):\n%s", i, action, diff)
		}
	}
}
