package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func (a *app) holdCommand() *cobra.Command {
	var reason, until string
	var all bool
	c := &cobra.Command{
		Use:               "hold TARGET...",
		ValidArgsFunction: a.completeTargets,
		Short:             "Leave keys as they are: no rotation begins, no old key is revoked",
		Long: `Leave keys as they are, until they are released or until a time.

While a target is on hold no rotation of it begins, none that has begun is promoted,
and no old key is revoked. Every instance obeys: the hold is in its store,
and is read again right before a key is revoked.`,
		Example: `  instantly-rotator hold sending --reason "big campaign" --until 3d
  instantly-rotator hold --all --reason "audit" --until 2026-12-01
  instantly-rotator release sending`,
		RunE: func(c *cobra.Command, names []string) error {
			return a.hold(c.Context(), names, all, reason, until)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for whoever reads the status")
	c.Flags().StringVar(&until, "until", "", "when it ends by itself: `WHEN` is 3d, 2026-12-01 or 2026-12-01T08:00:00Z (default: when it is released)")
	c.Flags().BoolVar(&all, "all", false, "every target of the configuration")
	return c
}

func (a *app) releaseCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:               "release TARGET...",
		ValidArgsFunction: a.completeTargets,
		Short:             "End the hold of targets",
		RunE: func(c *cobra.Command, names []string) error {
			return a.direct(c.Context(), names, all, func(f *fleet.Fleet, t rotator.Target) (string, error) {
				held, err := f.Release(c.Context(), t)
				if !held {
					return "was not on hold", err
				}
				return "released", err
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "every target of the configuration")
	return c
}

func (a *app) hold(ctx context.Context, names []string, all bool, reason, until string) error {
	now := a.now()
	h := secretstore.Hold{Since: now, Reason: reason}
	text := "on hold until it is released"
	if until != "" {
		var err error
		if h.Until, err = parseWhen(until, now); err != nil {
			return usageError{err}
		}
		text = "on hold until " + humantime.Stamp(h.Until)
	}
	return a.direct(ctx, names, all, func(f *fleet.Fleet, t rotator.Target) (string, error) { return text, f.Hold(ctx, t, h) })
}

// direct gives a directive about each of the named targets, and says what came of it.
func (a *app) direct(ctx context.Context, names []string, all bool, apply func(*fleet.Fleet, rotator.Target) (done string, err error)) error {
	if all == (len(names) > 0) {
		return usageError{errors.New("name the targets that are meant, or say --all")}
	}
	f, err := a.fleet(ctx, names, false)
	if err != nil {
		return err
	}
	defer f.Close()
	failed := false
	for _, t := range f.Targets {
		done, err := apply(f, t)
		if err != nil {
			failed = true
			fmt.Fprintf(a.stdout, "%s: failed: %v\n", t.Name, err)
			if h := a.hintFor(err, t.Name); h != "" {
				fmt.Fprintf(a.stdout, "%s: hint: %s\n", t.Name, h)
			}
			continue
		}
		fmt.Fprintf(a.stdout, "%s: %s\n", t.Name, done)
	}
	if failed {
		return errFailed
	}
	return nil
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
