package gcpsecretmanager

import (
	"context"
	"maps"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Kind is GCP Secret Manager in the configuration.
func Kind() storekind.Kind {
	return storekind.Kind{
		Name: "gcp", Title: "GCP Secret Manager", Settings: func() storekind.Settings { return &Settings{} }, Discover: discover,
	}
}

// Settings say how one project keeps its secrets.
type Settings struct {
	// Project is the project's id or number.
	Project string
	// Site is where the service is and as whom it is called.
	Site Site
	// CreateMissing makes secrets that are not there, as Create says.
	CreateMissing bool
	Create        Create
	// KeepVersions is how many forgotten versions are kept, disabled.
	KeepVersions int
	// Disable forgotten versions and destroy none.
	Disable bool
	// Payload is how a key is written.
	Payload payload.Settings
}

var (
	_ storekind.Settings = (*Settings)(nil)
	_ storekind.ByHand   = (*Settings)(nil)
	_ storekind.Named    = (*Settings)(nil)
)

// regionPattern is what GCP's regions look like.
const regionPattern = `^[a-z]+(-[a-z]+)+[0-9]+$`

// Options implements [storekind.Settings].
func (s *Settings) Options() []storekind.Option {
	options := []storekind.Option{
		{
			Name: "project", Into: &s.Project, Required: true,
			Doc:     "The project of the secrets, by its id or number. Credentials are the Application Default Credentials.",
			Pattern: `^([a-z0-9.-]+:)?[a-z0-9][a-z0-9-]{3,29}$`, Want: "want the id of a project, such as my-project-123, or its number",
		},
		{
			Name: "location", Into: &s.Site.Location,
			Doc:     "Region of regional secrets. Left out, secrets are not regional.",
			Pattern: regionPattern, Want: "want a region", Examples: []string{"europe-west3"},
		},
		{
			Name: "impersonate", Into: &s.Site.Impersonate,
			Doc:     "Service account to act as. The credentials need roles/iam.serviceAccountTokenCreator on it.",
			Pattern: `^[^@\s]+@[^@\s]+\.gserviceaccount\.com$`, Want: "want the address of a service account",
		},
		{
			Name: "endpoint", Into: &s.Site.Endpoint,
			Doc: "Where the service is, if not at Google: an emulator, a private endpoint. " +
				"Plain text and without credentials on this machine, TLS otherwise.",
			Pattern: `^[^/@\s]+:[0-9]{1,5}$`, Want: "want host:port", Examples: []string{"127.0.0.1:9090"},
		},
		{
			Name: "create_missing", Into: &s.CreateMissing, Asked: true, Default: "false",
			Doc: "Make a secret that is not there, at the first write. " +
				"Off, so that a misspelt name is an error and access stays yours to give.",
		},
		{
			Name: "replication", Into: &s.Create.Replication, Word: "automatic", Default: "automatic",
			Doc:     "Where a secret that is made keeps its values: automatic, or a list of regions. A regional secret has none.",
			Pattern: regionPattern, Want: "write automatic, or a list of regions such as [europe-west1, europe-west3]",
		},
		{
			Name: "kms_key", Into: &s.Create.KMSKey,
			Doc:     "Cloud KMS key that encrypts a secret that is made. Left out, Google's own.",
			Pattern: `^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$`,
			Want:    "want projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY",
		},
		{Name: "labels", Into: &s.Create.Labels, Default: "{}", Doc: "Labels of a secret that is made."},
		{
			Name: "keep_versions", Into: &s.KeepVersions, Default: "0", Min: 0, Max: 1000, Want: "want 0 to 1000",
			Doc: "How many forgotten versions are kept, disabled, before they are destroyed. Their keys are revoked either way.",
		},
		{
			Name: "disable", Into: &s.Disable, Default: "false",
			Doc: "Disable forgotten versions and never destroy any. Google charges for disabled versions as for enabled ones.",
		},
	}
	return append(options, s.Payload.Options()...)
}

// Check implements [storekind.Settings].
func (s *Settings) Check(c storekind.Checker) {
	s.Payload.Check(c)
	if s.Site.Location != "" && len(s.Create.Replication) > 0 {
		c.Fail("replication", "leave one of the two out", "a regional secret has no replication")
	}
	if s.Create.KMSKey != "" && len(s.Create.Replication) > 1 {
		c.Fail("kms_key", "make the secrets yourself, with a key for each region", "one KMS key cannot serve several regions")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Create.Labels)) {
		if value := s.Create.Labels[name]; !isLabel(name, value) {
			c.Fail("labels", "want lower-case letters, digits, underscores and hyphens, at most 63, a letter first",
				"bad label %s: %s", c.Quote(name), c.Quote(value))
		}
	}
}

// isLabel tells whether a label is one by the reference of the resource Secret.
func isLabel(name, value string) bool {
	return storekind.Pattern(`^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$`).MatchString(name) &&
		storekind.Pattern(`^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$`).MatchString(value)
}

// Refuse implements [storekind.Settings].
func (s *Settings) Refuse(secret string) string {
	if !storekind.Pattern(`^[A-Za-z0-9_-]{1,255}$`).MatchString(secret) {
		return "want letters, digits, underscores and hyphens, at most 255"
	}
	return ""
}

// Place implements [storekind.Settings]. It takes a project's id and its number for
// two projects: only the service knows better.
func (s *Settings) Place(secret string) string {
	return s.Site.Endpoint + " " + s.Project + "/" + s.Site.Location + "/" + secret
}

// PutCommand implements [storekind.ByHand].
func (s *Settings) PutCommand(secret string) string {
	command := "gcloud secrets versions add " + secret + " --project " + s.Project + " --data-file=-"
	if s.Site.Location != "" {
		command += " --location " + s.Site.Location
	}
	return command
}

// Open implements [storekind.Settings]. All secrets of a site share a client.
func (s *Settings) Open(ctx context.Context, env *storekind.Environment, secret string) (secretstore.Store, error) {
	form, err := s.Payload.Form()
	if err != nil {
		return nil, err
	}
	client, err := storekind.Share(env, s.Site, func() (*Client, error) { return Connect(ctx, s.Site) })
	if err != nil {
		return nil, err
	}
	o := Options{
		Project: s.Project, Secret: secret, Owner: env.Owner,
		Payload: form, KeepVersions: s.KeepVersions, Disable: s.Disable, Now: env.Now,
	}
	if s.CreateMissing {
		o.CreateMissing = &s.Create
	}
	return client.Open(o)
}

// IsSecret implements [storekind.Named]. GCP names a secret by its resource, with the number
// of the project where that is configured by its id: these two it takes for the same.
func (s *Settings) IsSecret(secret, called string) bool {
	is := storekind.Pattern(`^projects/([^/]+)(?:/locations/([^/]+))?/secrets/([^/]+)$`).FindStringSubmatch(called)
	if is == nil || is[3] != secret || is[2] != s.Site.Location {
		return false
	}
	number := storekind.Pattern(`^[0-9]+$`)
	return is[1] == s.Project || number.MatchString(is[1]) != number.MatchString(s.Project)
}
