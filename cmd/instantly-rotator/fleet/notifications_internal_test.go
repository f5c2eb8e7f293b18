package fleet

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
)

// tellOne sends one message with a debug log by a webhook that answers with
// status, and gives the log and the outcome.
func tellOne(t *testing.T, status int, token string) (string, notify.Outcome) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(r.URL.String()))
	}))
	t.Cleanup(server.Close)
	var stderr bytes.Buffer
	c := Connect(Options{
		Config: &config.Config{Owner: "team-1", Notify: []config.Receiver{
			{Name: "ops", URL: config.SecretRef{Env: "HOOK"}, On: notify.Alarms()},
		}},
		Getenv: func(string) string { return "generic+" + server.URL + "/" + token + "\n" },
		Log:    zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&stderr), zap.DebugLevel)),
	})
	outcomes := make(chan notify.Outcome, 1)
	n := c.Notifier(t.Context(), func(o notify.Outcome) { outcomes <- o })
	n.Send(notify.Message{Kind: notify.NeedsPerson, Target: "sending", Text: "a gate is open"})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Error(err)
	}
	return stderr.String(), <-outcomes
}

func TestLostNotificationIsLoggedWithoutItsURL(t *testing.T) {
	const token = "c4nary-t0ken"
	log, outcome := tellOne(t, http.StatusGone, token)
	if outcome.Result != notify.Undelivered || outcome.Receiver != "ops" {
		t.Errorf("outcome %+v", outcome)
	}
	for _, want := range []string{
		`"level":"warn"`, `"receiver":"ops"`, `"kind":"needs-person"`, `"outcome":"failed"`, `"error":"refused: HTTP 410 Gone"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no %s in the log: %s", want, log)
		}
	}
	if strings.Contains(log, token) || strings.Contains(log, "127.0.0.1") {
		t.Errorf("the log has the URL: %s", log)
	}
}

func TestSentNotificationIsToldAtDebugLevelOnly(t *testing.T) {
	log, outcome := tellOne(t, http.StatusOK, "c4nary-t0ken")
	if outcome.Result != notify.Sent || !strings.Contains(log, `"level":"debug"`) || strings.Contains(log, "c4nary") {
		t.Errorf("outcome %+v, log %s", outcome, log)
	}
}
