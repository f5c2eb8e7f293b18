package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// An exitMeaning says what a command ends with a code for.
type exitMeaning struct {
	code    int
	meaning string
}

func exitMeanings() []exitMeaning {
	return []exitMeaning{
		{exitSettled, "nobody need do anything"},
		{exitFailed, "some target failed, or is in a state that somebody must see to"},
		{exitDue, "plan: something is due, and nothing is in the way"},
		{exitUsage, "the command line or the configuration is wrong; nothing was done"},
		{exitInterrupted, "interrupted by Ctrl-C or SIGTERM; the next run goes on"},
	}
}

// exitCodesTopic is what "help exit-codes" prints.
func (a *app) exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What each exit code means, and when it comes",
		Long: "Exit codes, of all commands (exec gives its program's):\n\n" + codesTable().Render() +
			"\n\ndoctor ends with 1 for what is bad, or not known; audit for what is as severe as\n--fail-on, or not known; evidence for a trail that is not as it was written, or\nwhat is not known.\n\nstatus ends with the code of its worst target, and tells of each the first of\nthese states that holds:\n\n" + statesTable().Render(),
	}
}

func codesTable() table.Writer {
	t := plainTable()
	t.AppendHeader(row("CODE", "MEANING"))
	for _, e := range exitMeanings() {
		t.AppendRow(row(strconv.Itoa(e.code), e.meaning))
	}
	return t
}

func statesTable() table.Writer {
	t := plainTable()
	t.AppendHeader(row("STATE", "JSON", "CODE", "MEANING"))
	for _, s := range status.States() {
		t.AppendRow(row(s.Text(), string(s), strconv.Itoa(exitCodeOf(s)), s.Meaning()))
	}
	return t
}

// exitCodeOf is what "status" ends with if that state is its targets' worst.
func exitCodeOf(s status.State) int {
	if s.Failed() {
		return exitFailed
	}
	return exitSettled
}

// exitCodesMarkdown is the same for the README.
func exitCodesMarkdown() string {
	var text strings.Builder
	text.WriteString("| state | exit code | meaning |\n|---|---|---|\n")
	for _, s := range status.States() {
		fmt.Fprintf(&text, "| %s | %d | %s |\n", s.Text(), exitCodeOf(s), s.Meaning())
	}
	return text.String()
}
