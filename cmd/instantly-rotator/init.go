package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/setup"
	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
)

// defaultDemo is the folder of "init --demo".
const defaultDemo = "instantly-rotator-demo"

// demoTimeout is how long its status may take.
const demoTimeout = 4 * time.Second

func (a *app) initCommand() *cobra.Command {
	var g setup.Given
	var demo bool
	var dir string
	c := &cobra.Command{
		Use:   "init",
		Short: "Make a first configuration, by questions or by flags",
		Long: `Make a first configuration: --config says where, and a file that is there is never
overwritten.

At a terminal it asks, and shows what it finds: credentials of this machine that
work, the workspace that the admin key is of, the keys that are there. Elsewhere, or
with --store, --admin-key and --key, it takes the flags. If the admin key can be
read, the workspace's organization is written into the file: nothing is touched in
any other. No secret gets into the file, and nothing is issued.

What a key is for can be one of the vendor's use cases:

` + setup.UseCaseTable() + `
With --demo it makes a folder to try everything in: a sandbox, which runs in the
background as long as the folder is there, a local store, and a configuration.`,
		Example: `  instantly-rotator init
  instantly-rotator init --demo
  instantly-rotator init --store file --admin-key env:INSTANTLY_ADMIN_KEY \
    --key reporting=analytics
  instantly-rotator init --store aws --store-option region=eu-west-1 \
    --admin-key file:/run/secrets/instantly \
    --key sending=campaigns:read,leads:update --secret sending=prod/instantly`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if demo {
				if err := demoTakes(c.Flags()); err != nil {
					return err
				}
				return a.initDemo(c.Context(), dir)
			}
			return a.initialize(c.Context(), g)
		},
	}
	f := c.Flags()
	f.StringVar(&g.Store, "store", "", "the `kind` of store: "+strings.Join(setup.KindNames(), ", "))
	f.StringArrayVar(&g.Options, "store-option", nil, "an option of the store, as `NAME=VALUE`; may be repeated")
	f.StringVar(&g.AdminKey, "admin-key", "", "the `place` of the admin key, never the key itself: env:NAME, file:PATH or store:SECRET")
	f.BoolVar(&g.RotateAdminKey, "rotate-admin-key", false, "keep the admin key fresh too; it must be in the store")
	f.StringArrayVar(&g.Keys, "key", nil, "a key to keep fresh, as `NAME=USECASE` or NAME=SCOPE,SCOPE; may be repeated")
	f.StringArrayVar(&g.Secrets, "secret", nil, "the secret of a key in the store, as `NAME=SECRET` (default: the key's name)")
	f.StringArrayVar(&g.Reasons, "allow-critical-scopes", nil, "why a key must have all:* or api_keys:*, as `NAME=REASON`")
	f.StringVar(&g.Workspace, "workspace", "", "the workspace's `name` in the file (default: as found, or main)")
	f.StringVar(&g.Organization, "organization", "", "the `id` of the only organization in which anything may be touched (default: as found)")
	f.StringVar(&g.AsWorkspace, "as-workspace", "", "the `id` of an agency's sub workspace to act in")
	f.StringVar(&g.BaseURL, "base-url", "", "the `URL` of the API, if it is not Instantly's own")
	f.BoolVar(&g.Offline, "offline", false, "call nobody")
	f.BoolVar(&demo, "demo", false, "a folder to try everything in, with a sandbox")
	f.StringVar(&dir, "dir", defaultDemo, "the `folder` of --demo")
	_ = c.RegisterFlagCompletionFunc("store", cobra.FixedCompletions(setup.KindNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("store-option", completeStoreOptions)
	_ = c.RegisterFlagCompletionFunc("admin-key", cobra.FixedCompletions([]string{"env:", "file:", "store:"}, cobra.ShellCompDirectiveNoSpace|cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("key", completeUseCases)
	_ = c.RegisterFlagCompletionFunc("secret", cobra.NoFileCompletions)
	_ = c.MarkFlagDirname("dir")
	return c
}

// demoTakes refuses flags that would change nothing about a demonstration.
func demoTakes(flags *pflag.FlagSet) error {
	var ignored []string
	flags.Visit(func(f *pflag.Flag) {
		asIs := f.Name == "store" && f.Value.String() == setup.LocalKind
		if !asIs && f.Name != "demo" && f.Name != "dir" && !strings.HasPrefix(f.Name, "log-") {
			ignored = append(ignored, "--"+f.Name)
		}
	})
	if len(ignored) > 0 {
		return usageError{fmt.Errorf("--demo does not go with %s: it is a sandbox with a local store, in the folder of --dir; for a configuration of your own leave --demo out",
			strings.Join(ignored, ", "))}
	}
	return nil
}

// completeStoreOptions offers the options of the kind that is given.
func completeStoreOptions(c *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if strings.Contains(typed, "=") {
		return nil, cobra.ShellCompDirectiveDefault // some are files
	}
	var offers []cobra.Completion
	for _, name := range setup.OptionNames(c.Flag("store").Value.String()) {
		offers = append(offers, name+"=")
	}
	return offers, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// completeUseCases offers NAME=USECASE.
func completeUseCases(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	name, _, named := strings.Cut(typed, "=")
	var offers []cobra.Completion
	for _, u := range setup.UseCases() {
		if !named {
			name = u.Name
		}
		offers = append(offers, name+"="+u.Name)
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
}

// initialize makes the file.
func (a *app) initialize(ctx context.Context, g setup.Given) error {
	if _, err := os.Lstat(a.configPath); err == nil {
		return a.thereAlready()
	}
	if folder := filepath.Dir(a.configPath); !isFolder(folder) {
		return usageError{fmt.Errorf("no folder %s for the configuration: make it first: mkdir -p %s", folder, fleet.ShellQuote(folder))}
	}
	s := setup.Survey{File: a.configPath, Given: g, Getenv: a.getenv, Now: a.now}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		s.Person = setup.At(os.Stdin, a.stderr)
		s.Surroundings = a.surroundings(ctx, g)
	}
	found, err := s.Run(ctx)
	var missing *setup.MissingError
	var flag *setup.FlagError
	switch {
	case errors.As(err, &missing), errors.As(err, &flag):
		return usageError{err}
	case errors.Is(err, setup.ErrEnded), errors.Is(err, context.Canceled):
		fmt.Fprintln(a.stderr, setup.ErrEnded)
		return errInterrupted
	case err != nil:
		return err
	}
	return a.writeConfig(found)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// surroundings searches while the person reads the first lines.
func (a *app) surroundings(ctx context.Context, g setup.Given) func() []setup.Surrounding {
	if g.Offline || g.Store != "" {
		return nil
	}
	done := make(chan struct{})
	var found []setup.Surrounding
	go func() {
		defer close(done)
		found = setup.Surroundings(ctx, all.Kinds())
	}()
	return func() []setup.Surrounding {
		<-done
		return found
	}
}

func (a *app) thereAlready() error {
	return usageError{fmt.Errorf("%s is there already, and no file is overwritten: name another one with --config, or check it with instantly-rotator validate: %w",
		a.configPath, fs.ErrExist)}
}

// writeConfig writes the file and says what to type next.
func (a *app) writeConfig(found setup.Outcome) error {
	cfg, warnings, err := found.Answers.Config(a.configPath)
	if err != nil {
		return err
	}
	text, err := found.Answers.Text()
	if err == nil {
		err = setup.WriteNew(a.configPath, text, 0o644)
	}
	if errors.Is(err, fs.ErrExist) {
		return a.thereAlready()
	}
	if err != nil {
		return err
	}
	for _, w := range warnings {
		fmt.Fprintln(a.stderr, "warning:", w)
	}
	fmt.Fprintf(a.stdout, "%s: written: %s, %s, %s; no secret is in it\n", a.configPath,
		humantime.Count(len(cfg.Keys), "target"), humantime.Count(len(cfg.Workspaces), "workspace"), humantime.Count(len(cfg.Stores), "store"))
	if found.Unread != nil && !errors.Is(found.Unread, setup.ErrOffline) {
		fmt.Fprintf(a.stderr, "warning: the workspace was not read, so that its organization is not in the file: %v\n", found.Unread)
	}
	a.sayNext(nextSteps(cfg, found))
	return nil
}

// A step is what to type, and what for.
type step struct{ command, meaning string }

// nextSteps says what comes after the file.
func nextSteps(cfg *config.Config, found setup.Outcome) []step {
	var steps []step
	ref := found.Answers.Workspace.AdminKey
	if errors.Is(found.Unread, fleet.ErrNoAdminKey) {
		switch {
		case ref.Env != "":
			steps = append(steps, step{"export " + ref.Env + "=…", "the admin key"})
		case ref.Store != "":
			steps = append(steps, step{fleet.PutCommand(cfg, config.StoreRef{Store: ref.Store, Secret: ref.Secret}), "the admin key, on standard input"})
		default:
			steps = append(steps, step{"(umask 077; cat > " + fleet.ShellQuote(adminKeyFile(cfg)) + ")", "the admin key; Ctrl-D ends it"})
		}
	}
	steps = append(steps, step{"instantly-rotator doctor", "is everything there that will be needed?"})
	if len(found.Account.Keys) > 1 || found.Answers.Workspace.RotateAdminKey { // one of the keys is the admin key
		steps = append(steps, step{"instantly-rotator adopt --all", "take over keys that consumers have"})
	}
	return append(steps,
		step{"instantly-rotator rotate --due", "the first keys, and later what is due"},
		step{"instantly-rotator status", "which key is where, and what is next"})
}

func adminKeyFile(cfg *config.Config) string {
	for _, w := range cfg.Workspaces {
		return w.AdminKey.File
	}
	return ""
}

// sayNext prints what to type next.
func (a *app) sayNext(steps []step) {
	width := 0
	for i := range steps {
		steps[i].command = a.pasted(steps[i].command)
		width = max(width, utf8.RuneCountInString(steps[i].command))
	}
	fmt.Fprintln(a.stdout, "Next:")
	for _, s := range steps {
		fmt.Fprintf(a.stdout, "  %-*s  # %s\n", width, s.command, s.meaning)
	}
}

// initDemo makes the folder and starts its sandbox.
func (a *app) initDemo(ctx context.Context, dir string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	d := setup.Demo{Dir: dir, Program: program}
	box, err := d.Start(ctx)
	if errors.Is(err, setup.ErrNotOurs) {
		return usageError{fmt.Errorf("%w: name another folder with --dir", err)}
	}
	if err != nil {
		return err
	}
	runs := "runs"
	if box.Found {
		runs = "runs already"
	}
	fmt.Fprintf(a.stdout, `A sandbox for the Instantly API %s at %s (process %d).
Its folder has a configuration for it, with a local store; to end and remove all of it:
  rm -r %s

`, runs, box.URL, box.PID, fleet.ShellQuote(dir))
	a.configPath = d.Config()
	if err := a.status(ctx, nil, statusFlags{output: "table", timeout: demoTimeout}); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	a.configPath = a.configDefault()
	a.sayNext(append([]step{{"cd " + fleet.ShellQuote(filepath.Clean(dir)), "where the configuration is"}}, nextSteps(nil, setup.Outcome{})...))
	return nil
}
