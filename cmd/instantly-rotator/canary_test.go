package main_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A canary is a secret and every form in which it must not be seen.
type canary struct {
	name  string
	forms []string
}

func newCanary(name, secret string) canary {
	c := canary{name: name, forms: []string{
		secret,
		secret[len(secret)-8:],
		url.QueryEscape(secret),
		hex.EncodeToString([]byte(secret)),
		strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}}
	for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 {
			c.forms = append(c.forms, insideBase64(alphabet, secret, before))
		}
	}
	return c
}

// insideBase64 gives what is sure to be seen of a secret where it was encoded
// with so many bytes before it, modulo 3, and any after it.
func insideBase64(alphabet *base64.Encoding, secret string, before int) string {
	all := alphabet.EncodeToString([]byte(strings.Repeat("x", before) + secret))
	unsure := []int{0, 2, 3}[before] // characters that what is before has a part in
	return all[unsure : len(all)-4]
}

// in gives the form of the canary that is in the text; empty if none is.
func (c canary) in(text string) string {
	for _, form := range c.forms {
		if strings.Contains(text, form) {
			return form
		}
	}
	return ""
}

// canariesOf gives every secret that a lab has: all keys there ever were, from
// the sandbox's state file, and the stores' identities.
func (l *lab) canariesOf(stateFile string) []canary {
	l.Helper()
	var state struct {
		Workspaces []struct {
			Keys []struct{ ID, Name, Value string }
		}
	}
	text, err := os.ReadFile(stateFile)
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		l.Fatal(err)
	}
	var all []canary
	for _, k := range state.Workspaces[0].Keys {
		all = append(all, newCanary("the value of key "+k.Name+" "+k.ID, k.Value))
	}
	for _, store := range []string{"a", "b"} {
		all = append(all, newCanary("the identity of store "+store, l.identity(store)))
	}
	keys, err := filepath.Glob(filepath.Join(l.dir, "trail", "*", "key"))
	if err != nil || len(keys) == 0 {
		l.Fatalf("no signing key of the trail: %v", err)
	}
	for _, path := range keys {
		text, err := os.ReadFile(path)
		if err != nil {
			l.Fatal(err)
		}
		all = append(all, newCanary("the trail's signing key", strings.TrimSpace(string(text))[len("PRIVATE+KEY+"):]))
	}
	return all
}

// identity gives the secret line of a store's identity file.
func (l *lab) identity(store string) string {
	l.Helper()
	text, err := os.ReadFile(filepath.Join(l.dir, store, "identity"))
	if err != nil {
		l.Fatal(err)
	}
	secret := firstMatch(string(text), `(AGE-SECRET-KEY-\S+)`)
	if secret == "" {
		l.Fatalf("no identity in %s", store)
	}
	return secret
}

// wantUntold wants none of the canaries in a text.
func wantUntold(t *testing.T, canaries []canary, where, text string) {
	t.Helper()
	for _, c := range canaries {
		if form := c.in(text); form != "" {
			t.Errorf("%s tells %s as %q: …%s…", where, c.name, form, around(text, form))
		}
	}
}

// around gives the part of a text that a form is found in.
func around(text, form string) string {
	const context = 200
	at := strings.Index(text, form)
	return text[max(0, at-context):min(len(text), at+len(form)+context)]
}

// wantUntoldOnDisk wants none of the canaries in any file below dir, names
// included; but for the identity files and the trail's signing key, which are secrets
// themselves.
func wantUntoldOnDisk(t *testing.T, canaries []canary, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "identity" || filepath.Base(path) == "key" && strings.Contains(path, "/trail/") {
			return err
		}
		text, err := os.ReadFile(path)
		wantUntold(t, canaries, path, path+"\n"+string(text))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCanaryIsFoundInEveryForm(t *testing.T) {
	const secret = "MDFhMjAwM2QtNjIyMC03MDRmLWJmYTMt/TYwMmZmMjJiNjU3OjU4YjY4+NGNhNWM2NQ=="
	c := newCanary("it", secret)
	for name, text := range map[string]string{
		"plain":          `error="bad key ` + secret + `"`,
		"its end":        "key ending in " + secret[len(secret)-8:],
		"url":            "?key=" + url.QueryEscape(secret),
		"hex":            hex.EncodeToString([]byte("Bearer " + secret)),
		"HEX":            strings.ToUpper(hex.EncodeToString([]byte(secret + "\n"))),
		"base64":         base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 after 1": base64.StdEncoding.EncodeToString([]byte(":" + secret + "\n")),
		"base64 after 2": base64.StdEncoding.EncodeToString([]byte("k=" + secret + "&more")),
		"base64 of url":  base64.RawURLEncoding.EncodeToString([]byte("user:" + secret)),
	} {
		if c.in(text) == "" {
			t.Errorf("%s: not found in %q", name, text)
		}
	}
	if form := c.in("key 01a2003d-6220-704f-bfa3-602ff22b657a of campaigns:read"); form != "" {
		t.Errorf("%q found where nothing is", form)
	}
}
