package config

import (
	"maps"
	"slices"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
)

// GCPStore is GCP Secret Manager in one project.
type GCPStore struct {
	// Project is the project's id or number.
	Project string
	// Location of regional secrets; empty for those that are not regional.
	Location string
	// Impersonate is the service account to act as; empty for none.
	Impersonate string
	// Endpoint of the service, host:port; empty for the service's own.
	Endpoint string
	// CreateMissing makes secrets that are not there.
	CreateMissing bool
	// Replication lists the locations of secrets that are made; empty for
	// automatic.
	Replication []string
	// KMSKey encrypts secrets that are made; empty for Google's own.
	KMSKey string
	// Labels of secrets that are made.
	Labels map[string]string
	// KeepVersions is how many forgotten versions are kept, disabled.
	KeepVersions int
	// Disable forgotten versions and destroy none.
	Disable bool
	// JSON is the template of what is stored; nil for the key alone.
	JSON map[string]string
}

// Form gives how keys are written. It fails for no configuration that was
// accepted.
func (s GCPStore) Form() (payload.Form, error) { return payloadForm(s.JSON) }

// place takes a project's id and its number for two projects: only the service
// knows better.
func (s GCPStore) place(secret string) string {
	return "gcp " + s.Endpoint + " " + s.Project + "/" + s.Location + "/" + secret
}

func (s GCPStore) refuse(secret string) string {
	if !pattern(`^[A-Za-z0-9_-]{1,255}$`).MatchString(secret) {
		return "want letters, digits, underscores and hyphens, at most 255"
	}
	return ""
}

// gcpStoreForm is an entry of stores with kind: gcp.
type gcpStoreForm struct {
	mark
	Kind          text        `json:"kind"`
	Project       text        `json:"project"`
	Location      text        `json:"location"`
	Impersonate   text        `json:"impersonate"`
	Endpoint      text        `json:"endpoint"`
	CreateMissing flag        `json:"create_missing"`
	Replication   replication `json:"replication"`
	KMSKey        text        `json:"kms_key"`
	Labels        texts       `json:"labels"`
	KeepVersions  integer     `json:"keep_versions"`
	Disable       flag        `json:"disable"`
	Payload       text        `json:"payload"`
	JSON          texts       `json:"json"`
}

func (gcpStoreForm) section() string { return "stores.*(gcp)" }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f gcpStoreForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

func gcpKind() storeKind {
	return storeKind{name: "gcp", form: func() storeKindForm { return &gcpStoreForm{} }, options: gcpOptions()}
}

// locationPattern is what GCP's regions look like.
const locationPattern = `^[a-z]+(-[a-z]+)+[0-9]+$`

func gcpOptions() []Option {
	in := gcpStoreForm{}.section()
	options := []Option{
		{In: in, Name: "kind", Required: true, Doc: "What kind of store it is."},
		{
			In: in, Name: "project", Required: true,
			Doc:     "The project of the secrets, by its id or number. Credentials are the Application Default Credentials.",
			Pattern: `^([a-z0-9.-]+:)?[a-z0-9][a-z0-9-]{3,29}$`, Want: "want the id of a project, such as my-project-123, or its number",
		},
		{
			In: in, Name: "location",
			Doc:     "Region of regional secrets. Left out, secrets are not regional.",
			Pattern: locationPattern, Want: "want a region", Examples: []string{"europe-west3"},
		},
		{
			In: in, Name: "impersonate",
			Doc:     "Service account to act as. The credentials need roles/iam.serviceAccountTokenCreator on it.",
			Pattern: `^[^@\s]+@[^@\s]+\.gserviceaccount\.com$`, Want: "want the address of a service account",
		},
		{
			In: in, Name: "endpoint",
			Doc: "Where the service is, if not at Google: an emulator, a private endpoint. " +
				"Plain text and without credentials on this machine, TLS otherwise.",
			Pattern: `^[^/@\s]+:[0-9]{1,5}$`, Want: "want host:port", Examples: []string{"127.0.0.1:9090"},
		},
		{
			In: in, Name: "create_missing", Default: "false",
			Doc: "Make a secret that is not there, at the first write. " +
				"Off, so that a misspelt name is an error and access stays yours to give.",
		},
		{
			In: in, Name: "replication", Default: "automatic",
			Doc: "Where a secret that is made keeps its values: automatic, or a list of regions. A regional secret has none.",
		},
		{
			In: in, Name: "kms_key",
			Doc:     "Cloud KMS key that encrypts a secret that is made. Left out, Google's own.",
			Pattern: `^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$`,
			Want:    "want projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY",
		},
		{In: in, Name: "labels", Default: "{}", Doc: "Labels of a secret that is made."},
		{
			In: in, Name: "keep_versions", Default: "0", Min: 0, Max: 1000, Want: "want 0 to 1000",
			Doc: "How many forgotten versions are kept, disabled, before they are destroyed. Their keys are revoked either way.",
		},
		{
			In: in, Name: "disable", Default: "false",
			Doc: "Disable forgotten versions and never destroy any. Google charges for disabled versions as for enabled ones.",
		},
	}
	return append(options, payloadOptions(in)...)
}

func (f *gcpStoreForm) resolve(c *checker) Backend {
	places := f.Replication.v
	if f.Location.ok && len(places) > 0 {
		c.fail(f.Replication.mark, "leave one of the two out", "a regional secret has no replication")
	}
	if f.KMSKey.ok && len(places) > 1 {
		c.fail(f.KMSKey.mark, "make the secrets yourself, with a key for each region", "one KMS key cannot serve several regions")
	}
	for _, name := range slices.Sorted(maps.Keys(f.Labels.v)) {
		if value := f.Labels.v[name]; !isLabel(name, value) {
			c.fail(f.Labels.mark, "want lower-case letters, digits, underscores and hyphens, at most 63, a letter first",
				"bad label %s: %s", quote(name), quote(value))
		}
	}
	return GCPStore{
		Project: f.Project.v, Location: f.Location.v, Impersonate: f.Impersonate.v, Endpoint: f.Endpoint.v,
		CreateMissing: f.CreateMissing.v, Replication: places, KMSKey: f.KMSKey.v, Labels: f.Labels.v,
		KeepVersions: f.KeepVersions.v, Disable: f.Disable.v,
		JSON: c.template(f.Payload, f.JSON),
	}
}

// isLabel tells whether a label is one by the reference of the resource Secret.
func isLabel(name, value string) bool {
	return pattern(`^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$`).MatchString(name) &&
		pattern(`^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$`).MatchString(value)
}

// A replication is the word automatic, no regions, or a list of regions.
type replication struct{ value[[]string] }

func (r *replication) parse(n *yaml.Node) error {
	bad := &hinted{"not a replication policy", "write automatic, or a list of regions such as [europe-west1, europe-west3]"}
	r.v = nil
	if n.Kind == yaml.ScalarNode && n.Value == "automatic" {
		r.ok = true
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 || n.Decode(&r.v) != nil {
		return bad
	}
	for _, region := range r.v {
		if !pattern(locationPattern).MatchString(region) {
			return bad
		}
	}
	r.ok = true
	return nil
}

// JSONSchema implements an interface of package jsonschema.
func (replication) JSONSchema() *jsonschema.Schema {
	least := uint64(1)
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Const: "automatic"},
		{Type: "array", MinItems: &least, Items: &jsonschema.Schema{Type: "string", Pattern: locationPattern}},
	}}
}
