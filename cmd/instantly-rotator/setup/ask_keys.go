package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// askKeys finds the first keys.
func (s *Survey) askKeys(ctx context.Context) error {
	if len(s.Given.Keys) > 0 {
		return s.givenKeys()
	}
	if err := s.askExisting(ctx); err != nil {
		return err
	}
	s.Person.tell("What is a key for? As few scopes as its consumers need:\n" + UseCaseTable())
	for first := len(s.answers.Keys) == 0; ; first = false {
		proposed := nothing
		text := "Another key: a use case above, or scopes such as campaigns:read,leads:update; - for no more"
		if first {
			proposed, text = UseCases()[0].Name, "The first key: a use case above, or scopes such as campaigns:read,leads:update"
		}
		done, err := s.askKey(ctx, text, proposed)
		if done || err != nil {
			return err
		}
	}
}

// UseCaseTable shows the use cases with what a thief could do.
func UseCaseTable() string {
	var b strings.Builder
	for _, u := range UseCases() {
		fmt.Fprintf(&b, "  %-18s  risk %-7s  %s\n", u.Name, instantly.RiskOf(u.Scopes), strings.Join(u.Scopes, ", "))
	}
	return b.String()
}

// askExisting lets keys that are there become targets.
func (s *Survey) askExisting(ctx context.Context) error {
	var theirs []instantly.Key
	for _, k := range s.account.Keys {
		if !administers(k) {
			theirs = append(theirs, k)
		}
	}
	if len(theirs) == 0 {
		return nil
	}
	return s.put(ctx, question{
		text: "Numbers of keys above to keep fresh from now on, such as 1,3; - for none", proposed: nothing,
		set: func(text string) error {
			next := s.answers
			next.Keys = nil
			for _, item := range listed(text) {
				if item == nothing {
					continue
				}
				n, err := strconv.Atoi(item)
				if err != nil || n < 1 || n > len(s.account.Keys) {
					return errors.New("want numbers of the list above")
				}
				k, err := s.existing(next, s.account.Keys[n-1])
				if err != nil {
					return err
				}
				next.Keys = append(next.Keys, k)
			}
			return s.try(next, "keys")
		},
	})
}

// existing makes a target of a key that somebody made.
func (s *Survey) existing(so Answers, k instantly.Key) (Key, error) {
	if administers(k) || instantly.RiskOf(k.Scopes) == instantly.Critical {
		return Key{}, fmt.Errorf("%q may do nearly everything: such a key is not one for consumers", comment(k.Name))
	}
	name := nameFrom(k.Name)
	taken := func(name string) bool {
		return name == "" || slices.ContainsFunc(so.Keys, func(k Key) bool { return k.Name == name })
	}
	for n := 2; taken(name); n++ {
		name = strings.TrimPrefix(nameFrom(k.Name)+"-"+strconv.Itoa(n), "-")
	}
	return Key{Name: name, Scopes: slices.Clone(k.Scopes), For: "what " + strconv.Quote(comment(k.Name)) + " is used for: take it over with adopt"}, nil
}

// askKey asks for one; done if there is to be none.
func (s *Survey) askKey(ctx context.Context, text, proposed string) (done bool, err error) {
	var k Key
	err = s.put(ctx, question{text: text, proposed: proposed, set: func(text string) error {
		if done = text == nothing && proposed == nothing; done {
			return nil
		}
		k = placeholder()
		k.For, k.Scopes = scopesFor(text)
		if instantly.RiskOf(k.Scopes) == instantly.Critical {
			k.Reason = "asked for below"
		}
		return s.tryKey(k, func(Key) {})
	}})
	if done || err != nil {
		return done, err
	}
	keep := func(taken Key) { k = taken }
	if k.Reason != "" {
		s.Person.tell("  Such a key can do nearly everything, for a thief too.\n")
		err = s.put(ctx, question{text: "Why must it", set: func(text string) error {
			k.Reason = text
			return s.tryKey(k, keep)
		}})
		if err != nil {
			return false, err
		}
	}
	err = s.put(ctx, question{text: "Its name", proposed: s.freeName(k), set: func(name string) error {
		named := k
		named.Name = name
		return s.tryKey(named, keep)
	}})
	if err != nil {
		return false, err
	}
	if s.answers.Store.Kind != LocalKind { // a local secret is found by its target's name
		err = s.put(ctx, question{text: "Its secret in the store", proposed: k.Name, set: func(secret string) error {
			kept := k
			kept.Secret = secret
			return s.tryKey(kept, keep)
		}})
		if err != nil {
			return false, err
		}
	}
	s.answers.Keys = append(slices.Clone(s.answers.Keys), k)
	return false, nil
}

// tryKey gives a key on if the file would be accepted with it.
func (s *Survey) tryKey(k Key, take func(Key)) error {
	next := s.answers
	next.Keys = append(slices.Clone(next.Keys), k)
	if err := next.problem(s.File, "keys"); err != nil {
		return err
	}
	take(k)
	return nil
}

// freeName proposes a name.
func (s *Survey) freeName(k Key) string {
	base := k.For
	if base == "" {
		base = "sending"
	}
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		if !slices.ContainsFunc(s.answers.Keys, func(k Key) bool { return k.Name == name }) {
			return name
		}
	}
}

// scopesFor reads a use case, or scopes; of a use case it gives the name too.
func scopesFor(text string) (name string, scopes []string) {
	if u, ok := useCase(strings.TrimSpace(text)); ok {
		return u.Name, u.Scopes
	}
	return "", listed(text)
}

// isCritical tells whether a scope that there is wants a reason.
func isCritical(scope string) bool {
	_, err := instantly.CheckScopes([]string{scope})
	return err == nil && instantly.RiskOf([]string{scope}) == instantly.Critical
}

// givenKeys reads the flags.
func (s *Survey) givenKeys() error {
	secrets, err := pairs("--secret", s.Given.Secrets)
	if err != nil {
		return err
	}
	reasons, err := pairs("--allow-critical-scopes", s.Given.Reasons)
	if err != nil {
		return err
	}
	for _, given := range s.Given.Keys {
		name, what, found := strings.Cut(given, "=")
		if !found {
			return &FlagError{"--key", errors.New("want NAME=USECASE or NAME=SCOPE,SCOPE")}
		}
		k := Key{Name: name, Secret: secrets[name], Reason: reasons[name]}
		k.For, k.Scopes = scopesFor(what)
		delete(secrets, name)
		delete(reasons, name)
		if i := slices.IndexFunc(k.Scopes, isCritical); i >= 0 && k.Reason == "" {
			return &FlagError{"--key " + comment(name), fmt.Errorf("%q is critical: a key with it can do nearly everything: leave it out, or give the reason: --allow-critical-scopes %s=…",
				comment(k.Scopes[i]), comment(name))}
		}
		err := s.tryKey(k, func(k Key) { s.answers.Keys = append(s.answers.Keys, k) })
		if err != nil {
			return &FlagError{"--key " + comment(name), err}
		}
	}
	for name := range secrets {
		return &FlagError{"--secret", fmt.Errorf("there is no --key named %q", comment(name))}
	}
	for name := range reasons {
		return &FlagError{"--allow-critical-scopes", fmt.Errorf("there is no --key named %q", comment(name))}
	}
	return nil
}
