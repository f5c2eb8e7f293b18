package doctor_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/doctor"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// A trouble is planted in a healthy set-up, and is to be found as one line.
type trouble struct {
	name  string
	kind  string // of the store; if empty a folder in which no key was made yet
	plant func(*world)
	level doctor.Level
	check string
	says  string // the text, and what to do: a regular expression
}

func troubles() []trouble {
	return []trouble{
		// Instantly and the admin key.
		{"no admin key", "", func(w *world) { w.adminKey = "{env: NOWHERE}" }, doctor.Bad, "admin-key", `NOWHERE is empty or not set.*put the admin key where`},
		{"an admin key that is refused", "", func(w *world) { w.env["ADMIN"] = "bm8gc3VjaCBrZXk=" }, doctor.Bad, "admin-key", `key not accepted.*make one with the scopes`},
		{"an admin key that was never put", "", func(w *world) { w.adminKey = "{store: vault, secret: other}" }, doctor.Bad, "admin-key", `nothing was put there yet.*put --store vault --secret other`},
		{"an admin key that may not create", "", func(w *world) { w.adminKeyWith("api_keys:read", "api_keys:delete") }, doctor.Bad, "admin-key-create", `Required: api_keys:create.*; do: a key's scopes cannot be changed: make one with the scopes`},
		{"an admin key that may not delete", "", func(w *world) { w.adminKeyWith("api_keys:read", "api_keys:create") }, doctor.Bad, "admin-key-delete", `Required: api_keys:delete.*; do: a key's scopes cannot be changed: make one with the scopes`},
		{"an admin key that may not list", "", func(w *world) { w.adminKeyWith("api_keys:delete", "api_keys:create") }, doctor.Bad, "admin-key", `Required: api_keys:read.*; do: a key's scopes cannot be changed: make one with the scopes`},
		{"an admin key that may do harm", "", func(w *world) { w.adminKeyWith("api_keys:all", "leads:all") }, doctor.Advice, "admin-key-scopes", `more than it must: leads:all`},
		{"an admin key that may do all", "", func(w *world) { w.adminKeyWith("all:all") }, doctor.Advice, "admin-key-scopes", `may read what has nothing to do with keys`},
		{"an admin key that may not switch webhooks", "", func(w *world) {
			w.notify = "webhook_secrets: [{name: hooks, webhooks: {name: crm}, stores: [{store: primary, secret: hooks}]}]"
			w.adminKeyWith("api_keys:all", "workspaces:read", "webhooks:read")
		}, doctor.Bad, "admin-key-webhooks", `cannot be rotated: the admin key lacks webhooks:update, webhook_events:read; do: .*make one with the scopes .*webhooks:read, webhooks:update, webhook_events:read`},
		{"an admin key in the environment", "", func(*world) {}, doctor.Advice, "admin-key-kept", `nobody rotates it; do: keep it in a store, and rotate it: admin_key: {store: NAME, secret: NAME, rotate: {}}$`},
		{"an admin key in a store that nobody rotates", "", func(w *world) {
			w.put("vault", "admin", w.api.Workspaces()[0].AdminKey)
			w.adminKey = "{store: vault, secret: admin}"
		}, doctor.Advice, "admin-key-kept", `nobody rotates the admin key; do: write rotate: {} beside its place: admin_key: {store: vault, secret: admin, rotate: {}}$`},
		{"an admin key file that others may write", "", func(w *world) { w.adminFile(0o620) }, doctor.Bad, "secret-file", `others may write the file .*admin-key \(mode 0620\).*chmod go-w`},
		{"an admin key file that others may read", "", func(w *world) { w.adminFile(0o644) }, doctor.Advice, "configuration", `everybody on this machine may read it.*chmod o-r`},
		{"another organization", "", func(w *world) { w.pinned = "01980000-0000-7000-8000-00000000dead" }, doctor.Bad, "organization", `but the admin key belongs to ` + sandbox.DefaultWorkspaceID},
		{"an organization that is not pinned", "", func(w *world) { w.pinned = "" }, doctor.Advice, "organization", `not pinned.*write organization_id: ` + sandbox.DefaultWorkspaceID},
		{"a plan that has lapsed", "", func(w *world) { w.api.SetFaults(sandbox.Faults{PlanLapsed: true}) }, doctor.Bad, "instantly", `no active paid plan.*renew the workspace's plan`},
		{"an edge that blocks", "", func(w *world) { w.api.SetFaults(sandbox.Faults{EdgeBlock: true}) }, doctor.Bad, "instantly", `blocked before reaching the API.*block list`},
		{"an outage", "", func(w *world) { w.api.SetFaults(sandbox.Faults{Unavailable: true}); w.limit = 300 * time.Millisecond }, doctor.Hidden, "instantly", `not answered in time`},
		{"an API that hangs", "", func(w *world) { w.api.SetFaults(sandbox.Faults{Latency: time.Hour}); w.limit = 300 * time.Millisecond }, doctor.Hidden, "instantly", `not answered in time`},
		{"a key list that does not end", "", func(w *world) { w.api.SetFaults(sandbox.Faults{EndlessList: true}); w.limit = time.Second }, doctor.Hidden, "instantly", `not answered in time`},
		{"nothing at base_url", "", func(w *world) { w.apiURL = "http://127.0.0.1:1"; w.limit = 300 * time.Millisecond }, doctor.Hidden, "instantly", `not answered in time`},
		{"something else at base_url", "", func(w *world) { w.apiURL = w.serve(http.NotFoundHandler()) }, doctor.Bad, "instantly", `unreadable answer.*check base_url`},
		{"a budget that others use up", "", func(w *world) {
			w.header.Set("X-Ratelimit-Limit", "100")
			w.header.Set("X-Ratelimit-Remaining", "3")
		}, doctor.Advice, "rate-limit", `3 of 100 calls are left`},
		{"a key of a probe that may be running", "", func(w *world) {
			_, err := w.api.AddKey(sandbox.DefaultWorkspaceID, "instantly-rotator doctor-probe abcdefgh scope", "leads:read")
			w.must(err)
		}, doctor.Advice, "probe-keys", `1 key of a probe that may still be running: abcdefgh; do: let it end`},
		{"a key left over from a probe", "", func(w *world) {
			_, err := w.api.AddKey(sandbox.DefaultWorkspaceID, "instantly-rotator doctor-probe abc", "leads:read")
			w.must(err)
			w.ahead = 10 * time.Minute
		}, doctor.Bad, "probe-keys", `1 key of a probe.*still alive.*doctor --probe --workspace main`},

		// The local store.
		{"a folder that is open to others", "file", func(w *world) { w.must(os.Chmod(filepath.Join(w.dir, "store"), 0o777)) }, doctor.Advice, "store-advice", `is open to others.*chmod o-rwx`},
		{"a store where no folder can be made", "", func(w *world) { w.write("file", ""); w.store = "{kind: file, path: ./file/store}" }, doctor.Bad, "store", `not a directory; do: a file is where a folder has to be: let path of store primary lead to a folder`},
		{"a store where no file can be made", "", func(w *world) { w.store = "{kind: file, path: /proc/store}" }, doctor.Bad, "store-write", `no rotation could be stored: .*/proc.*; do: see to what the message names: the user that the rotator runs as`},
		{"another identity", "file", func(w *world) {
			w.put("vault", "other", secret.New("x"))
			w.must(os.Rename(filepath.Join(w.dir, "vault", "identity"), filepath.Join(w.dir, "store", "identity")))
		}, doctor.Bad, "store-read", `cannot be read.*restore it from a backup`},
		{"a store that is not where it was", "file", func(w *world) { w.must(os.Rename(filepath.Join(w.dir, "store"), filepath.Join(w.dir, "moved"))) }, doctor.Bad, "store-lost", `must have held a key: it is lost.*bring the store back.*--begin-anew sending`},
		{"a secret that is not where it was", "file", func(w *world) { w.must(os.RemoveAll(filepath.Join(w.dir, "store", "sending"))) }, doctor.Bad, "store-lost", `must have held a key: it is lost`},
		{"a file that is damaged", "file", func(w *world) { w.write("store/sending/state.json", "{") }, doctor.Bad, "store", `state.json.*restore it`},
		{"a file of a newer release", "file", func(w *world) { w.edit(func(s map[string]any) { s["format"] = 99 }) }, doctor.Bad, "store", `newer release.*upgrade the rotator`},
		{"a value of unknown origin", "", func(w *world) { w.put("primary", "sending", w.keyByHand().Value) }, doctor.Advice, "unknown-origin", `did not put there.*adopt sending.*rotate sending`},
		{"a key made by hand that is dead", "", func(w *world) {
			k := w.keyByHand()
			w.put("primary", "sending", k.Value)
			w.must(w.api.DeleteKey(k.ID))
		}, doctor.Bad, "unknown-origin", `did not put there, and that does not work: .*not accepted.*; do: instantly-rotator rotate sending$`},
		{"a value that is no key", "", func(w *world) { w.put("primary", "sending", secret.New("by-hand")) }, doctor.Bad, "unknown-origin", `did not put there, and that does not work: .*; do: instantly-rotator rotate sending$`},
		{"a current key that is gone at Instantly", "file", func(w *world) { w.must(w.api.DeleteKey(w.api.Keys(sandbox.DefaultWorkspaceID)[1].ID)) }, doctor.Bad, "current-key", `does not list key .*rotate sending`},

		// Consumers and receivers, and the machine.
		{"a hook that is not there", "", func(w *world) { w.after = "{command: [no-such-program]}" }, doctor.Bad, "hook", `no-such-program.*not found in \$PATH`},
		{"a hook whose interpreter is not there", "", func(w *world) {
			w.write("hook", "#! /no/such/interpreter -x\n")
			w.must(os.Chmod(filepath.Join(w.dir, "hook"), 0o700))
			w.after = "{command: [./hook]}"
		}, doctor.Bad, "hook", `hook would not start: its interpreter: .*/no/such/interpreter.*no such file`},
		{"a hook where nobody listens", "", func(w *world) { w.after = "{url: \"http://127.0.0.1:1/hook\"}" }, doctor.Bad, "hook", `it cannot be reached: .*127.0.0.1:1: .*refused`},
		{"a receiver whose URL is none", "", func(w *world) { w.notify, w.env["URL"] = "notify: {ops: {url: {env: URL}}}", "slack-hook" }, doctor.Bad, "notify", `not one of a service.*; do: put another URL into the environment variable URL: .*shoutrrr`},
		{"a receiver without a URL", "", func(w *world) { w.notify = "notify: {ops: {url: {env: URL}}}" }, doctor.Bad, "notify", `no URL.*put the receiver's URL`},
		{"a sink whose program is not there", "", func(w *world) {
			w.sinks, w.notify = "{sink: crm}", "sinks: {crm: {kind: program, command: [no-such-program]}}"
		}, doctor.Bad, "sink", `not found.*no-such-program.*; do: see to what the message names`},
		{"a sink whose program refuses to tell", "", func(w *world) {
			w.sinks, w.notify = "{sink: crm}", "sinks: {crm: {kind: program, command: [cat], holds_command: [sh, -c, \"echo the crm is down >&2; exit 1\"]}}"
		}, doctor.Bad, "sink", `^program sh: exit status 1: sink unavailable; do: see to what the message names`},
		{"a sink whose credential is not there", "", func(w *world) {
			w.sinks, w.notify = "{sink: portal}", `sinks: {portal: {kind: http, url: "http://127.0.0.1:1/key", body: '{"value": "{key}"}', headers: {X-Key: "{credential}"}, credential: {env: NOWHERE}}}`
		}, doctor.Bad, "sink", `its credential: .*NOWHERE`},
		{"a sink that refuses its credential", "", func(w *world) {
			url := w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					w.Errorf("%s %s: an examination writes", r.Method, r.URL)
				}
				rw.WriteHeader(http.StatusForbidden)
			}))
			w.env["PORTAL"] = "portal-credential"
			w.sinks, w.notify = "{sink: portal}", fmt.Sprintf(`sinks: {portal: {kind: http, url: "%s/key", holds_url: "%s/key", holds_at: /comment, body: '{"value": "{key}", "comment": "key-id {id}"}', headers: {X-Key: "{credential}"}, credential: {env: PORTAL}}}`, url, url)
		}, doctor.Bad, "sink", `portal: .*403`},
		{"a sink that cannot be asked", "", func(w *world) {
			w.sinks, w.notify = "{sink: portal}", `sinks: {portal: {kind: http, url: "http://127.0.0.1:1/key", body: '{"value": "{key}"}'}}`
		}, doctor.Advice, "sink", `nothing is known of it before it is given a key; do: holds_url`},
		{"webhooks whose secret was not taken over", "", func(w *world) {
			_, err := w.api.AddWebhook(sandbox.DefaultWorkspaceID, sandbox.Webhook{Name: "crm", URL: "https://crm.example.com", Headers: map[string]secret.Value{"X-Webhook-Secret": secret.New("by-hand")}})
			w.must(err)
			w.webhooks()
		}, doctor.Bad, "webhook-secret", `it sends a value that the store does not have.*; do: "instantly-rotator adopt hooks" takes over`},
		{"a trail where no folder can be made", "", func(w *world) { w.write("file", ""); w.notify = "trail: {dir: ./file}" }, doctor.Bad, "trail", `the trail cannot be written: .*not a directory; do: no key is rotated or given out: let the user`},
		{"a trail where no file can be made", "", func(w *world) { w.notify = "trail: {dir: /proc/trail}" }, doctor.Bad, "trail", `the trail cannot be written: make a file in /proc: no such file or directory`},
		{"a trail whose log is a folder", "", func(w *world) {
			w.notify = "trail: {dir: ./trail, name: here}"
			w.must(os.MkdirAll(filepath.Join(w.dir, "trail", "here", "current.jsonl"), 0o700))
		}, doctor.Bad, "trail", `current.jsonl: is a directory`},
		{"a trail that need not be written", "", func(w *world) { w.notify = "trail: {dir: /proc/trail, on_failure: warn}" }, doctor.Advice, "trail", `cannot be written.*; do: nothing that is done is recorded: let the user`},
		{"a trail without its ConfigMap", "kubernetes", func(w *world) { w.clusterTrail() }, doctor.Bad, "trail", `the trail's ConfigMap is not there: kubectl --namespace growth create configmap trail`},
		{"a trail whose ConfigMap may not be written", "kubernetes", func(w *world) {
			w.clusterTrail()
			w.kube.Configure("growth", "trail")
			w.kube.Denied = map[string]bool{"patch": true}
		}, doctor.Bad, "trail", `the trail's ConfigMap trail in namespace growth: the role needs the verb patch on configmaps/trail`},
		{"a clock that is ahead", "", func(w *world) { w.ahead = 5 * time.Minute }, doctor.Bad, "clock", `clock is (4|5)m.* ahead of that of Instantly.*set-ntp`},
		{"a clock that is behind", "", func(w *world) { w.ahead = -40 * time.Second }, doctor.Bad, "clock", `clock is (39|40)s behind`},

		// AWS.
		{"an AWS permission that lacks: to store", "aws", func(w *world) { w.aws.Deny("PutSecretValue") }, doctor.Bad, "store-write", `needs secretsmanager:PutSecretValue.*deploy/iam has the rights`},
		{"an AWS permission that lacks: to promote", "aws", func(w *world) { w.aws.Deny("UpdateSecretVersionStage") }, doctor.Bad, "store-write", `needs secretsmanager:UpdateSecretVersionStage`},
		{"an AWS permission that lacks: to mark", "aws", func(w *world) { w.aws.Deny("TagResource") }, doctor.Bad, "store-write", `needs secretsmanager:TagResource`},
		{"an AWS permission that lacks: to read", "aws", func(w *world) { w.aws.Deny("GetSecretValue") }, doctor.Bad, "store-read", `needs secretsmanager:GetSecretValue`},
		{"an AWS secret that is not there", "aws", func(w *world) {
			w.awsCall("DeleteSecret", `{"SecretId": "sending", "ForceDeleteWithoutRecovery": true}`)
		}, doctor.Bad, "store", `aws secretsmanager create-secret --name sending`},
		{"an AWS secret that is to be deleted", "aws", func(w *world) { w.awsCall("DeleteSecret", `{"SecretId": "sending"}`) }, doctor.Bad, "store", `aws secretsmanager restore-secret`},
		{"an AWS secret with too many labels", "aws", func(w *world) { w.labels(12) }, doctor.Bad, "store-write", `room for labels.*remove those that nobody needs`},
		{"an AWS version that Terraform made", "aws", func(w *world) {
			w.awsCall("PutSecretValue", `{"SecretId": "sending", "ClientRequestToken": "00000000-1111-4000-8000-000000000000", "SecretString": "x"}`)
		}, doctor.Advice, "store-advice", `if Terraform made it, the next apply`},
		{"an AWS secret with another KMS key", "aws", func(w *world) {
			w.store = strings.Replace(w.store, "}", ", create_missing: true, kms_key_id: alias/ours}", 1)
		}, doctor.Advice, "store-advice", `kms_key_id is alias/ours, but .*update-secret`},

		// GCP.
		{"a GCP permission that lacks", "gcp", func(w *world) { w.gcp.Deny("secretmanager.versions.add") }, doctor.Bad, "store-write", `needs secretmanager.versions.add on projects/`},
		{"a GCP secret that is not there", "gcp", func(w *world) { w.gcp.Remove("sending") }, doctor.Bad, "store", `gcloud secrets create sending`},
		{"a server that compares no etags", "gcp", func(w *world) { w.gcp.Quirks.IgnoreEtags = true }, doctor.Bad, "store-write", `two rotators could not be kept apart`},
		{"a GCP secret full of annotations", "gcp", func(w *world) { w.gcp.Annotate("sending", "others", strings.Repeat("x", 14<<10)) }, doctor.Bad, "store-write", `room for annotations`},

		// Vault.
		{"a Vault policy that lacks a capability", "vault", func(w *world) { delete(w.vault.Policy, "secret/destroy/sending") }, doctor.Bad, "store-write", `needs update on secret/destroy/sending.*deploy/iam has the rights`},
		{"a Vault policy without the consumers' path", "vault", func(w *world) { delete(w.vault.Policy, "secret/data/sending") }, doctor.Bad, "store", `needs read on secret/data/sending`},
		{"a Vault whose token is not there", "vault", func(w *world) { w.must(os.Remove(filepath.Join(w.dir, "token"))) }, doctor.Bad, "store", `: no credentials: open .*token: no such file or directory; do: the message says what is looked for: put it there`},
		{"a Vault that is sealed", "vault", func(w *world) { w.vault.Status, w.vault.Text = http.StatusServiceUnavailable, "Vault is sealed" }, doctor.Bad, "store", `the server is sealed`},
		{"a key that was taken out of Vault", "vault", func(w *world) { w.vault.Put("sending", map[string]any{"host": "h"}) }, doctor.Advice, "store-advice", `put it back, or rotate`},

		// Kubernetes.
		{"a kubeconfig that is not there", "kubernetes", func(w *world) { w.must(os.Remove(filepath.Join(w.dir, "kubeconfig"))); w.after = "" }, doctor.Bad, "store", `no cluster to talk to: .*: no credentials: .*kubeconfig: no such file.*; do: the message says what is looked for: put it there`},
		{"a role that lacks a verb", "kubernetes", func(w *world) { w.kube.Denied = map[string]bool{"patch": true}; w.after = "" }, doctor.Bad, "store-write", `needs the verb patch on secrets/sending in namespace growth`},
		{"a cluster that says nothing of rights", "kubernetes", func(w *world) { w.kube.Denied = map[string]bool{"review": true}; w.after = "" }, doctor.Hidden, "store-write", `ask for the verb get on secrets/sending`},
		{"an immutable Secret", "kubernetes", func(w *world) { w.kube.Freeze("growth", "sending") }, doctor.Bad, "store-write", `the Secret is immutable`},
		{"a Secret without room", "kubernetes", func(w *world) { w.kube.Fill("growth", "sending", 500) }, doctor.Bad, "store-write", `the Secret would have`},
		{"a workload that is not there", "kubernetes", func(w *world) { w.after = "{restart: deployment/nobody}" }, doctor.Bad, "hook", `there is no deployment nobody`},
		{"a workload that may not be restarted", "kubernetes", func(w *world) { w.kube.Denied = map[string]bool{"patch": true} }, doctor.Bad, "hook", `needs the verb patch on deployments/web`},
		{"a workload that is paused", "kubernetes", func(w *world) { w.kube.Pause("growth", "web") }, doctor.Bad, "hook", `it is paused`},
	}
}

