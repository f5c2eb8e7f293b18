package config_test

import (
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
)

func TestReceiversAreTakenAsWritten(t *testing.T) {
	got := parse(t, minimal+`notify:
  pager: {url: {store: local, secret: pager-url}, on: [unable, needs-person]}
  ops: {url: {env: SLACK_URL}}
  journal: {url: {file: secrets/hook}, on: [rotated]}
`)
	wantDiff(t, []config.Receiver{
		{Name: "pager", URL: config.SecretRef{Store: "local", Secret: "pager-url"}, On: []notify.Kind{notify.Unable, notify.NeedsPerson}},
		{Name: "ops", URL: config.SecretRef{Env: "SLACK_URL"}, On: []notify.Kind{notify.Failed, notify.NeedsPerson, notify.TooOld, notify.Unable}},
		{Name: "journal", URL: config.SecretRef{File: "/etc/rotator/secrets/hook"}, On: []notify.Kind{notify.Rotated}},
	}, got.Notify)
}

func TestNothingOfAReceiversURLIsRepeated(t *testing.T) {
	for _, written := range []string{
		"hunter2", "'hunter2'", "[hunter2]", "{hunter2!: {url: {env: A}}}", "{slack://hunter2@webhook: {url: {env: A}}}",
		"{ops: hunter2}", "{ops: [hunter2]}", "{ops: {hunter2: }}", "{ops: {url: hunter2}}", "{ops: {url: [hunter2]}}", "{ops: {url: {hunter2: }}}",
		"{ops: {url: {env: hunter2!}}}", "{ops: {url: {env: [hunter2]}}}", "{ops: {url: {file: 'generic://hunter2'}}}", "{ops: {url: {file: ~hunter2}}}",
		"{ops: {url: {store: hunter2, secret: a}}}", "{ops: {url: {store: local, secret: hunter2/}}}",
		"{ops: {url: {env: A}, hunter2: }}", "{ops: {url: {env: A}, on: hunter2}}", "{ops: {url: {env: A}, on: ['slack://hunter2@webhook']}}",
	} {
		_, _, err := config.Parse("c.yaml", []byte(minimal+"notify: "+written+"\n"))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("notify: %s: got %v", written, err)
		}
	}
}
