package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/supervise"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// execFlags say how a program gets its keys.
type execFlags struct {
	env         []string
	store       string
	restart     bool
	checkEvery  time.Duration
	stopTimeout time.Duration
	admin       bool
}

// defaultVariable is the environment variable for the key of a single target.
const defaultVariable = "INSTANTLY_API_KEY"

func (a *app) execCommand() *cobra.Command {
	var f execFlags
	c := &cobra.Command{
		Use:                   "exec [TARGET] [--env NAME=TARGET...] -- PROGRAM [ARG...]",
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     a.completeProgram,
		Short:                 "Run a program with current keys in its environment",
		Long: `Run a program with current keys in its environment, as its consumers read them:
the key of TARGET in INSTANTLY_API_KEY, and one for each --env. Signals are passed
on to the program, and its exit code is this command's. The environment variables
that the configuration names for admin keys are not passed on, and the key of a target
that is an admin key only with --admin.

With --restart, the program is started anew when a key changes: SIGTERM, and
SIGKILL if it has not ended after --stop-timeout. Keep --check-every well below the
grace period: until then the program has the old key, which works that long.

Exit code 127 says that the program was not found, 126 that it cannot be run. No
call is made to Instantly.`,
		Example: `  instantly-rotator exec sending -- ./send --all
  instantly-rotator exec --env A=sending --env B=reporting --restart -- ./worker`,
		RunE: func(c *cobra.Command, args []string) error { return a.exec(c, args, f) },
	}
	c.Flags().StringArrayVarP(&f.env, "env", "e", nil, "`NAME=TARGET`: the key of TARGET in the environment variable NAME; may be given several times")
	c.Flags().StringVar(&f.store, "store", "", "the `name` of the store to read (default: each target's primary)")
	c.Flags().BoolVar(&f.admin, "admin", false, "give the program an admin key")
	c.Flags().BoolVar(&f.restart, "restart", false, "start the program anew when a key changes")
	c.Flags().DurationVar(&f.checkEvery, "check-every", 30*time.Second, "with --restart: how often the stores are read")
	c.Flags().DurationVar(&f.stopTimeout, "stop-timeout", 30*time.Second, "with --restart: how long the program may take to end")
	return c
}

// programError carries a program's exit code to the process's. The program has said
// what it had to; cause is why it could not be run, else nil.
type programError struct {
	code  int
	cause error
}

func (e programError) Error() string {
	if e.cause != nil {
		return e.cause.Error()
	}
	return fmt.Sprintf("the program ended with exit code %d", e.code)
}

func (e programError) Unwrap() error { return e.cause }

