package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func (a *app) holdCommand() *cobra.Command {
	var reason, until, output string
	var all bool
	c := &cobra.Command{
		Use:               "hold TARGET...",
		ValidArgsFunction: a.completeTargets,
		Short:             "Leave keys as they are: nothing is rotated, no old key revoked",
		Long: `Leave keys as they are, until they are released or until a time.

While a target is on hold no rotation of it begins, none that has begun is promoted,
and no old key is revoked. Every instance obeys: the hold is in its store,
and is read again right before a key is revoked.`,
		Example: `  instantly-rotator hold sending --reason "big campaign" --until 3d
  instantly-rotator hold --all --reason "audit" --until 2026-12-01
  instantly-rotator release sending`,
		RunE: func(c *cobra.Command, names []string) error {
			return a.hold(c.Context(), names, all, reason, until, output)
		},
	}
	outputFlag(c, &output)
	c.Flags().StringVar(&reason, "reason", "", "why, for whoever reads the status")
	c.Flags().StringVar(&until, "until", "", "when it ends by itself: `WHEN` is 3d, 2026-12-01 or 2026-12-01T08:00:00Z (default: when it is released)")
	c.Flags().BoolVar(&all, "all", false, "every target of the configuration")
	return c
}

func (a *app) releaseCommand() *cobra.Command {
	var all, byHand bool
	var output string
	c := &cobra.Command{
		Use:               "release TARGET...",
		ValidArgsFunction: a.completeTargets,
		Short:             "End the hold of targets",
		Long: `End the hold of targets.

With --revoked-by-hand, no hold is ended: it says that the key of a value that somebody
had put there, which an incident replaced but could not revoke, was deleted in
Instantly, or did not leak. status tells of such a target until then.`,
		RunE: func(c *cobra.Command, names []string) error {
			if byHand {
				return a.revokedByHand(c.Context(), names, all, output)
			}
			return a.direct(c.Context(), names, all, output, func(f *fleet.Fleet, t rotator.Target) (directed, error) {
				held, err := f.Release(c.Context(), t)
				if !held {
					return directed{Result: "not-held", said: "was not on hold"}, err
				}
				return directed{Result: "released", said: "released"}, err
			})
		},
	}
	outputFlag(c, &output)
	c.Flags().BoolVar(&all, "all", false, "every target of the configuration")
	c.Flags().BoolVar(&byHand, "revoked-by-hand", false, "end no hold, but say that what an incident could not revoke was revoked by hand")
	return c
}

// revokedByHand notes down that a person did what an incident could not.
func (a *app) revokedByHand(ctx context.Context, names []string, all bool, output string) error {
	return a.direct(ctx, names, all, output, func(f *fleet.Fleet, t rotator.Target) (directed, error) {
		were, err := f.RevokedByHand(ctx, t)
		if !were {
			return directed{Result: "nothing-left", said: "no incident left a key to revoke by hand"}, err
		}
		return directed{Result: "revoked-by-hand", said: "noted: what the incident could not revoke was revoked by hand"}, err
	})
}

// directed is what became of a directive about one target, as -o json prints it.
type directed struct {
	Target string       `json:"target"`
	Result string       `json:"result"` // on-hold, released, not-held, revoked-by-hand, nothing-left or failed
	Hold   *status.Hold `json:"hold,omitempty"`
	Error  string       `json:"error,omitempty"`
	Hint   string       `json:"hint,omitempty"`
	said   string       // the result, for people
}

func (a *app) hold(ctx context.Context, names []string, all bool, reason, until, output string) error {
	now := a.now()
	h := secretstore.Hold{Since: now, Reason: reason}
	said := "on hold until it is released"
	if until != "" {
		var err error
		if h.Until, err = parseWhen(until, now); err != nil {
			return usageError{err}
		}
		said = "on hold until " + humantime.Stamp(h.Until)
	}
	done := directed{Result: "on-hold", Hold: &status.Hold{Since: h.Since.UTC(), Until: humantime.Optional(h.Until), Reason: h.Reason}, said: said}
	return a.direct(ctx, names, all, output, func(f *fleet.Fleet, t rotator.Target) (directed, error) { return done, f.Hold(ctx, t, h) })
}

// direct gives a directive about each of the named targets, and says what came of it.
func (a *app) direct(ctx context.Context, names []string, all bool, output string, apply func(*fleet.Fleet, rotator.Target) (directed, error)) error {
	if all == (len(names) > 0) {
		return usageError{errors.New("name the targets that are meant, or say --all")}
	}
	if output != "table" && output != "json" {
		return wrongOutput(output)
	}
	f, err := a.fleet(ctx, names, false)
	if err != nil {
		return err
	}
	defer f.Close()
	results := make([]directed, len(f.Targets))
	for i, t := range f.Targets {
		done, err := apply(f, t)
		if err != nil {
			done = directed{Result: "failed", Error: err.Error(), Hint: a.hintFor(err, t.Name), said: "failed: " + err.Error()}
		}
		done.Target = t.Name
		results[i] = done
	}
	if err := a.show(output, map[string]any{"targets": results}, func() { a.directedLines(results) }); err != nil {
		return err
	}
	if slices.ContainsFunc(results, func(d directed) bool { return d.Error != "" }) {
		return errFailed
	}
	return nil
}

func (a *app) directedLines(all []directed) {
	for _, d := range all {
		fmt.Fprintf(a.stdout, "%s: %s\n", d.Target, d.said)
		if d.Hint != "" {
			fmt.Fprintf(a.stdout, "%s: hint: %s\n", d.Target, d.Hint)
		}
	}
}

// parseWhen reads an instant to come: a duration from now, a day in UTC, or an
// instant as RFC 3339 has it.
func parseWhen(text string, now time.Time) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse(time.DateOnly, text)
	}
	if err != nil {
		span, errSpan := config.ParseDuration(text)
		at, err = now.Add(span), errSpan
	}
	switch {
	case err != nil:
		return time.Time{}, fmt.Errorf("bad time %q: write 3d, 2026-12-01 or 2026-12-01T08:00:00Z", text)
	case !at.After(now):
		return time.Time{}, fmt.Errorf("%s is in the past", humantime.Stamp(at))
	default:
		return at, nil
	}
}
