package main

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// errNoTrail: no trail is configured.
var errNoTrail = errors.New("the configuration has no trail: nothing is recorded")

// trailFlags say which log is meant.
type trailFlags struct {
	dir, log, output string
}

func (a *app) trailCommand() *cobra.Command {
	var f trailFlags
	c := &cobra.Command{
		Use:   "trail",
		Short: "Show, verify and hand out the record of what was done",
		Long: `The trail is the record of what was done, in the folder that the configuration
names under trail: each effect before it is made, and what came of it. Nobody can
change, remove or reorder an entry unseen, and, who keeps a checkpoint elsewhere,
nobody can cut off its end.`,
		Example: `  instantly-rotator trail show --target sending
  instantly-rotator trail export --checkpoint > /mnt/elsewhere/checkpoint
  instantly-rotator trail verify --checkpoint /mnt/elsewhere/checkpoint`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.PersistentFlags().StringVar(&f.dir, "dir", "", "the trail's `folder` (default: as configured)")
	c.PersistentFlags().StringVar(&f.log, "log", "", "only the log of that `machine`")
	c.AddCommand(a.trailShowCommand(&f), a.trailVerifyCommand(&f), a.trailExportCommand(&f), a.trailMakeKeyCommand(&f))
	return c
}

// logs gives the folders of the logs that are meant.
func (a *app) logs(f *trailFlags) ([]string, error) {
	dir := f.dir
	if dir == "" {
		cfg, err := a.load()
		if err != nil {
			return nil, err
		}
		if dir, err = folderOf(cfg.Trail); err != nil {
			return nil, err
		}
	}
	if f.log != "" {
		dir = filepath.Join(dir, filepath.Base(f.log))
	}
	logs, err := trail.Logs(dir)
	if err == nil && len(logs) == 0 {
		err = fmt.Errorf("there is no log in %s: nothing was recorded yet, or it is another folder", dir)
	}
	return logs, err
}

// folderOf gives the folder of a trail that has one.
func folderOf(t *config.Trail) (string, error) {
	switch {
	case t == nil:
		return "", usageError{errNoTrail}
	case t.ConfigMap != "":
		return "", usageError{fmt.Errorf("the trail has no folder: collect the output of the pods in a file, and use trail verify --file or "+
			"evidence --file; the ConfigMap %s has the checkpoint and the public key", t.ConfigMap)}
	default:
		return t.Dir, nil
	}
}

// oneLog gives the only log that is meant.
func (a *app) oneLog(f *trailFlags) (string, error) {
	logs, err := a.logs(f)
	if err != nil {
		return "", err
	}
	if len(logs) > 1 {
		var names []string
		for _, log := range logs {
			names = append(names, filepath.Base(log))
		}
		return "", usageError{fmt.Errorf("which one? --log takes one of %s", strings.Join(names, ", "))}
	}
	return logs[0], nil
}

// shownFlags say which entries are shown.
type shownFlags struct {
	target, since string
	last          int
}

func (a *app) trailShowCommand(f *trailFlags) *cobra.Command {
	var s shownFlags
	c := &cobra.Command{
		Use:   "show",
		Short: "Print what was done",
		Long: `Print the last entries of the trail, the newest last. An intent without an
outcome says "?": what became of it is not known to the trail, since the process
ended first; the next run saw to it.`,
		Example: `  instantly-rotator trail show --target sending -n 50
  instantly-rotator trail show --since 2026-11-01 -o json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.trailShow(f, s) },
	}
	outputFlag(c, &f.output)
	c.Flags().StringVar(&s.target, "target", "", "only what concerns that `target`")
	c.Flags().StringVar(&s.since, "since", "", "only since then: `WHEN` is 3d, 2026-12-01 or 2026-12-01T08:00:00Z")
	c.Flags().IntVarP(&s.last, "last", "n", 20, "so many at most; 0: all")
	return c
}

// shownEntry is an entry with the log that it is in.
type shownEntry struct {
	Log string `json:"log"`
	trail.Entry
}

func (a *app) trailShow(f *trailFlags, s shownFlags) error {
	since, err := a.past(s.since)
	if err != nil {
		return err
	}
	logs, err := a.logs(f)
	if err != nil {
		return err
	}
	shown, targets := []shownEntry{}, map[string]bool{}
	for _, log := range logs {
		if err := trail.Entries(log, func(e trail.Entry) error {
			targets[e.Target] = true
			if (s.target == "" || e.Target == s.target) && !e.Time.Before(since) {
				shown = append(shown, shownEntry{filepath.Base(log), e})
			}
			return nil
		}); err != nil {
			return err
		}
	}
	if s.target != "" && !targets[s.target] {
		return usageError{unknownToTrail(s.target, targets)}
	}
	if len(logs) > 1 { // one log's order is its own
		slices.SortStableFunc(shown, func(x, y shownEntry) int { return x.Time.Compare(y.Time) })
	}
	if s.last > 0 && len(shown) > s.last {
		shown = shown[len(shown)-s.last:]
	}
	return a.show(f.output, map[string]any{"entries": shown}, func() { a.trailTable(shown, len(logs) > 1) })
}

// unknownToTrail says that nothing was done to a target, and to which something was.
func unknownToTrail(target string, targets map[string]bool) error {
	delete(targets, "") // of entries that concern none
	known := "none"
	if len(targets) > 0 {
		known = strings.Join(slices.Sorted(maps.Keys(targets)), ", ")
	}
	return fmt.Errorf("no entry concerns %s; targets in the trail: %s", target, known)
}

// past reads an instant that is over; the zero time if there is none.
func (a *app) past(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse(time.DateOnly, text)
	}
	if err != nil {
		var ago time.Duration
		ago, err = config.ParseDuration(text)
		at = a.now().Add(-ago)
	}
	if err != nil {
		return at, usageError{fmt.Errorf("bad time %q: write 3d, 2026-12-01 or 2026-12-01T08:00:00Z", text)}
	}
	return at, nil
}

// trailTable prints intents with their outcomes, and events.
func (a *app) trailTable(all []shownEntry, several bool) {
	outcomes := map[string]trail.Entry{}
	at := func(e shownEntry, seq int64) string { return fmt.Sprint(e.Log, " ", seq) }
	for _, e := range all {
		if e.Kind == trail.Outcome {
			outcomes[at(e, e.Of)] = e.Entry
		}
	}
	t := a.table("ENTRY", "TIME", "WHAT", "TARGET", "KEY", "RESULT")
	for _, e := range all {
		name := strconv.FormatInt(e.Seq, 10)
		if several {
			name = at(e, e.Seq)
		}
		result := "-"
		switch o, ok := outcomes[at(e, e.Seq)]; {
		case e.Kind == trail.Outcome:
			continue
		case ok:
			result = fmt.Sprintf("%s (%d)", o.Result, o.Seq)
			if e.Key == "" {
				e.Key = o.Key
			}
		case e.Kind == trail.Intent:
			result = "?"
		}
		t.AppendRow(row(name, humantime.Stamp(e.Time), e.Verb, dash(e.Target), shortID(e.Key), result))
	}
	t.Render()
}
