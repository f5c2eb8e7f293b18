package webhookauth_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// receivers are the programs of which the README shows a part.
var receivers = []struct {
	name, file, begin, end, runtime string
	probe                           []string // succeeds where the program can run
}{
	{"Express", "express.js", "// README: begin\n", "// README: end", "node", []string{"-e", "require('express')"}},
	{"FastAPI", "fastapi_app.py", "# README: begin\n", "# README: end", "/usr/bin/python3", []string{"-c", "import fastapi, uvicorn"}},
}

func TestTheREADMEShowsReceiversAsTheyAreTested(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range receivers {
		program, err := os.ReadFile(filepath.Join("testdata", r.file))
		if err != nil {
			t.Fatal(err)
		}
		_, shown, begins := strings.Cut(string(program), r.begin)
		shown, _, ends := strings.Cut(shown, r.end)
		if !begins || !ends || !strings.Contains(string(readme), "\n"+shown+"```\n") {
			t.Errorf("the README does not show the %s receiver of testdata/%s", r.name, r.file)
		}
	}
}

// With the real frameworks, where they are there: ".ci/receivers" brings them.
func TestREADMEReceiversAcceptTwoValuesAndRefuseTheRest(t *testing.T) {
	for _, r := range receivers {
		t.Run(r.name, func(t *testing.T) {
			if out, err := exec.Command(r.runtime, r.probe...).CombinedOutput(); err != nil {
				t.Skipf("NOT CHECKED: there is no %s here: %s", r.name, out)
			}
			secrets := filepath.Join(t.TempDir(), "secrets")
			put := func(values string) {
				if err := os.WriteFile(secrets, []byte(values), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put("one\n")
			url := start(t, r.runtime, filepath.Join("testdata", r.file), secrets)
			expect := func(value, body string, want int) {
				t.Helper()
				if got := post(t, url, value, body); got != want {
					t.Errorf("with %q and %q it answers %d, want %d", value, body, got, want)
				}
			}
			expect("one", body, 202)
			expect("two", body, 401)
			put("two\none\n")
			expect("one", body, 202)
			expect("two", body, 202)
			put("two\n")
			expect("one", body, 401)
			expect("two", body, 202)
			expect("", body, 401)
			for _, odd := range []string{`{}`, ``, `no json`, `[]`, `null`} {
				expect("two", odd, 400)
				expect("wrong", odd, 401)
			}
		})
	}
}

// start runs a receiver, which prints its port, and gives the address for deliveries.
func start(t *testing.T, runtime, program, secrets string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), runtime, program)
	c.Env = append(os.Environ(), "HOOK_SECRETS="+secrets, "PYTHONDONTWRITEBYTECODE=1")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("http://127.0.0.1:%s/instantly", strings.TrimSpace(port))
}

func post(t *testing.T, url, value, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Webhook-Secret", value)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}
