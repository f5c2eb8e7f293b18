package config

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
)

// Option is one option of the file: the one source of its default, its
// description and its bounds, for the parser, the schema and the example.
type Option struct {
	// In is the section the option is in: "" is the top of the file, a "*"
	// stands for any name, "[]" for any item. What keys inherit is in "defaults".
	In string
	// Name of the option in its section.
	Name string
	// Default as YAML; empty if there is none.
	Default string
	// Required options must be written, Unless another one of the section is.
	Required bool
	Unless   string
	// Doc says what the option is for and why its default is what it is.
	Doc string

	// Pattern is what a text must match, if not empty; Want says it in words,
	// as it does for Min and Max of a number.
	Pattern, Want string
	Min, Max      float64
	// Examples of values, as text.
	Examples []string
}

// Path gives the option's place, such as "keys[].name".
func (o Option) Path() string { return join(o.In, o.Name) }

// summary gives the first sentence of the doc, to be put behind a colon.
func (o Option) summary() string {
	first, _, _ := strings.Cut(o.Doc, ". ")
	return strings.TrimSuffix(strings.ToLower(first[:1])+first[1:], ".")
}

// Options lists every option in the order of the file.
func Options() []Option {
	options := append(fileOptions(), rotationOptions()...)
	options = append(options, workspaceOptions()...)
	for _, k := range all.Kinds() {
		options = append(options, storeSection(k, k.Settings()).options()...)
	}
	options = append(options, sinkOptions()...)
	options = append(options, keyOptions()...)
	options = append(options, webhookSecretOptions()...)
	options = append(options, notifyOptions()...)
	options = append(options, auditOptions()...)
	return append(options, trailOptions()...)
}

func fileOptions() []Option {
	return []Option{
		{
			Name: "owner", Default: "instantly-rotator",
			Doc: "Goes into the name of every key. Only keys named with it are ever cleaned up, " +
				"so give each deployment that shares a workspace its own.",
			Pattern: `^[a-z0-9-]{1,40}$`, Want: "want lower-case letters, digits and hyphens, at most 40",
		},
		{
			Name: "concurrency", Default: "8", Min: 1, Max: 64, Want: "want 1 to 64",
			Doc: "How many targets of one workspace, kept in the same stores, are rotated side by side. One that fails or waits does not hold up the others.",
		},
		{
			Name: "resync", Default: "10m",
			Doc: "How often the daemon reads the state of every target. What is due wakes it anyhow: this is for what others changed.",
		},
		{
			Name: "verify_every", Default: "24h",
			Doc: "How often the daemon reads every current key back from its stores, as consumers do, and tests it. 0s: never.",
		},
		{
			Name: "lease", Default: "30s",
			Doc: "How much longer than the activation timeout a rotation is left to the instance that started it, " +
				"before another one takes it up. It saves keys; safety does not hang on it.",
		},
		{Name: "defaults", Doc: "What every target inherits, unless it sets its own."},
		{Name: "workspaces", Required: true, Doc: "The Instantly workspaces, each under a name of your choice."},
		{Name: "stores", Required: true, Doc: "The places that keep the keys, each under a name of your choice."},
		{Name: "sinks", Doc: "Places that are given keys besides, and that perhaps cannot be read back, each under a name of your choice."},
		{Name: "keys", Required: true, Unless: "webhook_secrets", Doc: "The API keys to keep fresh. May be left out if there are webhook_secrets."},
		{Name: "webhook_secrets", Doc: "The secrets in headers of webhooks to keep fresh."},
		{Name: "notify", Doc: "Who is told what happened, each under a name of your choice."},
		{Name: "audit", Doc: "What the audit expects, and which of its findings somebody answers for."},
		{Name: "trail", Doc: "Where it is recorded what is done, so that it can be shown; left out, it is not."},
	}
}