func (w *world) keyByHand() sandbox.KeyRecord {
	w.Helper()
	k, err := w.api.AddKey(sandbox.DefaultWorkspaceID, "by hand", "campaigns:read")
	w.must(err)
	return k
}

// webhooks has the secret of those named crm be a target.
func (w *world) webhooks() {
	w.notify = "webhook_secrets: [{name: hooks, webhooks: {name: crm}, stores: [{store: primary, secret: hooks}]}]"
	w.adminKeyWith("api_keys:all", "workspaces:read", "webhooks:all", "webhook_events:read")
}

// clusterTrail has the trail be kept in the cluster.
func (w *world) clusterTrail() {
	w.Helper()
	_, err := trail.MakeKey(filepath.Join(w.dir, "signing"), "growth")
	w.must(err)
	w.notify = "trail: {config_map: trail, namespace: growth, key_file: signing/key}"
}

func (w *world) adminFile(mode os.FileMode) {
	w.write("admin-key", w.api.Workspaces()[0].AdminKey.Reveal())
	w.must(os.Chmod(filepath.Join(w.dir, "admin-key"), mode))
	w.adminKey = "{file: admin-key}"
}

// labels of somebody else's.
func (w *world) labels(n int) {
	held, _, _ := w.aws.Inspect("sending")
	for version := range held {
		for i := range n {
			w.awsCall("UpdateSecretVersionStage", fmt.Sprintf(`{"SecretId": "sending", "VersionStage": "theirs-%d", "MoveToVersionId": %q}`, i, version))
		}
	}
}

