package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
)

// A case is a configuration that begins with what is expected of it, in comments:
//
//	# want: one line of the report (repeated for several)
//	# schema: refuses, accepts or unreadable (by a YAML reader)
type caseFile struct {
	name   string
	data   []byte
	want   []string
	schema string
}

const (
	bad      = "testdata/bad/*.txtar"
	doubtful = "testdata/doubtful.txtar"
)

// caseFiles gives those of the archives.
func caseFiles(t testing.TB, archives string) []caseFile {
	t.Helper()
	paths, err := filepath.Glob(archives)
	if err != nil || len(paths) == 0 {
		t.Fatalf("find %s: %v", archives, err)
	}
	var cases []caseFile
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if slices.ContainsFunc(cases, func(c caseFile) bool { return c.name == f.Name }) {
				t.Errorf("%s: another case is named %s", path, f.Name)
			}
			cases = append(cases, newCaseFile(f))
		}
	}
	return cases
}

// kindNames lists the kinds of stores, which cases write as {kinds}, and those that can be
// the first, {primaries}.
func kindNames() (names, primaries []string) {
	for _, k := range all.Kinds() {
		names = append(names, k.Name)
		if k.FollowerOnly == "" {
			primaries = append(primaries, k.Name)
		}
	}
	return names, primaries
}

func newCaseFile(f txtar.File) caseFile {
	c := caseFile{name: f.Name, data: f.Data}
	kinds, primaries := kindNames()
	lists := strings.NewReplacer("{kinds}", strings.Join(kinds, ", "), "{primaries}", strings.Join(primaries, ", "))
	for line := range strings.Lines(string(f.Data)) {
		line = strings.TrimSuffix(line, "\n")
		if want, ok := strings.CutPrefix(line, "# want: "); ok {
			c.want = append(c.want, lists.Replace(want))
		}
		if schema, ok := strings.CutPrefix(line, "# schema: "); ok {
			c.schema = schema
		}
	}
	return c
}

func TestEachMistakeIsReportedAtItsPlace(t *testing.T) {
	for _, c := range caseFiles(t, bad) {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := config.Parse(c.name, c.data)
			if err == nil {
				t.Fatal("the file was accepted")
			}
			if diff := cmp.Diff(c.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoCaseIsLostInItsArchive(t *testing.T) {
	if n := len(caseFiles(t, bad)); n < 150 {
		t.Errorf("%d bad configurations", n)
	}
}

func TestDoubtfulFilesLoadWithAWarning(t *testing.T) {
	for _, c := range caseFiles(t, doubtful) {
		t.Run(c.name, func(t *testing.T) {
			_, warnings, err := config.Parse(c.name, c.data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, strings.Split(warnings.String(), "\n")); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProblemsCanBeTakenApart(t *testing.T) {
	_, _, err := config.Parse("c.yaml", []byte("owner: A B\n"+minimal))
	var got config.Problems
	if !errors.As(err, &got) {
		t.Fatalf("error is a %T", err)
	}
	want := config.Problems{{
		File: "c.yaml", Line: 1, Column: 8, Path: "owner",
		Message: `bad owner "A B"`, Hint: "want lower-case letters, digits and hyphens, at most 40",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestWarningsComeWithErrorsToo(t *testing.T) {
	_, warnings, err := config.Parse("c.yaml", []byte("owner: A B\ndefaults: {grace_period: 1s}\n"+minimal))
	if err == nil || len(warnings) != 1 {
		t.Errorf("error %v, warnings %v", err, warnings)
	}
}

func TestHugeFileIsRefusedUnread(t *testing.T) {
	path := filepath.Join(t.TempDir(), "huge.yaml")
	if err := os.WriteFile(path, []byte(strings.Repeat("# nothing\n", 2_000_000)+minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := config.Load(path)
	want := path + ": larger than 16384 KiB: is it the right file?"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAliasesCannotMultiplyWithoutBound(t *testing.T) {
	scopes := strings.Repeat("a:b, ", 2000)
	data := "keys:\n- &k {name: a, scopes: [" + scopes + "]}\n" + strings.Repeat("- *k\n", 1000)
	_, _, err := config.Parse("bomb.yaml", []byte(data))
	if err == nil || !strings.Contains(err.Error(), "aliases multiply the file beyond 500000 values") {
		t.Errorf("got %.300s", err)
	}
}

func TestReportOfManyMistakesIsCutShort(t *testing.T) {
	_, _, err := config.Parse("c.yaml", []byte(minimal+strings.Repeat("nonsense: 1\n", 300)))
	var problems config.Problems
	if !errors.As(err, &problems) || len(problems) != 201 {
		t.Fatalf("%d problems", len(problems))
	}
	if got, want := problems[200].String(), "c.yaml: and 100 more"; got != want {
		t.Errorf("last line %q, want %q", got, want)
	}
}

func TestMessagesKeepToOneLine(t *testing.T) {
	text := `defaults: {schedule: "0 \e[31m 1 * *", timezone: "a\nb"}` + "\n" + minimal
	_, _, err := config.Parse("c.yaml", []byte(text))
	if err == nil || strings.Count(err.Error(), "\n") != 1 || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("got %q", err)
	}
}

func TestLoadTellsOfAMissingFile(t *testing.T) {
	_, _, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