func rotationOptions() []Option {
	const in = "defaults"
	return append([]Option{
		{
			In: in, Name: "schedule", Default: `"0 3 1 */3 *"`,
			Doc: "When a key falls due: five cron fields, @quarterly, @monthly …, or @every 90d; never: only when asked, " +
				"by rotate NAME or the secret manager's own rotation. Quarterly, at a quiet hour, as is common advice for API keys.",
			Examples: []string{"0 3 1 */3 *", "@quarterly", "@monthly", "@every 90d", "never"},
		},
		{
			In: in, Name: "timezone", Default: "UTC",
			Doc:      "IANA time zone of the schedule. UTC has no daylight saving.",
			Examples: []string{"UTC", "Europe/Berlin", "America/New_York"},
		},
		{
			In: in, Name: "jitter", Default: "0s",
			Doc: "How much later than the schedule says a target may fall due, so that those of one schedule do not " +
				"all rotate at once. Each key has its own delay, always the same.",
			Examples: []string{"0s", "2h"},
		},
		{
			In: in, Name: "freeze", Default: "[]",
			Doc: "When no rotation starts by itself: days, days of every year, hours of every week, in the time zone. " +
				"One that has started is finished, and old keys still go.",
			Examples: []string{"2026-12-20/2027-01-06", "12-20/01-06", "Fri 16:00/Mon 08:00"},
		},
		{
			In: in, Name: "keep_apart", Pattern: `^[a-z0-9][a-z0-9-]{0,62}/\S+$`, Want: "want GROUP/DURATION, such as senders/1d",
			Doc: "Keys of one group get new keys at least that long after each other, " +
				"so that a mistake does not hit all of them. Left out, they are not kept apart.",
			Examples: []string{"senders/1d"},
		},
		{
			In: in, Name: "grace_period", Default: "24h",
			Doc: "How long the old key stays alive after every store has the new one. " +
				"Longer than any consumer caches its key; a day covers a nightly restart.",
			Examples: []string{"24h", "7d"},
		},
		{
			In: in, Name: "max_age", Default: "120d",
			Doc: "A key this old is due whatever the schedule says, unless that is never: then it is told. " +
				"Longer than the schedule's widest gap, so that it is only a backstop.",
			Examples: []string{"120d", "26w"},
		},
		{
			In: in, Name: "activation_timeout", Default: "60s",
			Doc: "How long a fresh key may take until Instantly accepts it. " +
				"The vendor does not say how long that is.",
			Examples: []string{"60s", "5m"},
		},
		{
			In: in, Name: "revocation_timeout", Default: "60s",
			Doc: "How long a revoked key may still be accepted before that is reported. " +
				"The vendor does not say how long that is.",
			Examples: []string{"60s", "5m"},
		},
		{
			In: in, Name: "after_promote",
			Doc: "What brings the consumers to a new key, each with exactly one of restart, command, url and audit_log. " +
				"The old key is revoked when its grace period is over and all of them say that the consumers have moved.",
		},
	}, afterPromoteOptions()...)
}

// idPattern is what may stand in an HTTP header; the form of ids is not
// documented beyond examples of UUIDs.
const idPattern = `^[A-Za-z0-9_-]{1,64}$`

func workspaceOptions() []Option {
	const in = "workspaces.*"
	options := []Option{
		{
			In: in, Name: "admin_key", Required: true,
			Doc: "Where the key is that issues and revokes the others: exactly one of env, file, or store with secret. " +
				"It needs the scopes api_keys:create, api_keys:read and api_keys:delete; workspaces:read pins the organization.",
		},
	}
	options = append(options, refOptions(adminKeyPurpose{}, "key", "INSTANTLY_ADMIN_KEY", "/run/secrets/instantly")...)
	options = append(options, adminRotationOptions()...)
	options = append(options, memberOptions()...)
	return append(options, []Option{
		{
			In: in, Name: "organization_id", Pattern: idPattern, Want: "want the id as Instantly shows it",
			Doc: "If set, nothing is touched in any other organization, whatever the admin key may do.",
		},
		{
			In: in, Name: "base_url", Default: "https://api.instantly.ai",
			Doc: "Where the API is; plain http only for a loopback host, such as the sandbox.",
		},
		{
			In: in, Name: "as_workspace", Pattern: idPattern, Want: "want the id as Instantly shows it",
			Doc: "Id of a sub workspace to act in, for agencies whose admin key is that of the workspace group.",
		},
		{
			In: in, Name: "requests_per_second", Default: "5", Min: 0.1, Max: 100, Want: "want 0.1 to 100",
			Doc: "Own limit. Instantly allows 100 a second and 6,000 a minute per workspace, " +
				"shared by everything that uses it; 5 leaves the rest to your other programs.",
		},
	}...)
}

func keyOptions() []Option {
	const in = "keys[]"
	const ref = in + ".stores[]"
	return []Option{
		{
			In: in, Name: "name", Required: true, Pattern: namePattern, Want: nameWant,
			Doc: "What commands, logs and the key's name at Instantly call it.",
		},
		{In: in, Name: "workspace", Doc: "Which workspace the key is for; may be left out if there is just one."},
		{
			In: in, Name: "scopes", Required: true,
			Doc: "What the key may do, as RESOURCE:ACTION. As little as its consumers need: " +
				"a key's scopes cannot be changed, so a change here is a reason to rotate.",
		},
		{
			In: in, Name: "allow_critical_scopes",
			Doc: "The reason why this key must have all:* or api_keys:* scopes. Without it they are refused: " +
				"such a key can make itself any other.",
		},
		{
			In: in, Name: "stores", Required: true,
			Doc: "Where the key is kept. The first is the primary, the others follow it.",
		},
		{
			In: in, Name: "sinks",
			Doc: "Where the key is put after every store has it. The old key is revoked when every sink has the new one.",
		},
		{In: in + ".sinks[]", Name: "sink", Required: true, Doc: "Name of one of the sinks."},
		{In: in + ".sinks[]", Name: "place", Doc: "What the key is put into there, as its kind of sink calls it."},
		knownToOption(in),
		{In: ref, Name: "store", Required: true, Doc: "Name of one of the stores."},
		{In: ref, Name: "secret", Doc: "Name of the secret in that store; left out, the key's name."},
	}
}