// TestEachTroubleIsFound plants one trouble after the other. With -v the table of what
// was found is printed.
func TestEachTroubleIsFound(t *testing.T) {
	lines := make([]string, len(troubles()))
	t.Run("trouble", func(t *testing.T) {
		for i, tr := range troubles() {
			t.Run(tr.name, func(t *testing.T) {
				if tr.kind != "aws" && tr.kind != "kubernetes" { // those have an environment
					t.Parallel()
				}
				lines[i] = tr.found(newWorld(t, tr.kind))
			})
		}
	})
	t.Logf("%d troubles, each as it was found:\n%s", len(lines), strings.Join(lines, "\n"))
}

// found plants the trouble and gives the line in which it is told.
func (tr trouble) found(w *world) string {
	tr.plant(w)
	r := w.examine()
	if tr.level.Failed() && !r.Failed() {
		w.Error("it ends with success")
	}
	for _, f := range r.Told(false) {
		if f.Check == tr.check && f.Level == tr.level && regexp.MustCompile("(?s)"+tr.says).MatchString(f.Text+"; do: "+f.Remedy) {
			return fmt.Sprintf("%-42s %-9s %-17s %s: %s", tr.name, f.Level.Text(), f.Check, strings.Join(f.About, ", "), strings.ReplaceAll(f.Text, w.dir, "…"))
		}
	}
	w.Fatalf("%s %s %q is not among %+v", tr.level, tr.check, tr.says, r.Told(false))
	return ""
}

