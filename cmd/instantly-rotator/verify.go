package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func (a *app) verifyCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:               "verify [TARGET...]",
		ValidArgsFunction: a.completeTargets,
		Short:             "Read every current key back from its stores and test it",
		Long: `Read the current key of every store back, as consumers do, and make a test
call with it. It changes nothing. Exit code 1 says that some key is not valid.`,
		RunE: func(c *cobra.Command, names []string) error { return a.verify(c.Context(), names, output) },
	}
	outputFlag(c, &output)
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

func (a *app) verify(ctx context.Context, names []string, output string) error {
	f, end, err := a.patientFleet(ctx, names)
	if err != nil {
		return err
	}
	defer end()
	var verdicts []verdict
	failed := false
	for _, v := range f.Verify(ctx, f.Targets) {
		verdicts = append(verdicts, a.verdictOf(v))
		failed = failed || v.Verdict != rotator.Valid
	}
	if err := a.show(output, map[string]any{"verdicts": verdicts}, func() { a.verdictTable(verdicts) }); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case failed:
		return errFailed
	default:
		return nil
	}
}

func (a *app) verdictOf(v rotator.Verification) verdict {
	out := verdict{Target: v.Target, Store: v.Store, KeyID: v.KeyID, Ours: v.KeyID != "" && !v.Foreign, Verdict: v.Verdict.String()}
	if v.Err == nil {
		return out
	}
	out.Error, out.Hint = v.Err.Error(), a.hintFor(v.Err, v.Target)
	switch {
	case errors.Is(v.Err, secretstore.ErrNotFound):
		out.Error, out.Hint = "the store has no current key", a.pasted("see why: instantly-rotator status "+v.Target)
	case v.Verdict == rotator.Invalid:
		out.Hint = a.pasted("consumers hold a dead key; run: instantly-rotator rotate " + v.Target)
	}
	return out
}

func (a *app) verdictTable(verdicts []verdict) {
	t := a.table("TARGET", "STORE", "KEY", "VERDICT", "WHY")
	for _, v := range verdicts {
		t.AppendRow(row(v.Target, v.Store, shortID(v.KeyID), paint(v.Verdict), v.Error))
	}
	t.Render()
	for _, v := range verdicts {
		if v.Hint != "" {
			fmt.Fprintf(a.stdout, "%s: hint: %s\n", v.Target, v.Hint)
		}
	}
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