func (a *app) exec(c *cobra.Command, args []string, f execFlags) error {
	variables, program, err := f.parse(args, c.ArgsLenAtDash())
	if err != nil {
		return err
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	for _, v := range variables {
		if err := mayGive(cfg, v.target, f.admin); err != nil {
			return err
		}
	}
	// No key is read, nor recorded as handed out, for a program that is not there.
	if code, err := (supervise.Program{Args: program}).Find(); err != nil {
		return programError{code, err}
	}
	keys, err := a.keysFor(c.Context(), cfg, variables, f.store)
	if err != nil {
		return err
	}
	defer keys.close()
	first, ids, err := keys.read(c.Context())
	if err != nil {
		return err
	}
	if err := keys.record(ids); err != nil {
		return err
	}
	environments := make(chan []string, 1)
	environments <- first
	if f.restart {
		watching, stop := context.WithCancel(context.WithoutCancel(c.Context()))
		defer stop()
		go a.watchKeys(watching, keys, ids, f.checkEvery, environments)
	}
	return a.supervise(program, f, environments)
}

// supervise runs the program until it ends. Signals are for it alone: this process
// outlives them, so that the program is never left behind.
func (a *app) supervise(program []string, f execFlags, environments <-chan []string) error {
	signals, survived := make(chan os.Signal, 16), make(chan os.Signal, 1)
	signal.Notify(signals, supervise.Signals(terminal(os.Stdin))...)
	signal.Notify(survived, os.Interrupt)
	defer signal.Stop(signals)
	defer signal.Stop(survived)
	code, err := supervise.Program{
		Args: program, Stdin: os.Stdin, Stdout: forProgram(a.stdout), Stderr: a.stderr, StopTimeout: f.stopTimeout,
		Restarted: func() { fmt.Fprintln(a.stderr, "a key changed: the program was started anew") },
	}.Run(environments, signals)
	if err != nil || code != 0 {
		return programError{code, err}
	}
	return nil
}

// A variable is a target's key in the environment.
type variable struct{ name, target string }

// parse tells targets from the program; dash is how many arguments stand before
// the "--".
func (f execFlags) parse(args []string, dash int) (vars []variable, program []string, err error) {
	if dash < 0 || dash == len(args) {
		return nil, nil, usageError{errors.New("exec wants a program behind --, such as: exec sending -- ./send")}
	}
	if dash > 1 {
		return nil, nil, usageError{fmt.Errorf("exec puts one TARGET into %s: for several, give each its variable with --env NAME=TARGET", defaultVariable)}
	}
	if f.checkEvery <= 0 || f.stopTimeout <= 0 {
		return nil, nil, usageError{errors.New("--check-every and --stop-timeout want more than 0")}
	}
	for _, target := range args[:dash] {
		vars = append(vars, variable{defaultVariable, target})
	}
	for _, text := range f.env {
		name, target, ok := strings.Cut(text, "=")
		if !ok || name == "" || target == "" {
			return nil, nil, usageError{fmt.Errorf("--env %q: want NAME=TARGET, such as %s=sending", text, defaultVariable)}
		}
		if slices.ContainsFunc(vars, func(v variable) bool { return v.name == name }) {
			return nil, nil, usageError{fmt.Errorf("--env %q: %s is given twice", text, name)}
		}
		vars = append(vars, variable{name, target})
	}
	if len(vars) == 0 {
		return nil, nil, usageError{errors.New("exec wants a TARGET, or --env NAME=TARGET")}
	}
	return vars, args[dash:], nil
}

// programKeys are the keys that a program is started with.
type programKeys struct {
	connections *fleet.Connections
	keys        []programKey
	inherited   []string // of this process's environment
}

type programKey struct {
	variable
	storeName string
	store     secretstore.Store
}

func (a *app) keysFor(ctx context.Context, cfg *config.Config, vars []variable, store string) (*programKeys, error) {
	p := &programKeys{connections: fleet.Connect(a.fleetOptions(cfg, zap.NewNop(), true))}
	p.inherited = p.connections.EnvironmentForPrograms()
	for _, v := range vars {
		ref, err := storeOf(cfg, v.target, store)
		if err != nil {
			p.close()
			return nil, err
		}
		p.keys = append(p.keys, programKey{v, ref.Store, p.connections.Store(ctx, ref)})
	}
	return p, nil
}

func (p *programKeys) close() { p.connections.Close() }

// read gives the environment with the current keys, and which versions those are.
func (p *programKeys) read(ctx context.Context) (env []string, ids string, err error) {
	env = slices.DeleteFunc(slices.Clone(p.inherited), p.isOurs)
	var current []string
	for _, k := range p.keys {
		id, value, err := fleet.Current(ctx, k.store)
		if err != nil {
			return nil, "", fmt.Errorf("%s: store %s: %w", k.target, k.storeName, err)
		}
		env = append(env, k.name+"="+value.Reveal())
		current = append(current, id)
	}
	return env, strings.Join(current, "\n"), nil
}

// record tells the trail that a program is given these keys.
func (p *programKeys) record(ids string) error {
	for i, id := range strings.Split(ids, "\n") {
		k := p.keys[i]
		told, err := p.connections.Recorder().Act(trail.What{Verb: "exec", Target: k.target, Store: k.storeName, Key: id}, "")
		if err != nil {
			return err
		}
		told(id, nil)
	}
	return nil
}

// isOurs tells whether a variable is one that a key is put into.
func (p *programKeys) isOurs(entry string) bool {
	name, _, _ := strings.Cut(entry, "=")
	return slices.ContainsFunc(p.keys, func(k programKey) bool { return k.name == name })
}

// watchKeys gives a new environment each time that other versions are current than
// the ones that are running. A store that
// cannot be read leaves the program as it is: its keys are good for the grace
// period.
func (a *app) watchKeys(ctx context.Context, keys *programKeys, running string, every time.Duration, environments chan<- []string) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		env, ids, err := keys.read(ctx)
		if err != nil {
			if !failing && ctx.Err() == nil {
				fmt.Fprintf(a.stderr, "warning: the keys cannot be read, and are taken to be unchanged: %v\n", err)
			}
			failing = true
			continue
		}
		failing = false
		if ids != running {
			if err := keys.record(ids); err != nil {
				fmt.Fprintf(a.stderr, "warning: the program keeps the keys that it has: %v\n", err)
				continue
			}
			running = ids
			select {
			case environments <- env:
			case <-ctx.Done():
				return
			}
		}
	}
}
