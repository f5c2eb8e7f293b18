package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func (a *app) verifyCommand() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:               "verify [TARGET...]",
		ValidArgsFunction: a.completeTargets,
		Short:             "Read every current key back from its stores and test it",
		Long: `Read the current key of every store back, as consumers do, and make a test
call with it. It changes nothing. Exit code 1 says that some key is not valid, or
that it is not known: nothing was answered for --timeout.`,
		RunE: func(c *cobra.Command, names []string) error { return a.verify(c.Context(), names, f) },
	}
	outputFlag(c, &f.output)
	timeoutFlag(c, &f.timeout)
	return c
}

// verdict is the outcome for one store, as -o json prints it.
type verdict struct {
	Target  string `json:"target"`
	Store   string `json:"store"`
	KeyID   string `json:"key_id,omitempty"`
	Ours    bool   `json:"ours"`
	Verdict string `json:"verdict"`
	Error   string `json:"error,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

func (a *app) verify(parent context.Context, names []string, flags planFlags) error {
	f, ctx, end, err := a.waitingFleet(parent, names, flags.timeout)
	if err != nil {
		return err
	}
	found := f.Verify(ctx, f.Targets)
	end()
	if parent.Err() != nil {
		return a.interrupted()
	}
	verdicts := make([]verdict, len(found))
	failed := false
	for i, v := range found {
		verdicts[i] = a.verdictOf(v, flags.timeout)
		failed = failed || v.Verdict != rotator.Valid
	}
	if err := a.show(flags.output, map[string]any{"verdicts": verdicts}, func() { a.verdictTable(verdicts) }); err != nil {
		return err
	}
	if failed {
		return errFailed
	}
	return nil
}

func (a *app) verdictOf(v rotator.Verification, timeout time.Duration) verdict {
	out := verdict{Target: v.Target, Store: v.Store, KeyID: v.KeyID, Ours: v.KeyID != "" && !v.Foreign, Verdict: v.Verdict.String()}
	if v.Err == nil {
		return out
	}
	out.Error, out.Hint = v.Err.Error(), a.hintFor(v.Err, v.Target)
	switch {
	case errors.Is(v.Err, context.DeadlineExceeded):
		out.Error, out.Hint = fmt.Sprintf("not answered within %s", timeout), "run it again, or let --timeout be longer"
	case errors.Is(v.Err, secretstore.ErrNotFound):
		out.Error, out.Hint = "the store has no current key", a.pasted("see why: instantly-rotator status "+v.Target)
	case v.Verdict == rotator.Invalid:
		out.Hint = a.pasted("consumers hold a dead key; run: instantly-rotator rotate " + v.Target)
	}
	return out
}

// verdictTable shows the verdicts to people: why, and what can be done, once where it
// is the same for several.
func (a *app) verdictTable(verdicts []verdict) {
	targets := map[string]map[string]bool{}
	for _, v := range verdicts {
		if targets[v.Error] == nil {
			targets[v.Error] = map[string]bool{}
		}
		targets[v.Error][v.Target] = true
	}
	var rows [][]string
	var remarks []remark
	for _, v := range verdicts {
		why := v.Error
		if why != "" && len(targets[why]) > 1 {
			remarks = append(remarks, remark{v.Target, why})
			why = "see below"
		}
		rows = append(rows, []string{v.Target, v.Store, shortID(v.KeyID), paint(v.Verdict), why})
	}
	for _, v := range verdicts {
		if v.Hint != "" {
			remarks = append(remarks, remark{v.Target, "hint: " + v.Hint})
		}
	}
	a.fitted([]string{"TARGET", "STORE", "KEY", "VERDICT", "WHY"}, rows)
	a.tellOnce(remarks, true)
}

func paint(verdict string) string {
	switch verdict {
	case rotator.Valid.String():
		return text.FgGreen.Sprint(verdict)
	case rotator.Invalid.String():
		return text.FgRed.Sprint(verdict)
	default:
		return text.FgYellow.Sprint(verdict)
	}
}
