package config_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

// FuzzParse: no input makes the parser panic, every error has its place, and
// what is accepted can be used as it is.
func FuzzParse(f *testing.F) {
	for _, archives := range []string{bad, doubtful} {
		for _, c := range caseFiles(f, archives) {
			f.Add(c.data)
		}
	}
	f.Add([]byte(minimal))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, warnings, err := config.Parse("c.yaml", data)
		checkProblems(t, data, warnings)
		if err == nil {
			checkUsable(t, cfg)
			return
		}
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("error is a %T: %v", err, err)
		}
		checkProblems(t, data, problems)
	})
}

func checkProblems(t *testing.T, data []byte, ps []config.Problem) {
	// YAML has more line ends than "\n".
	lines := 1 + bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + bytes.Count(data, []byte("\xc2\x85")) +
		bytes.Count(data, []byte("\xe2\x80"))
	for _, p := range ps {
		if p.File != "c.yaml" || p.Message == "" || strings.ContainsAny(p.String(), "\r\n\x1b") {
			t.Errorf("odd problem %q", p)
		}
		if utf16 := bytes.ContainsAny(data, "\x00\xff\xfe"); !utf16 && (p.Line < 0 || p.Line > lines) {
			t.Errorf("%d lines, but problem %q", lines, p)
		}
	}
}

func checkUsable(t *testing.T, cfg *config.Config) {
	if len(cfg.Keys) == 0 || cfg.Owner == "" || cfg.Concurrency < 1 {
		t.Errorf("unusable: %+v", cfg)
	}
	for _, k := range cfg.Keys {
		if k.Schedule == nil || k.Grace <= 0 || k.MaxAge <= 0 || k.ActivationTimeout <= 0 || k.RevocationTimeout <= 0 {
			t.Errorf("unusable key: %+v", k)
		}
		if _, ok := cfg.Workspaces[k.Workspace]; !ok || len(k.Scopes) == 0 || len(k.Stores) == 0 {
			t.Errorf("unusable key: %+v", k)
		}
		for _, ref := range k.Stores {
			if s, ok := cfg.Stores[ref.Store]; !ok || s.Settings == nil || ref.Secret == "" {
				t.Errorf("unusable store of key: %+v", k)
			}
		}
	}
}

// FuzzSchedule: no text makes the cron library's panics visible, and a schedule
// that is accepted goes on ticking, forwards.
func FuzzSchedule(f *testing.F) {
	for _, spec := range []string{
		"0 3 1 */3 *", "@quarterly", "@every 90d", "never", "TZ=UTC", "CRON_TZ= ", "TZ=UTC 0 0 * * *", "0 0 30 2 *", "0 0 29 2 *",
		"*/0 * * * *", "1-2-3 * * * *", "59 23 31 12 SUN", "@every -1h", "0 0 1 1 ?", "60 * * * *", "30 2 * * *", ", , , , ,",
	} {
		for _, zone := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "Pacific/Apia"} {
			f.Add(spec, zone, int64(1_700_000_000))
		}
	}
	f.Fuzz(func(t *testing.T, spec, zoneName string, start int64) {
		zone, err := config.ParseTimezone(zoneName)
		if err != nil {
			zone = time.UTC
		}
		s, err := config.ParseSchedule(spec, zone)
		if err != nil {
			return
		}
		if config.Never(s) {
			return
		}
		const century = 100 * 365 * 24 * 3600
		at := time.Unix(start%century, 0).UTC()
		for range 5 {
			next := s.Next(at)
			if !next.After(at) {
				t.Fatalf("%q in %s: %s comes after %s", spec, zone, next, at)
			}
			at = next
		}
	})
}
