package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
)

// errNoReceiver: the configuration has nobody to tell.
var errNoReceiver = errors.New("no receiver in the configuration")

func (a *app) notifyCommand() *cobra.Command {
	var test bool
	var output string
	c := &cobra.Command{
		Use:               "notify --test [RECEIVER...]",
		ValidArgsFunction: a.completeReceivers,
		Short:             "Send a test message to the receivers of notifications",
		Long: `Send a test message to each receiver of notifications, or to the named ones,
once, and say how that went. Exit code 1 says that some receiver did not take it.`,
		Example: `  instantly-rotator notify --test           all receivers
  instantly-rotator notify --test ops       one of them`,
		RunE: func(c *cobra.Command, names []string) error {
			if !test {
				return usageError{errors.New("notify sends nothing but test messages: say --test")}
			}
			return a.testReceivers(c.Context(), names, output)
		},
	}
	c.Flags().BoolVar(&test, "test", false, "send a test message")
	outputFlag(c, &output)
	return c
}

// receipt is how a test message went, as -o json prints it.
type receipt struct {
	Receiver string `json:"receiver"`
	Result   string `json:"result"` // ok or failed
	Error    string `json:"error,omitempty"`
	Hint     string `json:"hint,omitempty"`
}

func (a *app) testReceivers(ctx context.Context, names []string, output string) error {
	log, err := a.logger()
	if err != nil {
		return err
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	receivers, err := chosenReceivers(cfg, names)
	if err != nil {
		return err
	}
	c := fleet.Connect(a.fleetOptions(cfg, log, true))
	defer c.Close()
	receipts := a.tryAll(ctx, c, receivers)
	if err := a.show(output, map[string]any{"receivers": receipts}, func() { a.receiptTable(receipts) }); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case slices.ContainsFunc(receipts, func(r receipt) bool { return r.Error != "" }):
		return errFailed
	default:
		return nil
	}
}

// chosenReceivers picks receivers by name, in the order of the names.
func chosenReceivers(cfg *config.Config, names []string) ([]config.Receiver, error) {
	if len(cfg.Notify) == 0 {
		return nil, usageError{errNoReceiver}
	}
	if len(names) == 0 {
		return cfg.Notify, nil
	}
	var out []config.Receiver
	for _, name := range names {
		i := slices.IndexFunc(cfg.Notify, func(r config.Receiver) bool { return r.Name == name })
		if i < 0 {
			return nil, usageError{fmt.Errorf("no receiver named %q in the configuration; it has %s", name, strings.Join(receiverNames(cfg), ", "))}
		}
		out = append(out, cfg.Notify[i])
	}
	return out, nil
}

func receiverNames(cfg *config.Config) []string {
	var names []string
	for _, r := range cfg.Notify {
		names = append(names, r.Name)
	}
	return names
}

// tryAll sends all test messages side by side, so that a dead receiver costs no
// more time than itself.
func (a *app) tryAll(ctx context.Context, c *fleet.Connections, receivers []config.Receiver) []receipt {
	receipts := make([]receipt, len(receivers))
	var all sync.WaitGroup
	for i, r := range receivers {
		bound := c.Receiver(ctx, r)
		all.Go(func() { receipts[i] = a.receiptOf(r.Name, notify.Try(ctx, c.Config.Owner, bound)) })
	}
	all.Wait()
	return receipts
}

func (a *app) receiptOf(name string, err error) receipt {
	if err != nil {
		return receipt{Receiver: name, Result: "failed", Error: err.Error(), Hint: a.hintFor(err, "")}
	}
	return receipt{Receiver: name, Result: "ok"}
}

func (a *app) receiptTable(receipts []receipt) {
	t := a.table("RECEIVER", "RESULT", "WHY")
	for _, r := range receipts {
		t.AppendRow(row(r.Receiver, r.Result, r.Error))
	}
	t.Render()
	for _, r := range receipts {
		if r.Hint != "" {
			fmt.Fprintf(a.stdout, "%s: hint: %s\n", r.Receiver, r.Hint)
		}
	}
}
