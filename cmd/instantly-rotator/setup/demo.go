package setup

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// The files of a demonstration, all in its folder.
const (
	demoConfig   = "config.yaml"
	demoAdminKey = "admin-key"
	demoState    = "sandbox.json"
	demoLog      = "sandbox.log"
	demoPID      = "sandbox.pid"
)

// Demo is a folder with a configuration, and a sandbox for it that runs as long as the
// folder is there.
type Demo struct {
	// Dir is the folder, which is made.
	Dir string
	// Program is this one, with the command sandbox.
	Program string
}

// Sandbox is one that runs.
type Sandbox struct {
	URL string
	PID int
	// Found: it ran already.
	Found bool
}

// ErrNotOurs: the folder holds something else than a demonstration.
var ErrNotOurs = errors.New("holds something else than a demonstration")

// Config is the path of the configuration.
func (d Demo) Config() string { return filepath.Join(d.Dir, demoConfig) }

// Start makes what is not there, and starts the sandbox if it does not run. To repeat
// it is harmless.
func (d Demo) Start(ctx context.Context) (Sandbox, error) {
	if err := d.folder(); err != nil {
		return Sandbox{}, err
	}
	// It opens the sandbox and nothing else.
	err := WriteNew(filepath.Join(d.Dir, demoAdminKey), []byte(rand.Text()+"\n"), 0o600)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return Sandbox{}, err
	}
	base, err := d.baseURL()
	if err != nil {
		return Sandbox{}, err
	}
	listen := "127.0.0.1:0"
	if base != "" {
		if _, err := d.workspace(ctx, base); err == nil {
			return Sandbox{URL: base, PID: d.pid(), Found: true}, nil
		}
		if u, err := url.Parse(base); err == nil {
			listen = u.Host
		}
	}
	box, err := d.start(ctx, listen)
	if err != nil || base != "" {
		return box, err
	}
	if err := d.configure(ctx, box.URL); err != nil {
		if p, found := os.FindProcess(box.PID); found == nil { // nobody would know where it is
			_ = p.Kill()
		}
		return Sandbox{}, err
	}
	return box, nil
}

// configure writes the configuration for a sandbox.
func (d Demo) configure(ctx context.Context, base string) error {
	w, err := d.workspace(ctx, base)
	if err != nil {
		return err
	}
	a := demoAnswers(base)
	a.Workspace.OrganizationID, a.Workspace.About = w.ID, Account{Organization: w.ID, Name: w.Name}.About()
	text, err := a.Text()
	if err != nil {
		return err
	}
	return WriteNew(d.Config(), text, 0o644)
}

// folder makes the folder, or recognizes one that it made.
func (d Demo) folder() error {
	if err := os.MkdirAll(d.Dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		return err
	}
	begun := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == demoAdminKey })
	if len(entries) > 0 && !begun {
		return fmt.Errorf("%s: %w", d.Dir, ErrNotOurs)
	}
	return nil
}

// demoAnswers are what the demonstration begins with.
func demoAnswers(base string) Answers {
	keys := []Key{}
	for _, u := range UseCases()[:2] {
		keys = append(keys, Key{Name: u.Name, Scopes: u.Scopes, For: u.Name, Grace: "5m"})
	}
	return Answers{
		Workspace: Workspace{Name: "demo", AdminKey: config.SecretRef{File: demoAdminKey}, BaseURL: base},
		Store:     Store{Kind: "file", Settings: []Setting{{"path", "./store"}}},
		Keys:      keys,
	}
}

// baseURL is where the configuration has the sandbox; empty if there is no configuration
// yet. Whoever has changed it may have changed it for good.
func (d Demo) baseURL() (string, error) {
	cfg, _, err := config.Load(d.Config())
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, w := range cfg.Workspaces {
		if strings.HasPrefix(w.BaseURL, "http://") { // which is this machine
			return w.BaseURL, nil
		}
	}
	return "", fmt.Errorf("%s: no workspace has its base_url at a sandbox any more: %w", d.Config(), ErrNotOurs)
}

// workspace asks the sandbox at base, with the demonstration's own admin key: nobody
// else's sandbox takes it.
func (d Demo) workspace(ctx context.Context, base string) (instantly.Workspace, error) {
	cfg, _, err := demoAnswers(base).Config(d.Config())
	if err != nil {
		return instantly.Workspace{}, err
	}
	c := fleet.Connect(fleet.Options{Config: cfg, Getenv: os.Getenv, Now: time.Now, Log: zap.NewNop(), ReadOnly: true})
	defer c.Close()
	key, err := c.Secret(ctx, cfg.Workspaces["demo"].AdminKey)
	if err != nil {
		return instantly.Workspace{}, err
	}
	client, err := instantly.NewClient(instantly.Options{BaseURL: base, AdminKey: key, Timeout: searchTimeout, RetryBudget: -1})
	if err != nil {
		return instantly.Workspace{}, err
	}
	defer client.CloseIdleConnections()
	return client.Workspace(ctx)
}

// pid is the process of the sandbox that was started last; 0 if it is not known.
func (d Demo) pid() int {
	text, _ := os.ReadFile(filepath.Join(d.Dir, demoPID))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// start starts the sandbox in the background. In the folder that it works in, it names
// files by their names alone: when the folder is gone, so are they, even if another
// one is made in its place.
func (d Demo) start(ctx context.Context, listen string) (Sandbox, error) {
	log, err := os.OpenFile(filepath.Join(d.Dir, demoLog), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return Sandbox{}, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(d.Program, "sandbox", "--listen", listen, "--state", demoState, "--admin-key-file", demoAdminKey, "--while", demoAdminKey) //nolint:gosec,noctx // it is this program, and outlives the command
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = d.Dir, log, log, detached()
	if err := cmd.Start(); err != nil {
		return Sandbox{}, fmt.Errorf("start the sandbox: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	url, err := introduced(ctx, log.Name(), ended)
	if err != nil {
		_ = cmd.Process.Kill()
		return Sandbox{}, err
	}
	pid := strconv.Itoa(cmd.Process.Pid) + "\n"
	return Sandbox{URL: url, PID: cmd.Process.Pid}, os.WriteFile(filepath.Join(d.Dir, demoPID), []byte(pid), 0o600)
}

// introduced waits until the sandbox has said where it is.
func introduced(ctx context.Context, log string, ended <-chan struct{}) (string, error) {
	const limit, pause = 20 * time.Second, 10 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	said := func() []byte { text, _ := os.ReadFile(log); return text }
	for {
		if m := regexp.MustCompile(`base_url: (http://\S+)\n`).FindSubmatch(said()); m != nil {
			return string(m[1]), nil
		}
		select {
		case <-ended:
			return "", fmt.Errorf("the sandbox ended: %s", comment(string(bytes.TrimSpace(said()))))
		case <-ctx.Done():
			return "", fmt.Errorf("the sandbox did not start: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}
