package check_test

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// statement is one of a policy, with the parts that both ways to write one have.
type statement struct {
	Action    any
	Condition map[string]map[string]string
}

// allowed lists what statements allow, each with its condition.
func allowed(t *testing.T, statements []statement) (out []string) {
	t.Helper()
	for _, s := range statements {
		condition, err := json.Marshal(s.Condition)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.ReplaceAll(strings.Trim(toText(s.Action), "[]"), ",", " ")+" "+string(condition))
	}
	slices.Sort(out)
	return out
}

func toText(v any) string {
	text, _ := json.Marshal(v)
	return strings.ReplaceAll(string(text), `"`, "")
}

// TestStacksAllowWhatThePolicyNeedsAndNoMore compares the role in each stack with the policy
// in deploy/iam.
func TestStacksAllowWhatThePolicyNeedsAndNoMore(t *testing.T) {
	var policy struct{ Statement []statement }
	if err := json.Unmarshal([]byte(readFile(t, root+"/deploy/iam/aws-policy.json")), &policy); err != nil {
		t.Fatal(err)
	}
	for file, more := range map[string][]string{"lambda.yaml": {"logs:CreateLogStream logs:PutLogEvents"}, "ecs.yaml": nil} {
		text := readFile(t, root+"/deploy/aws/"+file)
		// The functions of CloudFormation stand for the names of what they give.
		text = regexp.MustCompile(`!(?:Ref|GetAtt) ([^\s\],}]+)|!Sub (\S+)`).ReplaceAllString(text, `"$1$2"`)
		var stack struct {
			Resources map[string]struct {
				Type       string
				Properties struct {
					Policies []struct {
						PolicyDocument struct {
							Statement []struct {
								statement `json:",inline"`
								Resource  any
							}
						}
					}
				}
			}
		}
		if err := yaml.Unmarshal([]byte(text), &stack); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		of := map[string][]statement{}
		for _, s := range stack.Resources["Role"].Properties.Policies[0].PolicyDocument.Statement {
			of[toText(s.Resource)] = append(of[toText(s.Resource)], s.statement)
		}
		if diff := cmp.Diff(allowed(t, policy.Statement), allowed(t, of["KeySecrets"])); diff != "" {
			t.Errorf("%s: on the keys' secrets (-policy +stack):\n%s", file, diff)
		}
		reads := []string{"secretsmanager:DescribeSecret null", "secretsmanager:GetSecretValue null", "secretsmanager:ListSecretVersionIds null"}
		if diff := cmp.Diff(reads, allowed(t, of["AdminKeySecret"])); diff != "" {
			t.Errorf("%s: on the admin key's (-needed +stack):\n%s", file, diff)
		}
		delete(of, "KeySecrets")
		delete(of, "AdminKeySecret")
		var rest []string
		for _, statements := range of {
			for _, s := range allowed(t, statements) {
				rest = append(rest, strings.TrimSuffix(s, " null"))
			}
		}
		if diff := cmp.Diff(more, rest); diff != "" {
			t.Errorf("%s: beside them (-needed +stack):\n%s", file, diff)
		}
		for name, r := range stack.Resources {
			if strings.Contains(toText(r.Properties), "Resource:*") {
				t.Errorf("%s: %s may do something with everything", file, name)
			}
		}
	}
}

