package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestEveryFlagThatTakesAValueIsCompleted: with nothing registered a shell offers the
// files of the folder for it, which is right for files only.
func TestEveryFlagThatTakesAValueIsCompleted(t *testing.T) {
	a := &app{getenv: func(string) string { return "" }}
	root := a.rootCommand()
	for _, c := range append(root.Commands(), root) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			_, has := c.GetFlagCompletionFunc(f.Name)
			what, _ := pflag.UnquoteUsage(f)
			if isFile := what == "file"; f.NoOptDefVal == "" && has == isFile {
				t.Errorf("%s --%s takes a %q; completed: %v", c.CommandPath(), f.Name, what, has)
			}
		})
	}
}

// TestEveryVariableThatIsReadIsInTheTopic searches for them in the program's source.
func TestEveryVariableThatIsReadIsInTheTopic(t *testing.T) {
	long, read := environmentTopic().Long, regexp.MustCompile(`[gG]etenv\("([A-Z_]+)"\)|"(INSTANTLY_ROTATOR_[A-Z_]+)=`)
	found := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range read.FindAllStringSubmatch(string(source), -1) {
			found++
			if name := m[1] + m[2]; !strings.Contains(long, name) {
				t.Errorf("%s: %s is not in \"help environment\"", path, name)
			}
		}
		return err
	})
	if err != nil || found < 5 {
		t.Errorf("%d found, %v", found, err)
	}
}
