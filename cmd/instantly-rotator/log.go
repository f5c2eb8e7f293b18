package main

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
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
