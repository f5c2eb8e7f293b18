package service

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

// A desk is a service that does not run, with the file that its configuration is in.
type desk struct {
	*testing.T
	*Service
	path string
}

// newDesk begins with one target, which is called first. Each log line is shown to said;
// may be nil.
func newDesk(t *testing.T, said func(line string)) *desk {
	t.Helper()
	d := &desk{T: t, path: filepath.Join(t.TempDir(), "config.yaml")}
	d.write("", "first")
	written := StampOf(d.path)
	log := zap.NewNop()
	if said != nil {
		core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&strings.Builder{}), zap.DebugLevel)
		log = zap.New(core, zap.Hooks(func(e zapcore.Entry) error { said(e.Message); return nil }))
	}
	cfg, _, err := config.Load(d.path)
	if err != nil {
		t.Fatal(err)
	}
	d.Service = New(cfg, Options{ConfigPath: d.path, Written: written, Now: time.Now, Getenv: func(string) string { return "" }, Log: log})
	return d
}

// write writes a configuration with one target, and what else is given.
func (d *desk) write(more, target string) {
	text := more + `
workspaces: {main: {admin_key: {env: ADMIN_KEY}}}
stores: {local: {kind: file, path: ./store}}
keys: [{name: ` + target + `, scopes: [campaigns:read], stores: [{store: local}]}]
`
	if err := os.WriteFile(d.path, []byte(text), 0o600); err != nil {
		d.Error(err)
	}
}

// watched has the files watched for a minute.
func (d *desk) watched() {
	ctx, stop := context.WithCancel(d.Context())
	var watching sync.WaitGroup
	watching.Go(func() { d.watch(ctx, nil, d.filesSince(d.readFirst())) })
	time.Sleep(time.Minute)
	stop()
	watching.Wait()
}

func (d *desk) wantInForce(target string) {
	d.Helper()
	if got := d.inForce().Keys[0].Name; got != target {
		d.Errorf("the configuration in force has target %q, the file %q", got, target)
	}
}

func TestChangeThatIsMadeWhileAnotherIsTakenOverIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d *desk
		var again sync.Once
		d = newDesk(t, func(line string) {
			if line == "the changed configuration is in force" {
				again.Do(func() { d.write("", "third-target") })
			}
		})
		d.write("", "second")
		d.watched()
		d.wantInForce("third-target")
	})
}

func TestChangeThatIsMadeWhileTheDaemonStartsIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		d.write("", "second") // it has been read, and is not watched yet
		d.watched()
		d.wantInForce("second")
	})
}

func TestOneChangeIsTakenOverOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := 0
		d := newDesk(t, func(line string) {
			if strings.Contains(line, "configuration is in force") || strings.Contains(line, "read again") {
				read++
			}
		})
		d.write("", "second")
		d.watched()
		if read != 1 {
			t.Errorf("it was taken over %d times", read)
		}
	})
}
