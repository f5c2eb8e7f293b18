package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// answering sits at a terminal at which init asks, in an empty folder.
func answering(t *testing.T, box *sandboxProcess, args ...string) *typist {
	t.Helper()
	c := exec.Command("instantly-rotator", append([]string{"init", "--base-url", box.url}, args...)...)
	c.Dir = t.TempDir()
	nowhere := filepath.Join(c.Dir, "nowhere")
	// Nothing of this machine's own is found, nor waited for.
	c.Env = append(os.Environ(), "INSTANTLY_ADMIN_KEY="+box.adminKey, "HOME="+nowhere, "KUBECONFIG="+nowhere,
		"AWS_EC2_METADATA_DISABLED=true", "GOOGLE_APPLICATION_CREDENTIALS="+nowhere)
	return typing(t, c)
}

// TestAFirstConfigurationByQuestions is typed at a terminal: mostly Enter.
func TestAFirstConfigurationByQuestions(t *testing.T) {
	box := sandboxFor(t)
	if _, _, err := box.addKey("Zapier (old)", "leads:all"); err != nil {
		t.Fatal(err)
	}
	s := answering(t, box)
	s.answers("Store [file]: ", "")
	s.answers("[./store]: ", "")
	s.answers("Admin key [env:INSTANTLY_ADMIN_KEY]: ", "")
	s.until("what was found", func() bool {
		return s.sees("Workspace Acme, organization 01980000-0000-7000-8000-00000000acee, with 2 keys:") && s.sees("Zapier (old)")
	})
	s.answers("Name of the workspace in the configuration [acme]: ", "Acme Inc")
	s.answers(`bad name "Acme Inc": want lower-case letters`, "acme")
	s.answers("Numbers of keys above to keep fresh from now on, such as 1,3; - for none [-]: ", "2")
	s.answers("Another key: ", "lead-import")
	s.answers("Its name [lead-import]: ", "")
	s.answers("Another key: ", "-")
	if err := s.command.Wait(); err != nil {
		t.Fatalf("%v; the terminal shows %q", err, s.seen.String())
	}
	s.until("the end", func() bool {
		return s.sees("config.yaml: written: 2 targets, 1 workspace, 1 store") && s.sees("instantly-rotator rotate --due")
	})
	text, err := os.ReadFile(filepath.Join(s.command.Dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"  acme:\n", "organization_id: 01980000-0000-7000-8000-00000000acee\n", "- name: zapier-old\n    scopes: [leads:all]\n", "- name: lead-import\n    scopes: [leads:update]\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the file lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), box.adminKey) {
		t.Error("the admin key is in the file")
	}
	validate := exec.Command("instantly-rotator", "validate")
	validate.Dir = s.command.Dir
	if said, err := validate.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

func TestNothingIsWrittenIfSomebodyThinksBetterOfTheQuestions(t *testing.T) {
	s := answering(t, sandboxFor(t))
	s.answers("Store [file]: ", "")
	s.until("the next question", func() bool { return s.sees("[./store]: ") })
	if err := s.command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = s.command.Wait()
	s.until("a word", func() bool { return s.sees("nothing was written") })
	if code := s.command.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	if files := filesIn(t, s.command.Dir); len(files) > 0 {
		t.Errorf("left behind: %q", files)
	}
}
