// Package program gives a key to a program, on its standard input and nowhere else: not
// in its arguments or environment, which others on the machine can read.
//
// The program must be harmless to run again with the same key. Its exit code says how it
// went: 0 that the place has the key, 75 not yet, 77 that a right is lacking, 78 that it is
// set up wrongly, anything else that it failed and may be tried again. The last line of
// its standard error is shown to people, unless it has a part of the key in it.
//
// A second program may tell which key is there: it prints the id on its standard output,
// and nothing if there is none. What else it says is not shown: it may know the key.
package program

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/childprocess"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Options say which program it is.
type Options struct {
	// Name of the sink.
	Name string
	// Command is the program and its arguments, Holds those of the one that tells.
	Command, Holds []string
	Target, Place  string
	Environ        []string
	Timeout        time.Duration
}

// Sink is a program that takes a key.
type Sink struct{ o Options }

// Telling is a Sink with a program that tells which key is there.
type Telling struct{ Sink }

var (
	_ sink.Placed = (*Sink)(nil)
	_ sink.Holder = (*Telling)(nil)
)

// Open makes the sink; nothing is run.
func Open(o Options) *Sink { return &Sink{o} }

// OpenTelling makes one that can tell.
func OpenTelling(o Options) *Telling { return &Telling{Sink{o}} }

// Name implements [sink.Sink].
func (s *Sink) Name() string { return s.o.Name }

// Where implements [sink.Placed]: another program may put the key into another place.
func (s *Sink) Where() string { return fmt.Sprintf("%q", s.o.Command) }

// Put implements [sink.Sink].
func (s *Sink) Put(ctx context.Context, version string, value secret.Value) error {
	c := child{value: value, Command: childprocess.Command{
		Args: s.o.Command, Env: s.environ("INSTANTLY_ROTATOR_KEY_ID=" + version), Input: input(value), Timeout: s.o.Timeout,
	}}
	if _, err := c.run(ctx); err != nil {
		return fmt.Errorf("program %s: %w", filepath.Base(s.o.Command[0]), err)
	}
	return nil
}

// environ gives a program's environment.
func (s *Sink) environ(more ...string) []string {
	return slices.Concat(s.o.Environ, []string{"INSTANTLY_ROTATOR_TARGET=" + s.o.Target, "INSTANTLY_ROTATOR_PLACE=" + s.o.Place}, more)
}

// Holds implements [sink.Holder].
func (t *Telling) Holds(ctx context.Context) (string, error) {
	name := filepath.Base(t.o.Holds[0])
	wrote, err := child{untold: true, Command: childprocess.Command{Args: t.o.Holds, Env: t.environ(), Timeout: t.o.Timeout}}.run(ctx)
	if err != nil {
		return "", fmt.Errorf("program %s: %w", name, err)
	}
	id := strings.TrimSpace(wrote)
	if !storekind.Pattern(`^[A-Za-z0-9_.-]{0,128}$`).MatchString(id) {
		return "", fmt.Errorf("program %s: want the id of a key on its standard output, and nothing else: %w", name, secretstore.ErrCorrupt)
	}
	return id, nil
}

// longest is the most time that a run may take: the engine ends what takes longer.
const longest = 2 * time.Minute

// Kind is a program in the configuration.
func Kind() sinkkind.Kind {
	return sinkkind.Kind{
		Name: "program", Title: "a program that takes the key on its standard input", Settings: func() sinkkind.Settings { return &Settings{} },
	}
}

// Settings say which program.
type Settings struct {
	Command, Holds []string
	Timeout        string
}

var _ sinkkind.Settings = (*Settings)(nil)

// Options implements [sinkkind.Settings].
func (s *Settings) Options() []storekind.Option {
	return []storekind.Option{
		{
			Name: "command", Into: &s.Command, Required: true,
			Doc: "The program and its arguments, run without a shell. It reads the key on its standard input, and INSTANTLY_ROTATOR_TARGET, " +
				"INSTANTLY_ROTATOR_PLACE and INSTANTLY_ROTATOR_KEY_ID in its environment. Exit code 0: the place has the key; 75: not yet. It may be run more than once for a key.",
		},
		{
			Name: "holds_command", Into: &s.Holds,
			Doc: "A program that prints the id of the key that the place has, and nothing if it has none. Left out, what was put there is noted in the primary store.",
		},
		{
			Name: "timeout", Into: &s.Timeout, Default: "60s", Pattern: `^[1-9][0-9]{0,3}[sm]$`, Want: "want for example 60s or 2m",
			Doc: "How long a run may take, at most 2m. It is ended then, with all that it started.",
		},
	}
}

// Credentials implements [sinkkind.Settings]: the program has its own.
func (s *Settings) Credentials() []sinkkind.Credential { return nil }

// Check implements [sinkkind.Settings].
func (s *Settings) Check(c storekind.Checker) {
	if timeout, err := time.ParseDuration(s.Timeout); !c.Failed("timeout") && err == nil && timeout > longest {
		c.Fail("timeout", "let the program begin what takes longer, and end with exit code 75 until it is done", "want at most 2m: a run is ended then")
	}
	for option, command := range map[string][]string{"command": s.Command, "holds_command": s.Holds} {
		switch {
		case !c.Written(option) || c.Failed(option):
		case len(command) == 0 || command[0] == "":
			c.Fail(option, "write [PROGRAM, ARGUMENT …]", "is empty")
		case strings.ContainsRune(command[0], filepath.Separator) && !filepath.IsAbs(command[0]):
			c.Fail(option, "write the program's whole path, or its name if it is in PATH", "a relative path")
		}
		for i, argument := range command {
			if c.LooksSecret(argument) && !filepath.IsAbs(argument) {
				c.Fail(fmt.Sprintf("%s[%d]", option, i), "others can read arguments: let the program read it from a file", "this looks like a secret")
			}
		}
	}
}

// Refuse implements [sinkkind.Settings].
func (s *Settings) Refuse(place string) string {
	if !storekind.Pattern(`^[!-~]{0,200}$`).MatchString(place) {
		return "want at most 200 printable characters, no spaces"
	}
	return ""
}

// Identity implements [sinkkind.Settings]: the program may go by the place.
func (s *Settings) Identity(place, _ string) string {
	return fmt.Sprintf("%q", append(slices.Clone(s.Command), place))
}

// Open implements [sinkkind.Settings].
func (s *Settings) Open(_ context.Context, _ *storekind.Environment, o sinkkind.Opening) (sink.Sink, error) {
	timeout, err := time.ParseDuration(s.Timeout)
	if err != nil {
		return nil, fmt.Errorf("timeout: %w", err)
	}
	options := Options{
		Name: sinkkind.Name(o.Section, o.Place), Command: s.Command, Holds: s.Holds, Target: o.Target, Place: o.Place,
		Environ: o.Environ, Timeout: timeout,
	}
	if len(s.Holds) > 0 {
		return OpenTelling(options), nil
	}
	return Open(options), nil
}
