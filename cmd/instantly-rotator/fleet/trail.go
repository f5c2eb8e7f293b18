package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/recorder"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// idleSync is how long at most a line waits for the disk that no effect waited for.
const idleSync = 2 * time.Second

// TrailDir gives the folder of this machine's log.
func TrailDir(t config.Trail) string { return filepath.Join(t.Dir, logName(t)) }

// logName is what this machine's log is called, as the name of a folder.
func logName(t config.Trail) string {
	if t.Name != "" {
		return t.Name
	}
	host, _, _ := cutLast(instance())
	if host = strings.Trim(strings.ReplaceAll(host, "/", "-"), "."); host == "" {
		return "unknown"
	}
	return host
}

// Recorder gives what records the doings of this process; nil if none is configured.
func (c *Connections) Recorder() *recorder.Recorder {
	t := c.Config.Trail
	if t == nil || c.recorder != nil {
		return c.recorder
	}
	c.recorder = recorder.New(recorder.Options{
		Log:  c.log(*t),
		Warn: t.Warn, Now: c.now, Logger: c.Log, Wrote: c.Wrote,
		Who: trail.Who{Instance: instance(), User: recorder.User(), Command: c.Command, Config: hashOf(c.Config.File), Version: c.Version},
	})
	return c.recorder
}

// ProbeTrail finds out whether what is done could be recorded, and records nothing. Where
// no trail is configured there is nothing to find out.
func (c *Connections) ProbeTrail(ctx context.Context) error {
	if c.Config.Trail == nil {
		return nil
	}
	return c.log(*c.Config.Trail).Probe(ctx)
}

// trailLog is what can be asked, too, whether it can be written.
type trailLog interface {
	recorder.Log
	trail.Prober
}

// log gives what the trail is written to.
func (c *Connections) log(t config.Trail) trailLog {
	if t.ConfigMap != "" {
		return trail.NewStream(trail.StreamOptions{Out: c.Collector, Shelf: c.shelf(t), KeyFile: t.KeyFile, Now: c.now, IdleSync: idleSync})
	}
	var collector io.Writer
	if t.Copy {
		collector = c.Collector
	}
	return trail.New(trail.Options{Dir: TrailDir(t), Name: logName(t), Now: c.now, Copy: collector, IdleSync: idleSync})
}

// shelf gives where the state of a trail without a folder is kept.
func (c *Connections) shelf(t config.Trail) trail.Shelf {
	if c.Collector == nil {
		return noShelf{errors.New("there is no output for it")}
	}
	cluster, err := c.cluster()
	if err != nil {
		return noShelf{err}
	}
	m, err := recorder.NewConfigMap(cluster, t.Namespace, t.ConfigMap)
	if err != nil {
		return noShelf{err}
	}
	return m
}

// noShelf is one that cannot be had: nothing can be recorded.
type noShelf struct{ err error }

// Load implements [trail.Shelf].
func (n noShelf) Load(context.Context) (trail.Kept, error) { return trail.Kept{}, n.err }

// Swap implements [trail.Shelf].
func (n noShelf) Swap(context.Context, trail.Kept) (trail.Kept, error) { return trail.Kept{}, n.err }

func (c *Connections) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// trail gives the engine's trail, if there is one. One that only reads has none.
func (c *Connections) trail() rotator.Trail {
	if c.ReadOnly {
		return nil
	}
	if r := c.Recorder(); r != nil {
		return r
	}
	return nil // a nil pointer in an interface would not be nil
}

// hashOf tells one configuration from another.
func hashOf(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
