package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// minimal is the least that a file needs.
const minimal = `workspaces:
  main:
    admin_key: {env: INSTANTLY_ADMIN_KEY}
stores:
  local: {kind: file, path: ./store}
keys:
  - name: sending
    scopes: [campaigns:read]
    stores: [{store: local}]
`

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, warnings, err := config.Parse("/etc/rotator/c.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings:\n%s", warnings)
	}
	return cfg
}

// compareSchedules compares by what people see.
func compareSchedules() cmp.Option {
	return cmp.Comparer(func(a, b config.Schedule) bool { return a.String() == b.String() })
}

func wantDiff(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, compareSchedules()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func schedule(t *testing.T, spec string, zone *time.Location) config.Schedule {
	t.Helper()
	s, err := config.ParseSchedule(spec, zone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDefaultsFillAMinimalFile(t *testing.T) {
	want := &config.Config{
		File:        "/etc/rotator/c.yaml",
		Owner:       "instantly-rotator",
		Concurrency: 8, Resync: 10 * time.Minute, VerifyEvery: 24 * time.Hour, Lease: 30 * time.Second,
		Audit: config.Audit{Every: 24 * time.Hour, MaxAdmins: 2},
		Workspaces: map[string]config.Workspace{"main": {
			Name: "main", AdminKey: config.SecretRef{Env: "INSTANTLY_ADMIN_KEY"},
			BaseURL: "https://api.instantly.ai", RequestsPerSecond: 5,
		}},
		Stores: map[string]config.Store{"local": {Name: "local", Kind: "file", Settings: &filestore.Settings{
			Path: "/etc/rotator/store", Identity: "/etc/rotator/store/identity",
		}}},
		Keys: []config.Key{{
			Name: "sending", Workspace: "main", Scopes: []string{"campaigns:read"},
			Stores:   []config.StoreRef{{Store: "local", Secret: "sending"}},
			Schedule: schedule(t, "0 3 1 */3 *", time.UTC),
			Grace:    24 * time.Hour, MaxAge: 120 * 24 * time.Hour,
			ActivationTimeout: time.Minute, RevocationTimeout: time.Minute,
		}},
	}
	wantDiff(t, want, parse(t, minimal))
}

func TestEverythingThatIsWrittenIsTaken(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, `owner: team-1
concurrency: 2
workspaces:
  one:
    admin_key: {file: secrets/one}
    organization_id: org-1
    base_url: http://127.0.0.1:8086/api/v2/
    as_workspace: sub-1
    requests_per_second: 0.5
  two:
    admin_key: {store: local, secret: admin}
stores:
  local: {kind: file, path: /srv/store, identity: id.txt, recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]}
  other: {kind: file, path: ../other}
keys:
  - name: a
    workspace: two
    scopes: [all:read, leads:update]
    allow_critical_scopes: a good reason
    stores: [{store: other, secret: x}, {store: local}]
    schedule: "@quarterly"
    timezone: Europe/Berlin
    grace_period: 1d12h
    max_age: 15w
    activation_timeout: 1m30s
    revocation_timeout: 500ms
`)
	want := &config.Config{
		File:        "/etc/rotator/c.yaml",
		Owner:       "team-1",
		Concurrency: 2, Resync: 10 * time.Minute, VerifyEvery: 24 * time.Hour, Lease: 30 * time.Second,
		Audit: config.Audit{Every: 24 * time.Hour, MaxAdmins: 2},
		Workspaces: map[string]config.Workspace{
			"one": {
				Name: "one", AdminKey: config.SecretRef{File: "/etc/rotator/secrets/one"}, OrganizationID: "org-1",
				BaseURL: "http://127.0.0.1:8086", AsWorkspace: "sub-1", RequestsPerSecond: 0.5,
			},
			"two": {
				Name: "two", AdminKey: config.SecretRef{Store: "local", Secret: "admin"},
				BaseURL: "https://api.instantly.ai", RequestsPerSecond: 5,
			},
		},
		Stores: map[string]config.Store{
			"local": {Name: "local", Kind: "file", Settings: &filestore.Settings{
				Path: "/srv/store", Identity: "/etc/rotator/id.txt",
				Recipients: []string{"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"},
			}},
			"other": {Name: "other", Kind: "file", Settings: &filestore.Settings{Path: "/etc/other", Identity: "/etc/other/identity"}},
		},
		Keys: []config.Key{{
			Name: "a", Workspace: "two", Scopes: []string{"all:read", "leads:update"}, AllowCriticalScopes: "a good reason",
			Stores:   []config.StoreRef{{Store: "other", Secret: "x"}, {Store: "local", Secret: "a"}},
			Schedule: schedule(t, "@quarterly", berlin),
			Grace:    36 * time.Hour, MaxAge: 15 * 7 * 24 * time.Hour,
			ActivationTimeout: 90 * time.Second, RevocationTimeout: 500 * time.Millisecond,
		}},
	}
	wantDiff(t, want, got)
}

func TestKeysInheritWhatTheyDoNotSet(t *testing.T) {
	got := parse(t, `defaults: {schedule: "@monthly", timezone: Asia/Tokyo, grace_period: 7d}
`+minimal+`    grace_period: 2d
  - name: other
    scopes: [leads:read]
    stores: [{store: local}]
`)
	type inherited struct {
		Schedule string
		Grace    time.Duration
	}
	var have []inherited
	for _, k := range got.Keys {
		have = append(have, inherited{k.Schedule.String(), k.Grace})
	}
	day := 24 * time.Hour
	wantDiff(t, []inherited{{"@monthly (Asia/Tokyo)", 2 * day}, {"@monthly (Asia/Tokyo)", 7 * day}}, have)
}

func TestAnchorsAndAliasesAreFollowed(t *testing.T) {
	got := parse(t, strings.Replace(minimal, "[campaigns:read]", "&scopes [campaigns:read, leads:read]", 1)+`  - name: other
    scopes: *scopes
    stores: [{store: local}]
`)
	wantDiff(t, []string{"campaigns:read", "leads:read"}, got.Keys[1].Scopes)
}

func TestRelativePathsBeginInTheFilesFolder(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "c.yaml"), []byte(minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(folder))
	cfg, _, err := config.Load(filepath.Join(filepath.Base(folder), "c.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := &filestore.Settings{Path: filepath.Join(folder, "store"), Identity: filepath.Join(folder, "store", "identity")}
	wantDiff(t, storekind.Settings(want), cfg.Stores["local"].Settings)
}

func TestWindowsLineEndsAndByteOrderMarkAreFine(t *testing.T) {
	parse(t, "\ufeff"+strings.ReplaceAll(minimal, "\n", "\r\n"))
}

func TestGCPStoreIsTakenAsWritten(t *testing.T) {
	got := parse(t, strings.Replace(minimal, "  local: {kind: file, path: ./store}", `  local: {kind: gcp, project: my-project}
  all:
    kind: gcp
    project: "892942638129"
    location: europe-west3
    impersonate: rotator@my-project.iam.gserviceaccount.com
    endpoint: 127.0.0.1:9090
    create_missing: true
    kms_key: projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k
    labels: {team: growth, empty: ""}
    keep_versions: 3
    disable: true
    payload: json
    json: {token: "{key}", "of key": "{id}"}
  replicated: {kind: gcp, project: my-project, replication: [europe-west1, europe-west3]}`, 1))
	wantDiff(t, map[string]config.Store{
		"local": {Name: "local", Kind: "gcp", Settings: &gcpsecretmanager.Settings{Project: "my-project"}},
		"all": {Name: "all", Kind: "gcp", Settings: &gcpsecretmanager.Settings{
			Project:       "892942638129",
			Site:          gcpsecretmanager.Site{Location: "europe-west3", Impersonate: "rotator@my-project.iam.gserviceaccount.com", Endpoint: "127.0.0.1:9090"},
			CreateMissing: true, Create: gcpsecretmanager.Create{
				KMSKey: "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k", Labels: map[string]string{"team": "growth", "empty": ""},
			},
			KeepVersions: 3, Disable: true,
			Payload: payload.Settings{Kind: "json", JSON: map[string]string{"token": "{key}", "of key": "{id}"}},
		}},
		"replicated": {Name: "replicated", Kind: "gcp", Settings: &gcpsecretmanager.Settings{
			Project: "my-project", Create: gcpsecretmanager.Create{Replication: []string{"europe-west1", "europe-west3"}},
		}},
	}, got.Stores)
}

// Whoever has webhooks only needs no key.
func TestWebhookSecretsAloneAreAConfiguration(t *testing.T) {
	const text = `
workspaces: {main: {admin_key: {env: INSTANTLY_ADMIN_KEY}}}
stores: {local: {kind: file, path: ./store}}
webhook_secrets: [{name: replies, webhooks: {name: replies}, stores: [{store: local}]}]
`
	for _, more := range []string{"", "keys: []\n"} {
		cfg, _, err := config.Parse("c.yaml", []byte(text+more))
		if err != nil {
			t.Fatal(err)
		}
		if len(cfg.Keys) != 1 || !cfg.Sends("replies") {
			t.Errorf("%q: got the targets %v", more, cfg.Keys)
		}
	}
}

// Webhooks may be chosen by a list of their ids alone.
func TestWebhooksAreChosenByAListOfIDs(t *testing.T) {
	for _, written := range []string{"[one, two]", "{ids: [one, two]}"} {
		cfg, _, err := config.Parse("c.yaml", []byte(minimal+"webhook_secrets: [{name: replies, webhooks: "+written+", stores: [{store: local, secret: hook}]}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		hooks := cfg.Keys[len(cfg.Keys)-1].Webhooks
		if !slices.Equal(hooks.IDs, []string{"one", "two"}) || hooks.URL != "" {
			t.Errorf("%s: got %+v", written, *hooks)
		}
	}
}
