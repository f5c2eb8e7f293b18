package all_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/composio"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/httpsink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/program"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Somebody corrects an address or a program in the configuration, or has two sections for two
// services: what was put into the one place is not taken for put into the other.
func TestAPlaceIsAnotherOneWhereTheConfigurationLeadsElsewhere(t *testing.T) {
	env := &storekind.Environment{}
	defer func() { _ = env.Close() }()
	const body = `{"value": "{key}"}`
	for name, of := range map[string][2]sinkkind.Settings{
		"http, url": {
			&httpsink.Settings{Address: "https://mistyped.example.com/{place}", Body: body},
			&httpsink.Settings{Address: "https://meant.example.com/{place}", Body: body},
		},
		"http, body": {
			&httpsink.Settings{Address: "https://a.example.com/{place}", Body: body},
			&httpsink.Settings{Address: "https://a.example.com/{place}", Body: `{"text": "{key}"}`},
		},
		"program": {
			&program.Settings{Command: []string{"/bin/put"}, Timeout: "60s"},
			&program.Settings{Command: []string{"/bin/put", "prod"}, Timeout: "60s"},
		},
		"composio, address": {
			&composio.Settings{Address: "https://backend.composio.dev"},
			&composio.Settings{Address: "https://composio.example.com"},
		},
		"composio, field": {
			&composio.Settings{Address: "https://backend.composio.dev"},
			&composio.Settings{Address: "https://backend.composio.dev", Field: "generic_api_key"},
		},
		"github": {
			&githubsecret.Settings{Address: "https://api.github.com", For: "actions"},
			&githubsecret.Settings{Address: "https://github.example.com/api/v3", For: "actions"},
		},
	} {
		var where [3]string
		for i, s := range []sinkkind.Settings{of[0], of[1], of[0]} {
			opened, err := s.Open(t.Context(), env, sinkkind.Opening{Section: "s", Place: "acme/web/KEY"})
			if err != nil {
				t.Fatal(err)
			}
			if placed, ok := opened.(sink.Placed); ok {
				where[i] = opened.Name() + " " + placed.Where()
			}
		}
		if where[0] == where[1] || where[0] != where[2] {
			t.Errorf("%s: %q and %q", name, where[0], where[1])
		}
	}
}
