package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// Given is what the command line says. At a terminal, what is empty is asked for.
type Given struct {
	// Store is the kind of store, and Options its settings, as NAME=VALUE.
	Store   string
	Options []string
	// AdminKey is env:NAME, file:PATH or store:SECRET.
	AdminKey string
	// RotateAdminKey keeps it fresh too, if it is in the store.
	RotateAdminKey bool
	// Keys are NAME=USECASE or NAME=SCOPE,SCOPE.
	Keys []string
	// Secrets and Reasons are NAME=SECRET and NAME=REASON, of keys.
	Secrets, Reasons []string

	Workspace, Organization, AsWorkspace, BaseURL string
	// Offline: nobody is called, neither Instantly nor a cloud.
	Offline bool
}

// complete tells whether nothing need be asked.
func (g Given) complete() bool { return len(g.missing()) == 0 }

// missing lists the flags without which a file cannot be written.
func (g Given) missing() []string {
	var flags []string
	if g.Store == "" {
		flags = append(flags, "--store")
	}
	if g.AdminKey == "" {
		flags = append(flags, "--admin-key")
	}
	if len(g.Keys) == 0 {
		flags = append(flags, "--key")
	}
	return flags
}

// MissingError says that there is nobody to ask, and which flags answer.
type MissingError struct{ Flags []string }

// Error implements error.
func (e *MissingError) Error() string {
	return "there is no terminal to ask at: give " + strings.Join(e.Flags, ", ")
}

// FlagError says what is wrong with a flag.
type FlagError struct {
	Flag string
	Err  error
}

// Error implements error.
func (e *FlagError) Error() string { return e.Flag + ": " + e.Err.Error() }

// Unwrap implements errors.Unwrap.
func (e *FlagError) Unwrap() error { return e.Err }

// ErrEnded: whoever was asked ended it before the last question.
var ErrEnded = errors.New("ended before the last question: nothing was written")

// ErrOffline: it was said that nobody is to be called.
var ErrOffline = errors.New("nobody was called")

// Survey finds the answers.
type Survey struct {
	// File is the configuration that will be written.
	File  string
	Given Given
	// Person is asked; nil if there is none.
	Person *Person
	// Surroundings gives what this machine has, when it is known.
	Surroundings func() []Surrounding
	// Tell takes what a script is to know too.
	Tell   io.Writer
	Getenv func(string) string
	Now    func() time.Time

	answers Answers
	account Account
}

// Outcome is what a survey found.
type Outcome struct {
	Answers Answers
	// Account is empty if it could not be read: Unread says why.
	Account Account
	Unread  error
}

// Run asks what is not given. The answers make a file that is accepted.
func (s *Survey) Run(ctx context.Context) (Outcome, error) {
	if s.Given.complete() {
		s.Person = nil
	}
	if missing := s.Given.missing(); s.Person == nil && len(missing) > 0 {
		return Outcome{}, &MissingError{missing}
	}
	s.Person.tell(`A configuration, in a few questions. Enter takes what is in [brackets]; Ctrl-C ends
it, and nothing is written before the last answer.
`)
	s.answers.Workspace.Name = "main"
	for _, ask := range []func(context.Context) error{s.askStore, s.askSettings, s.askAdminKey, s.askRotation, s.takeBaseURL} {
		if err := ask(ctx); err != nil {
			return Outcome{}, err
		}
	}
	unread := s.readAccount(ctx)
	for _, ask := range []func(context.Context) error{s.askSubWorkspace, s.askOrganization, s.askWorkspace, s.askKeys} {
		if err := ask(ctx); err != nil {
			return Outcome{}, err
		}
	}
	return Outcome{Answers: s.answers, Account: s.account, Unread: unread}, s.answers.problem(s.File, "")
}

// A question is answered by a flag or a person.
type question struct {
	flag, given string
	// text is asked; proposed is what Enter takes, "" for none.
	text, proposed string
	// otherwise is the answer where there is nobody to ask and nothing is given.
	otherwise string
	set       func(text string) error
}

// put asks one question until the answer can be taken.
func (s *Survey) put(ctx context.Context, q question) error {
	if q.given != "" || s.Person == nil {
		text := q.given
		if text == "" {
			text = q.otherwise
		}
		if err := q.set(text); err != nil {
			return &FlagError{q.flag, err}
		}
		return nil
	}
	for {
		text, err := s.Person.ask(ctx, q.text, q.proposed)
		if err != nil {
			return err
		}
		err = q.set(text)
		if err == nil {
			return nil
		}
		s.Person.tell("  " + comment(err.Error()) + "\n")
	}
}

// try takes answers if package config does, as far as a part of the file goes.
func (s *Survey) try(next Answers, part string) error {
	if err := next.problem(s.File, part); err != nil {
		return err
	}
	s.answers = next
	return nil
}

// takeBaseURL is not asked for: nearly everybody's API is at Instantly.
func (s *Survey) takeBaseURL(context.Context) error {
	next := s.answers
	next.Workspace.BaseURL = s.Given.BaseURL
	if err := s.try(next, "workspaces"); err != nil {
		return &FlagError{"--base-url", err}
	}
	return nil
}

// readAccount reads what Instantly says, if the admin key is to be had now.
func (s *Survey) readAccount(ctx context.Context) error {
	account, err := s.explore(ctx)
	if errors.Is(err, ErrOffline) {
		return err
	}
	if err != nil {
		s.Person.tell("  (the workspace could not be read: " + comment(tried(err)) + ")\n")
		return err
	}
	s.account = account
	return nil
}

// explore opens the workspace as the configuration will.
func (s *Survey) explore(ctx context.Context) (Account, error) {
	cfg, _, err := s.answers.Config(s.File)
	if err != nil {
		return Account{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*searchTimeout)
	defer cancel()
	c := fleet.Connect(fleet.Options{Config: cfg, Now: s.Now, Getenv: s.Getenv, Log: zap.NewNop(), ReadOnly: true})
	defer c.Close()
	w := cfg.Workspaces[s.answers.Workspace.Name]
	if s.Given.Offline && w.AdminKey.Store != "" && s.answers.Store.Kind != LocalKind {
		return Account{}, ErrOffline
	}
	key, err := c.Secret(ctx, w.AdminKey)
	if err != nil {
		return Account{}, fmt.Errorf("%w: %w", fleet.ErrNoAdminKey, err)
	}
	if s.Given.Offline {
		return Account{}, ErrOffline
	}
	client, err := instantly.NewClient(instantly.Options{
		BaseURL: w.BaseURL, AdminKey: key, AsWorkspace: w.AsWorkspace, RetryBudget: -1, Timeout: searchTimeout,
	})
	if err != nil {
		return Account{}, err
	}
	defer client.CloseIdleConnections()
	return explore(ctx, client)
}

// clock tells the time.
type clock = func() time.Time
