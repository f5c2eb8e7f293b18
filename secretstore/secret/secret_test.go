package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

const canary = "canary-5f1c2b7e"

// nested carries a value the way careless code would: in an unexported field,
// behind a pointer, in a map and in a slice.
type nested struct {
	plain  secret.Value
	Public secret.Value
	ptr    *secret.Value
	list   []secret.Value
	table  map[string]secret.Value
}

func carriers() []any {
	v := secret.New(canary)
	n := nested{plain: v, Public: v, ptr: &v, list: []secret.Value{v}, table: map[string]secret.Value{"k": v}}
	return []any{v, &v, n, &n, []any{v}, map[string]any{"k": n}, fmt.Errorf("wrapped: %w", errors.New(fmt.Sprint(v)))}
}

func TestValueNeverPrintsItself(t *testing.T) {
	for _, c := range carriers() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%e", "%c", "%U", "%10.3s"} {
			if out := fmt.Sprintf(verb, c); strings.Contains(out, canary) || strings.Contains(out, fmt.Sprintf("%x", canary)) {
				t.Errorf("fmt %s of %T shows the secret: %s", verb, c, out)
			}
		}
	}
}

func TestValueNeverEncodesItself(t *testing.T) {
	for _, c := range carriers() {
		if out, _ := json.Marshal(c); bytes.Contains(out, []byte(canary)) {
			t.Errorf("JSON of %T shows the secret: %s", c, out)
		}
		if out, _ := xml.Marshal(c); bytes.Contains(out, []byte(canary)) {
			t.Errorf("XML of %T shows the secret: %s", c, out)
		}
	}
}

func TestValueNeverReachesALog(t *testing.T) {
	var buf bytes.Buffer
	sl := slog.New(slog.NewTextHandler(&buf, nil))
	sj := slog.New(slog.NewJSONHandler(&buf, nil))
	z := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&buf), zap.DebugLevel))
	for _, c := range carriers() {
		sl.Info("m", "c", c)
		sj.Info("m", "c", c)
		z.Info("m", zap.Any("c", c)) //nolint:forbidigo // the careless call that must not leak
		z.Info("m", zap.Reflect("c", c))
	}
	if strings.Contains(buf.String(), canary) {
		t.Errorf("a log shows the secret: %s", buf.String())
	}
	if !strings.Contains(buf.String(), "redacted") {
		t.Error("the logs show no redaction: the test read nothing")
	}
}

func TestRevealGivesTheSecret(t *testing.T) {
	if got := secret.New(canary).Reveal(); got != canary {
		t.Errorf("Reveal() = %q", got)
	}
	if !(secret.Value{}).IsZero() || !secret.New("").IsZero() || secret.New("x").IsZero() {
		t.Error("IsZero is wrong")
	}
	if !secret.New("a").Equal(secret.New("a")) || secret.New("a").Equal(secret.New("b")) {
		t.Error("Equal is wrong")
	}
}

func TestAValueIsFoundInTheFormsInWhichProgramsPrintIt(t *testing.T) {
	v := secret.New("key\n<1>?")
	for _, text := range []string{"bad value key\n<1>?.", `bad "key\n<1>?"`, "6b65790a3c313e3f", "got a2V5CjwxPj8=", "got a2V5CjwxPj8"} {
		if !v.IsIn(text) {
			t.Errorf("not found in %q", text)
		}
	}
	if v.IsIn("bad value") || secret.New("").IsIn("anything") {
		t.Error("found where it is not")
	}
}
