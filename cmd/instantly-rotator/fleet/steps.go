package fleet

import (
	"errors"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// tellSteps tells the log of every step, and whoever else observes.
func tellSteps(log *zap.Logger, observe func(rotator.Event)) func(rotator.Event) {
	return func(e rotator.Event) {
		log.Log(levelOf(e), string(e.Verb), fieldsOf(e)...)
		if observe != nil {
			observe(e)
		}
	}
}

// levelOf gives effects info, and mere reading debug.
func levelOf(e rotator.Event) zapcore.Level {
	switch {
	case errors.Is(e.Err, secretstore.ErrConflict), errors.Is(e.Err, rotator.ErrLostRace):
		return zapcore.InfoLevel // two instances met; one goes on
	case e.Err != nil:
		return zapcore.ErrorLevel
	case e.Verb.Effect():
		return zapcore.InfoLevel
	default:
		return zapcore.DebugLevel
	}
}

func fieldsOf(e rotator.Event) []zap.Field {
	fields := []zap.Field{
		zap.String("target", e.Target), zap.String("workspace", e.Workspace), zap.String("step", string(e.Verb)),
		zap.Duration("took", e.Took),
	}
	if e.Err == nil || e.Reason != e.Err.Error() { // once
		fields = append(fields, zap.String("reason", e.Reason))
	}
	if said := Said(e); said != "" {
		fields = append(fields, zap.String("summary", said))
	}
	if e.Store != "" {
		fields = append(fields, zap.String("store", e.Store))
	}
	if e.Sink != "" {
		fields = append(fields, zap.String("sink", e.Sink))
	}
	if e.KeyID != "" {
		fields = append(fields, zap.String("key_id", e.KeyID))
	}
	if e.Err != nil {
		fields = append(fields, zap.String("error", e.Err.Error()))
	}
	return fields
}
