package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// A build is what is known of how the binary was made. All of it is written down by the
// go command: nothing has to be passed by whoever builds.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"` // of the commit, so that a build can be repeated
	Modified bool   `json:"modified"`       // other than that commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// built reads what the go command wrote down; nil where it wrote nothing.
func built(info *debug.BuildInfo) build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return b
	}
	b.Version = cmp.Or(info.Main.Version, b.Version)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// ours is what is known of this binary.
func ours() build {
	info, _ := debug.ReadBuildInfo()
	return built(info)
}

// version is the module's version, with the commit where the build knows it.
func version() string { return ours().Version }

// revision is the commit the binary was built from, where the build knows it.
func revision() string { return ours().Commit }

func (a *app) versionCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, and what it was built from",
		Example: "  instantly-rotator version -o json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			b := ours()
			return a.show(output, b, func() { a.printBuild(b) })
		},
	}
	outputFlag(c, &output)
	return c
}

func (a *app) printBuild(b build) {
	commit := cmp.Or(b.Commit, "not known")
	if b.Modified {
		commit += ", changed"
	}
	fmt.Fprintf(a.stdout, "%s %s\ncommit  %s\ndate    %s\ngo      %s %s\n",
		program, b.Version, commit, cmp.Or(b.Date, "not known"), b.Go, b.Platform)
}