func TestNothingIsSaidOfAHealthySetUp(t *testing.T) {
	for _, kind := range []string{"file", "aws", "gcp", "kubernetes", "vault"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, kind)
			w.vaulted()
			w.notify = "trail: {dir: ./trail/of/this}"
			keys, revision := len(w.api.Keys(sandbox.DefaultWorkspaceID)), w.revision()
			r := w.examine()
			if told := r.Told(false); len(told) > 0 || !r.Healthy || r.Failed() {
				t.Errorf("healthy %v, said %+v", r.Healthy, told)
			}
			for _, c := range r.Checks {
				if c.Level != doctor.Good && c.Level != "" {
					t.Errorf("%s is %s", c.ID, c.Level)
				}
			}
			if now := w.revision(); now != revision || len(w.api.Keys(sandbox.DefaultWorkspaceID)) != keys {
				t.Errorf("the examination changed something: revision %s, before %s", now, revision)
			}
			if left, _ := filepath.Glob(filepath.Join(w.dir, ".probe-*")); len(left) > 0 || exists(filepath.Join(w.dir, "trail")) {
				t.Errorf("the examination left something behind: %v, or the trail's folder", left)
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// One trouble is told once, for whatever it is in the way of.
func TestWhatFollowsFromATroubleIsNotTold(t *testing.T) {
	w := newWorld(t, "")
	w.adminKey = "{env: NOWHERE}"
	r := w.examine()
	for _, f := range r.Told(false) {
		if f.Level.Failed() && f.Check != "admin-key" {
			t.Errorf("said besides: %+v", f)
		}
	}
	for _, c := range r.Checks {
		if c.ID == "admin-key-delete" && c.Level != doctor.Hidden {
			t.Errorf("what could not be asked is %s", c.Level)
		}
	}
}
