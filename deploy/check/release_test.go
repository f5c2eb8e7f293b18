package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// release is what .goreleaser.yaml takes from this repository.
type release struct {
	Archives []struct {
		Files []packed `json:"files"`
	} `json:"archives"`
	NFPMs []struct {
		Contents []packed          `json:"contents"`
		Scripts  map[string]string `json:"scripts"`
	} `json:"nfpms"`
	Kos []struct {
		BaseImage    string   `json:"base_image"`
		Repositories []string `json:"repositories"`
	} `json:"kos"`
}

type packed struct {
	Src string `json:"src"`
}

func readRelease(t *testing.T) release {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var r release
	if err := yaml.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// What is in bin/ is made by make; the units there are those of deploy/systemd.
func TestEveryFileOfAReleaseIsThere(t *testing.T) {
	r := readRelease(t)
	var sources []string
	for _, a := range r.Archives {
		for _, f := range a.Files {
			sources = append(sources, f.Src)
		}
	}
	for _, n := range r.NFPMs {
		for _, f := range n.Contents {
			sources = append(sources, strings.Replace(f.Src, "bin/systemd/", "deploy/systemd/", 1))
		}
		for _, script := range n.Scripts {
			sources = append(sources, script)
		}
	}
	seen := 0
	for _, src := range sources {
		if src == "" || strings.HasPrefix(src, "bin/") {
			continue
		}
		seen++
		if found, err := filepath.Glob(filepath.Join(root, src)); err != nil || len(found) == 0 {
			t.Errorf("a release wants %s, which is not there", src)
		}
	}
	if seen < 10 {
		t.Errorf("only %d files were looked for", seen)
	}
}

// The same image by ko alone, and where manifests look for it.
func TestAReleasesImageIsTheOneThatIsDeployed(t *testing.T) {
	r := readRelease(t)
	if len(r.Kos) != 1 || len(r.Kos[0].Repositories) != 1 {
		t.Fatalf("images: %+v", r.Kos)
	}
	for name, want := range map[string]string{
		".ko.yaml": "defaultBaseImage: " + r.Kos[0].BaseImage,
		"deploy/helm/instantly-rotator/values.yaml": r.Kos[0].Repositories[0],
	} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s does not name %q: %v", name, want, err)
		}
	}
}
