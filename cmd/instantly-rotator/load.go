package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
)

// Why there is no configuration: none is there, or what is there is not to be read.
var (
	errNoConfig         = errors.New("no configuration")
	errConfigUnreadable = errors.New("the configuration cannot be read")
)

// unread says of an error of [config.Load] that is none of the contents which one it is.
func unread(err error) error {
	why := errConfigUnreadable
	if errors.Is(err, fs.ErrNotExist) {
		why = errNoConfig
	}
	return usageError{fmt.Errorf("%w: %w", why, err)}
}

// load reads the configuration and passes its warnings on.
func (a *app) load() (*config.Config, error) {
	cfg, warnings, err := config.Load(a.configPath)
	for _, w := range warnings {
		fmt.Fprintln(a.stderr, "warning:", w)
	}
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return nil, unread(err)
	}
	return cfg, err
}

// loadInto reads the configuration and passes its warnings on to a log, whose lines
// others read.
func (a *app) loadInto(log *zap.Logger) (*config.Config, error) {
	var said bytes.Buffer
	quiet := *a
	quiet.stderr = &said
	cfg, err := quiet.load()
	for line := range strings.Lines(said.String()) {
		log.Warn("configuration", zap.String("warning", strings.TrimPrefix(strings.TrimSpace(line), "warning: ")))
	}
	return cfg, err
}

// fleet makes what the named targets need, or all of them if no name is given.
// Whoever calls it closes it.
func (a *app) fleet(ctx context.Context, names []string, readOnly bool) (*fleet.Fleet, error) {
	return a.openFleet(ctx, names, readOnly, func(*fleet.Options) {})
}

// openFleet makes it with further options.
func (a *app) openFleet(ctx context.Context, names []string, readOnly bool, with func(*fleet.Options)) (*fleet.Fleet, error) {
	log, err := a.logger()
	if err != nil {
		return nil, err
	}
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	o := a.fleetOptions(cfg, log, readOnly)
	with(&o)
	return fleet.Named(ctx, o, names)
}

func (a *app) fleetOptions(cfg *config.Config, log *zap.Logger, readOnly bool) fleet.Options {
	return fleet.Options{
		Config: cfg, Now: a.now, Getenv: a.getenv, Log: log, ReadOnly: readOnly,
		Command: a.command, Version: version(), Collector: a.stderr,
	}
}
