package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// verifyFlags say what a log is held against.
type verifyFlags struct {
	checkpoint, key, file string
}

func (a *app) trailVerifyCommand(f *trailFlags) *cobra.Command {
	var v verifyFlags
	c := &cobra.Command{
		Use:   "verify",
		Short: "Tell whether the trail is as it was written",
		Long: `Tell whether the trail is as it was written, and name the first entry that was
changed, removed, moved or cut off.

A --file may be the collected output of pods (trail: config_map): the ConfigMap has
the checkpoint and the public key. Other lines in it are left out.

With --checkpoint, also what was cut off at the end is found, by a checkpoint of
that log that was kept where the rotator cannot write. Without --public-key, the
key that lies beside the log is used, which somebody who wrote the log anew could
have replaced too: keep it elsewhere as well.`,
		Example: `  instantly-rotator trail verify
  instantly-rotator trail verify --log host1 --public-key kept.pub
  instantly-rotator trail verify --file exported.jsonl --public-key kept.pub`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.trailVerify(f, v) },
	}
	outputFlag(c, &f.output)
	c.Flags().StringVar(&v.checkpoint, "checkpoint", "", "a `file` with a checkpoint that was kept elsewhere")
	c.Flags().StringVar(&v.key, "public-key", "", "the `key` of the log, or a file with it, that was kept elsewhere")
	c.Flags().StringVar(&v.file, "file", "", "a `file` with the lines of a log, as export prints them or pods write them")
	return c
}

// verifiedLog is what was found of one log.
type verifiedLog struct {
	Log string `json:"log"`
	// Key is the public one that it was verified with.
	Key string `json:"public_key"`
	trail.Report
	// Entry is the first that is not as it was written, and Error says why.
	Entry *int64 `json:"entry,omitempty"`
	Error string `json:"error,omitempty"`
}

func (a *app) trailVerify(f *trailFlags, v verifyFlags) error {
	if v.file != "" && v.key == "" {
		return usageError{errors.New("--file needs --public-key")}
	}
	logs := []string{v.file}
	if v.file == "" {
		var err error
		if logs, err = a.logs(f); err != nil {
			return err
		}
	}
	if len(logs) > 1 && (v.checkpoint != "" || v.key != "") {
		if _, err := a.oneLog(f); err != nil {
			return err
		}
	}
	found := make([]verifiedLog, len(logs))
	for i, log := range logs {
		var err error
		if found[i], err = verifyLog(log, v); err != nil {
			return err
		}
	}
	if err := a.show(f.output, map[string]any{"logs": found}, func() { a.verifiedLines(found) }); err != nil {
		return err
	}
	if slices.ContainsFunc(found, func(v verifiedLog) bool { return v.Error != "" }) {
		return errFailed
	}
	return nil
}

func verifyLog(log string, v verifyFlags) (verifiedLog, error) {
	out := verifiedLog{Log: filepath.Base(log)}
	key, err := trail.PublicKey(log)
	if v.key != "" {
		key, err = trail.ReadKey(v.key)
	}
	if err != nil {
		return out, usageError{err}
	}
	out.Key = key
	var known *trail.Checkpoint
	if v.checkpoint != "" {
		cp, err := trail.ReadCheckpoint(v.checkpoint, key)
		if err != nil {
			return out, usageError{err}
		}
		known = &cp
	}
	out.Report, err = trail.Verify(log, key, known)
	var fault *trail.FaultError
	switch {
	case errors.As(err, &fault):
		out.Entry, out.Error = &fault.Entry, fault.What
	case err != nil:
		return out, err
	}
	return out, nil
}

func (a *app) verifiedLines(all []verifiedLog) {
	for _, v := range all {
		if v.Error != "" {
			fmt.Fprintf(a.stdout, "%s: entry %d: %s\n", v.Log, *v.Entry, v.Error)
			continue
		}
		fmt.Fprintf(a.stdout, "%s: %d entries, %d to %d, are as they were written\n", v.Log, v.Size-v.First, v.First, v.Size-1)
		if v.Signed < v.Size {
			fmt.Fprintf(a.stdout, "%s: the last %d are not signed yet\n", v.Log, v.Size-v.Signed)
		}
		if v.Loose > 0 {
			fmt.Fprintf(a.stdout, "%s: %d more were left out: processes wrote them that ended, or came second, before they were part of the log\n", v.Log, v.Loose)
		}
		if v.Unfinished {
			fmt.Fprintf(a.stdout, "%s: a crash cut off the last line; the next one that is written takes it away\n", v.Log)
		}
		if !v.Known {
			fmt.Fprintf(a.stdout, "%s: whether its end was cut off is not known: keep a checkpoint elsewhere, from\n  %s\n",
				v.Log, a.pasted(program+" trail export --log "+v.Log+" --checkpoint"))
		}
	}
}

// exportFlags say what is handed out.
type exportFlags struct {
	checkpoint, key bool
}

func (a *app) trailExportCommand(f *trailFlags) *cobra.Command {
	var e exportFlags
	c := &cobra.Command{
		Use:   "export",
		Short: "Print a log, its newest checkpoint or its public key",
		Long: `Print every line of a log as it was written, so that it can be verified elsewhere;
or its newest checkpoint, or the public key that it is verified with. Both are
worth keeping where the rotator cannot write, say once a day.`,
		Example: `  instantly-rotator trail export --key > kept.pub
  instantly-rotator trail export --checkpoint > kept
  instantly-rotator trail export > trail.jsonl`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.trailExport(f, e) },
	}
	c.Flags().BoolVar(&e.checkpoint, "checkpoint", false, "the newest checkpoint")
	c.Flags().BoolVar(&e.key, "key", false, "the public key")
	c.MarkFlagsMutuallyExclusive("checkpoint", "key")
	return c
}

func (a *app) trailExport(f *trailFlags, e exportFlags) error {
	log, err := a.oneLog(f)
	if err != nil {
		return err
	}
	key, err := trail.PublicKey(log)
	if err != nil {
		return err
	}
	switch {
	case e.key:
		_, err = fmt.Fprintln(a.stdout, key)
	case e.checkpoint:
		var cp trail.Checkpoint
		if cp, err = trail.LastCheckpoint(log, key); err == nil {
			_, err = fmt.Fprint(a.stdout, cp.Text)
		}
	default:
		err = trail.Lines(log, func(line []byte, cut bool) error {
			if cut {
				return nil
			}
			_, err := a.stdout.Write(append(line, '\n'))
			return err
		})
	}
	return err
}
