package scan_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/scan"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// value gives secrets as Instantly's look; those of one minute begin alike.
func value(i int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "01a2003d-6220-704f-bfa3-%012d:58b684ca5c65", i))
}

func set(n int) *scan.Set {
	var all []secret.Value
	for i := range n {
		all = append(all, secret.New(value(i)))
	}
	return scan.NewSet(all)
}

// folder writes files into one of its own.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	c := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"}, args...)...)
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func search(t *testing.T, s *scan.Set, o scan.Options) scan.Result {
	t.Helper()
	r, err := scan.Search(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantHits(t *testing.T, r scan.Result, want ...scan.Hit) {
	t.Helper()
	byPlace := cmpopts.SortSlices(func(x, y scan.Hit) bool {
		return fmt.Sprint(x.Path, x.Line, x.Secret) < fmt.Sprint(y.Path, y.Line, y.Secret)
	})
	if diff := cmp.Diff(want, r.Hits, byPlace, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(scan.Hit{}, "Object", "Commit")); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
	if len(r.Unread) > 0 {
		t.Errorf("not read: %v", r.Unread)
	}
}

func TestEachSecretIsFoundAtItsLine(t *testing.T) {
	dir := folder(t, map[string]string{
		"a.txt":       "one\ntwo\nkey=" + value(0) + " and " + value(1) + "\n",
		"b/c.bin":     "\x00\xff" + value(2),
		"twice":       value(3) + "\n" + value(3) + "\n",
		"secret.yaml": "data:\n  api-key: " + base64.StdEncoding.EncodeToString([]byte(value(4)+"\n")) + "\n",
		"cut":         value(5)[:len(value(5))-1],
		"none":        "nothing to see",
		"empty":       "",
		"own/admin":   value(6),
	})
	r := search(t, set(7), scan.Options{Dir: dir, Skip: []string{filepath.Join(dir, "own/admin")}})
	wantHits(t, r,
		scan.Hit{Secret: 0, Path: "a.txt", Line: 3}, scan.Hit{Secret: 1, Path: "a.txt", Line: 3},
		scan.Hit{Secret: 2, Path: "b/c.bin", Line: 1}, scan.Hit{Secret: 3, Path: "twice", Line: 1},
		scan.Hit{Secret: 4, Path: "secret.yaml", Line: 2, Encoded: true},
	)
	if r.Files != 7 || r.Bytes == 0 {
		t.Errorf("%d files of %d bytes were searched", r.Files, r.Bytes)
	}
}

// Wherever it lies to the chunks in which a file is read.
func TestASecretIsFoundWhereverItLies(t *testing.T) {
	const chunk = 1 << 20
	v := value(0)
	var places []int
	for _, end := range []int{chunk, 2 * chunk} {
		for at := end - len(v) - 2; at < end+2; at++ {
			places = append(places, at)
		}
	}
	text := bytes.Repeat([]byte{'\n'}, 2*chunk+200)
	dir := folder(t, map[string]string{"f": ""})
	for _, at := range places {
		there := bytes.Clone(text)
		copy(there[at:], v)
		if err := os.WriteFile(filepath.Join(dir, "f"), there, 0o600); err != nil {
			t.Fatal(err)
		}
		wantHits(t, search(t, set(1), scan.Options{Dir: dir}), scan.Hit{Path: "f", Line: at + 1})
	}
}

func TestOneValueInSeveralSecretsIsOne(t *testing.T) {
	s := scan.NewSet([]secret.Value{secret.New(value(0)), secret.New(value(1)), secret.New(value(0)), {}, {}, secret.New("short")})
	if diff := cmp.Diff([][]int{{0, 2}}, s.Same()); diff != "" {
		t.Errorf("same (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{5}, s.Short()); diff != "" {
		t.Errorf("too short (-want +got):\n%s", diff)
	}
	dir := folder(t, map[string]string{"f": "short " + value(0)})
	wantHits(t, search(t, s, scan.Options{Dir: dir}), scan.Hit{Secret: 0, Path: "f", Line: 1}, scan.Hit{Secret: 2, Path: "f", Line: 1})
}

func TestWhatWasDeletedIsFoundInTheHistory(t *testing.T) {
	dir := folder(t, map[string]string{"deep/old name.txt": "\n" + value(0) + "\n", "kept": "nothing"})
	git(t, dir, "init", "-q")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-qm", "begin")
	git(t, dir, "rm", "-q", "deep/old name.txt")
	git(t, dir, "commit", "-qm", "remove it; it was "+value(1))
	git(t, dir, "gc", "-q")
	for _, noted := range []string{"COMMIT_EDITMSG", "logs"} { // they have the message, too
		if err := os.RemoveAll(filepath.Join(dir, ".git", noted)); err != nil {
			t.Fatal(err)
		}
	}
	wantHits(t, search(t, set(3), scan.Options{Dir: dir}))
	r := search(t, set(3), scan.Options{Dir: dir, Git: true})
	wantHits(t, r, scan.Hit{Secret: 1, Line: 6}, scan.Hit{Secret: 0, Path: "deep/old name.txt", Line: 2})
	for _, h := range r.Hits {
		if h.Object == "" || (h.Path != "") != (len(h.Commit) == 40) {
			t.Errorf("where is it? %+v", h)
		}
	}
	if r.Objects != 4 { // two files, two commits
		t.Errorf("%d objects were searched", r.Objects)
	}
}

func TestFilesThatGitWouldTakeUpAreTold(t *testing.T) {
	dir := folder(t, map[string]string{
		".gitignore": "ignored.key\nprivate/\n", "ignored.key": "", "private/.env": "", "sub/.env": "", ".env.example": "",
		".env.production": "", "tls.key": "", "environment": "",
	})
	git(t, dir, "init", "-q")
	git(t, dir, "add", "tls.key")
	r := search(t, set(1), scan.Options{Dir: dir})
	want := []scan.Exposed{{Path: "tls.key", Tracked: true}, {Path: ".env.production"}, {Path: "sub/.env"}}
	if diff := cmp.Diff(want, r.Exposed); diff != "" {
		t.Errorf("exposed (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeSearchedIsSaid(t *testing.T) {
	dir := folder(t, map[string]string{"f": value(0)})
	r := search(t, set(1), scan.Options{Dir: dir, Git: true})
	if len(r.Hits) != 1 || len(r.Unread) != 1 || !strings.Contains(fmt.Sprint(r.Unread), "not in a git repository") {
		t.Errorf("of a folder without a repository: %+v", r)
	}
	if _, err := scan.Search(t.Context(), set(1), scan.Options{Dir: filepath.Join(dir, "gone")}); err == nil {
		t.Error("a folder that there is not was searched")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := scan.Search(ctx, set(1), scan.Options{Dir: dir}); err == nil {
		t.Error("interrupted, it says that it has searched")
	}
}

// BenchmarkSearch says how fast: 1 GB a minute is 17 MB/s.
func BenchmarkSearch(b *testing.B) {
	text := strings.Repeat("The quick brown fox MDFhMjAwM2QtN jumps over the lazy dog.\n", 1<<20)
	dir := folder(b, map[string]string{"f": text})
	s := set(20_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := scan.Search(b.Context(), s, scan.Options{Dir: dir}); err != nil {
			b.Fatal(err)
		}
	}
}