// TestTheFunctionsPackageStartsTheBinary as Lambda does: by its file called bootstrap.
func TestTheFunctionsPackageStartsTheBinary(t *testing.T) {
	if _, err := exec.LookPath("zip"); err != nil {
		t.Skip("NOT CHECKED: deploy/aws/package, for want of zip")
	}
	dir := t.TempDir()
	writeFile(t, dir+"/binary", "#!/bin/sh\necho \"$@\"\n")
	writeFile(t, dir+"/c.yaml", "owner: me\n")
	mustRun(t, root+"/deploy/aws/package", dir+"/binary", dir+"/c.yaml", dir+"/function.zip")
	r, err := zip.OpenReader(dir + "/function.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	task := t.TempDir()
	for _, f := range r.File {
		unpack(t, f, filepath.Join(task, filepath.Base(f.Name)))
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(task, "bootstrap"))
	cmd.Env = append(os.Environ(), "LAMBDA_TASK_ROOT="+task)
	out, err := cmd.Output()
	if want := "--config " + task + "/config.yaml lambda\n"; err != nil || string(out) != want {
		t.Errorf("%v: it runs %q, want %q", err, out, want)
	}
}

func unpack(t *testing.T, f *zip.File, to string) {
	t.Helper()
	from, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	data, err := io.ReadAll(from)
	if err == nil {
		err = os.WriteFile(to, data, f.Mode()) // as Lambda does: with the mode that it has there
	}
	if err != nil {
		t.Fatal(err)
	}
}

// gcloud notes down what it is called with. Nothing is there yet, but for what is asked by a
// format.
const gcloud = `#!/bin/sh
case "$*" in
*value\(status.url\)*) echo https://rotator-abc-ew.a.run.app; exit ;;
*value\(projectNumber\)*) echo 123456; exit ;;
esac
echo "$*" >> "$CALLS"
case "$*" in *" describe "*) exit 1 ;; esac
`

// TestWhatIsDeployedAtGoogleMayDoWhatTheRoleSays, on each secret by itself, and nothing in the
// project.
func TestWhatIsDeployedAtGoogleMayDoWhatTheRoleSays(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("NOT CHECKED: deploy/gcp/deploy, for want of bash")
	}
	const rotator, caller = "instantly-rotator@growth.iam.gserviceaccount.com", "instantly-rotator-caller@growth.iam.gserviceaccount.com"
	secrets := []string{
		"secret instantly-admin " + rotator + " projects/growth/roles/instantlyRotatorAdminKey",
		"secret instantly-rotator-config " + rotator + " roles/secretmanager.secretAccessor",
		"secret reporting " + rotator + " projects/growth/roles/instantlyRotator",
		"secret sending " + rotator + " projects/growth/roles/instantlyRotator",
	}
	for what, c := range map[string]struct{ grants, calls []string }{
		"job": {
			append([]string{"job instantly-rotator " + caller + " roles/run.invoker"}, secrets...),
			[]string{
				`^run jobs deploy .*--args=rotate,--due `,
				`^scheduler jobs create http .*--uri=https://run.googleapis.com/v2/projects/growth/locations/europe-west1/jobs/instantly-rotator:run --oauth-service-account-email=` + caller,
			},
		},
		"service": {
			append(slices.Clone(secrets), "topic instantly-rotator service-123456@gcp-sa-secretmanager.iam.gserviceaccount.com roles/pubsub.publisher"),
			[]string{
				`^run deploy .*--args=serve,--audience=instantly-rotator.growth,--caller=` + caller + ` --ingress=internal `,
				`^scheduler jobs create http .*--uri=https://rotator-abc-ew.a.run.app/due .*--oidc-token-audience=instantly-rotator.growth$`,
				`^pubsub subscriptions create .*--push-endpoint=https://rotator-abc-ew.a.run.app/pubsub .*--push-auth-token-audience=instantly-rotator.growth `,
			},
		},
	} {
		dir := t.TempDir()
		writeFile(t, dir+"/gcloud", gcloud)
		if err := os.Chmod(dir+"/gcloud", 0o700); err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"PATH": dir + ":" + os.Getenv("PATH"), "CALLS": dir + "/calls", "PROJECT": "growth", "REGION": "europe-west1", "IMAGE": "image:1",
			"SECRETS": "sending reporting", "ADMIN_SECRET": "instantly-admin", "SCHEDULE": "",
		} {
			t.Setenv(name, value)
		}
		mustRun(t, root+"/deploy/gcp/deploy", what, dir+"/config.yaml")
		calls := strings.Split(readFile(t, dir+"/calls"), "\n")
		if diff := cmp.Diff(c.grants, grantsOf(calls)); diff != "" {
			t.Errorf("%s grants (-wanted +done):\n%s", what, diff)
		}
		for _, want := range append(c.calls, `^iam roles create instantlyRotator .*--file=.*/iam/gcp-role.yaml`) {
			if !slices.ContainsFunc(calls, regexp.MustCompile(want).MatchString) {
				t.Errorf("%s: no call %s in\n%s", what, want, strings.Join(calls, "\n"))
			}
		}
	}
}

// grantsOf lists who was granted what on what, sorted.
func grantsOf(calls []string) (out []string) {
	kinds := map[string]string{"secrets": "secret", "run jobs": "job", "pubsub topics": "topic"}
	for _, call := range calls {
		on, rest, granted := strings.Cut(call, " add-iam-policy-binding ")
		if !granted {
			continue
		}
		flag := func(name string) string {
			m := regexp.MustCompile(`--` + name + `=(\S+)`).FindStringSubmatch(call)
			return m[1]
		}
		kind := kinds[on]
		if kind == "" {
			kind = on
		}
		name, _, _ := strings.Cut(rest, " ")
		out = append(out, strings.Join([]string{kind, name, strings.TrimPrefix(flag("member"), "serviceAccount:"), flag("role")}, " "))
	}
	slices.Sort(out)
	return out
}
