package main

import (
	"errors"
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// logger writes to standard error: JSON for machines, console form at a terminal.
func (a *app) logger() (*zap.Logger, error) {
	level, format := a.logLevel, a.logFormat
	person := terminal(a.stderr)
	if level == "" {
		level = "info"
		if person {
			level = "warn"
		}
	}
	if format == "" {
		format = "json"
		if person {
			format = "console"
		}
	}
	at, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, usageError{fmt.Errorf("--log-level %q: want debug, info, warn or error", level)}
	}
	encoder, err := encoder(format)
	if err != nil {
		return nil, err
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(a.stderr)), at)), nil
}

func encoder(format string) (zapcore.Encoder, error) {
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.RFC3339TimeEncoder
	cfg.EncodeDuration = zapcore.StringDurationEncoder
	switch format {
	case "json":
		cfg.TimeKey = "time"
		return zapcore.NewJSONEncoder(cfg), nil
	case "console":
		return zapcore.NewConsoleEncoder(cfg), nil
	default:
		return nil, usageError{fmt.Errorf("--log-format %q: want console or json", format)}
	}
}

// logSteps tells the log of every step: effects as info, mere looking as debug.
func logSteps(log *zap.Logger) func(rotator.Event) {
	return func(e rotator.Event) {
		level := zapcore.DebugLevel
		switch {
		case errors.Is(e.Err, secretstore.ErrConflict), errors.Is(e.Err, rotator.ErrLostRace):
			level = zapcore.InfoLevel // two instances met; one goes on
		case e.Err != nil:
			level = zapcore.ErrorLevel
		case e.Verb.Effect():
			level = zapcore.InfoLevel
		}
		fields := []zap.Field{
			zap.String("target", e.Target), zap.String("workspace", e.Workspace), zap.String("step", string(e.Verb)),
			zap.String("reason", e.Reason), zap.Duration("took", e.Took),
		}
		if e.Store != "" {
			fields = append(fields, zap.String("store", e.Store))
		}
		if e.KeyID != "" {
			fields = append(fields, zap.String("key_id", e.KeyID))
		}
		if e.Err != nil {
			fields = append(fields, zap.String("error", e.Err.Error()))
		}
		log.Log(level, string(e.Verb), fields...)
	}
}
